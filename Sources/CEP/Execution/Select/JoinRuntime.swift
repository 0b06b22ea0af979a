internal import Builtins
internal import EventModel
internal import Plan

/// Joins what enters and leaves on one source with what the others hold.
final class JoinRuntime {
  private let code: SelectCode
  private let sources: [SourceRuntime]
  private let frame: Frame
  private let conditions: [Evaluator?]
  private let kinds: [JoinPlan.Kind]
  private let isInner: Bool
  /// Of an outer join of two: whether ON is nothing but equalities, which the index has decided.
  private let isKeyed: Bool
  private let unidirectional: [Bool]
  private var tables: [JoinTable]
  private let routes: [JoinRoute]

  init(_ code: SelectCode, _ sources: [SourceRuntime], _ frame: Frame, _ environment: Environment) throws(EvaluationError) {
    self.code = code
    self.sources = sources
    self.frame = frame
    let plan = code.plan
    kinds = plan.joins.map(\.kind)
    isInner = kinds.allSatisfy { $0 == .inner }
    unidirectional = plan.sources.map(\.isUnidirectional)
    let compiler = environment.compiler(code.types, context: code.contextType)
    do throws(DeploymentError) {
      var conditions: [Evaluator?] = []
      for join in plan.joins { conditions.append(try compiler.compile(join.condition)) }
      self.conditions = conditions
      let equalities = isInner ? JoinEquality.all(in: plan) : plan.joins.count == 1 ? JoinEquality.all(in: plan.joins[0].condition) : []
      isKeyed = !isInner && plan.joins.count == 1 && equalities.count == plan.joins[0].condition?.conjuncts.count
      tables = plan.sources.map { _ in JoinTable() }
      var routes: [JoinRoute] = []
      for driver in plan.sources.indices {
        routes.append(try JoinRoute(from: driver, count: plan.sources.count, equalities, compiler, &tables))
      }
      self.routes = routes
    } catch { throw EvaluationError(error.description) }
  }

  /// Sources that hold their rows themselves: a table, or a named window without windows of the statement's own.
  private func isHeldElsewhere(_ stream: Int) -> Bool { sources[stream].code.table != nil }

  func process(_ changes: [(new: [Event], old: [Event])]) throws(EvaluationError) -> (new: [Tuple], old: [Tuple]) {
    for stream in sources.indices where isHeldElsewhere(stream) { tables[stream].replace(sources[stream].contents, frame, stream) }
    let hasUnidirectional = unidirectional.contains(true)
    var old: [Tuple] = []
    for (stream, change) in changes.enumerated() where !change.old.isEmpty {
      if hasUnidirectional, !unidirectional[stream] { continue }
      for event in change.old { try search(stream, event, into: &old) }
    }
    for (stream, change) in changes.enumerated() where sources[stream].hasWindow && !isHeldElsewhere(stream) {
      for event in change.new { try tables[stream].insert(event, frame, stream) }
      for event in change.old { try tables[stream].remove(event, frame, stream) }
    }
    var new: [Tuple] = []
    for (stream, change) in changes.enumerated() where !change.new.isEmpty {
      if hasUnidirectional, !unidirectional[stream] { continue }
      for event in change.new { try search(stream, event, into: &new) }
    }
    let severalChanged = changes.filter { !$0.new.isEmpty || !$0.old.isEmpty }.count > 1
    return (try filtered(severalChanged ? distinct(new) : new), try filtered(severalChanged ? distinct(old) : old))
  }

  func exchange(_ archive: StateArchive) {
    for stream in sources.indices where !isHeldElsewhere(stream) { tables[stream].exchange(archive, frame, stream) }
  }

  /// Takes what the sources hold, of a statement that is not started.
  func load() { for stream in sources.indices { tables[stream].replace(sources[stream].contents, frame, stream) } }

  /// All rows of the join as it stands.
  func current() throws(EvaluationError) -> [Tuple] {
    for stream in sources.indices where isHeldElsewhere(stream) { tables[stream].replace(sources[stream].contents, frame, stream) }
    var rows: [Tuple] = []
    if isInner {
      for event in tables[0].all { try search(0, event, into: &rows) }
    } else {
      rows = try prefixRows(sources.count - 1, nil).map { Tuple(joined: $0) }
    }
    return try filtered(rows)
  }

  private func distinct(_ rows: [Tuple]) -> [Tuple] {
    var seen = Set<[ObjectIdentifier?]>()
    return rows.filter { row in seen.insert(row.others.map { $0.map(ObjectIdentifier.init) }).inserted }
  }

  private func filtered(_ rows: [Tuple]) throws(EvaluationError) -> [Tuple] {
    guard code.filter != nil || (isInner && conditions.contains { $0 != nil }) else { return rows }
    var kept: [Tuple] = []
    rows: for row in rows {
      frame.load(row)
      if let filter = code.filter, !(try filter(frame).isTrue) { continue }
      if isInner { for case let condition? in conditions where !(try condition(frame).isTrue) { continue rows } }
      kept.append(row)
    }
    return kept
  }

  private func search(_ stream: Int, _ event: Event, into rows: inout [Tuple]) throws(EvaluationError) {
    if isInner {
      var events = [Event?](repeating: nil, count: sources.count)
      events[stream] = event
      try extend(&events, routes[stream].steps[...], into: &rows)
    } else if sources.count == 2 {
      try searchOuter(stream, event, into: &rows)
    } else {
      for row in try prefixRows(sources.count - 1, (stream, event)) { rows.append(Tuple(joined: row)) }
    }
  }

  private func candidates(_ step: JoinRoute.Step, _ events: [Event?]) throws(EvaluationError) -> [Event] {
    guard let index = step.index else { return tables[step.stream].all }
    frame.events = events
    let key = try evaluateAll(step.keys, frame)
    // Null equals nothing, but for an outer join's ON, where the original takes two nulls for equal.
    if isInner, key.contains(where: \.isNull) { return [] }
    return tables[step.stream].find(index, key)
  }

  private func extend(_ events: inout [Event?], _ steps: ArraySlice<JoinRoute.Step>, into rows: inout [Tuple]) throws(EvaluationError) {
    guard let step = steps.first else {
      rows.append(Tuple(joined: events))
      return
    }
    for event in try candidates(step, events) {
      events[step.stream] = event
      try extend(&events, steps.dropFirst(), into: &rows)
    }
    events[step.stream] = nil
  }

  /// Two sources: an event with its partners, or alone where its side is kept.
  private func searchOuter(_ stream: Int, _ event: Event, into rows: inout [Tuple]) throws(EvaluationError) {
    var events = [Event?](repeating: nil, count: 2)
    events[stream] = event
    let step = routes[stream].steps[0]
    var found = false
    for partner in try candidates(step, events) {
      events[step.stream] = partner
      frame.events = events
      if !isKeyed, let condition = conditions[0], !(try condition(frame).isTrue) { continue }
      found = true
      rows.append(Tuple(joined: events))
    }
    if found { return }
    let kind = kinds[0]
    if kind == .full || (kind == .left && stream == 0) || (kind == .right && stream == 1) {
      events[step.stream] = nil
      rows.append(Tuple(joined: events))
    }
  }

  /// The rows of the join of streams 0 to `last`; with a restriction only those that hold that event.
  private func prefixRows(_ last: Int, _ only: (stream: Int, event: Event)?) throws(EvaluationError) -> [[Event?]] {
    let own = only?.stream == last ? [only!.event] : tables[last].all
    if last == 0 { return own.map { event in [event] + [Event?](repeating: nil, count: sources.count - 1) } }
    let isRestrictedHere = only?.stream == last
    let before = try prefixRows(last - 1, isRestrictedHere ? nil : only)
    let kind = kinds[last - 1]
    var rows: [[Event?]] = []
    var matched = Set<ObjectIdentifier>()
    for row in before {
      var found = false
      for event in own {
        var joined = row
        joined[last] = event
        frame.events = joined
        if let condition = conditions[last - 1], !(try condition(frame).isTrue) { continue }
        found = true
        matched.insert(ObjectIdentifier(event))
        rows.append(joined)
      }
      if !found, !isRestrictedHere, kind == .left || kind == .full { rows.append(row) }
    }
    if kind == .right || kind == .full, only == nil || isRestrictedHere {
      for event in own where !matched.contains(ObjectIdentifier(event)) {
        var joined = [Event?](repeating: nil, count: sources.count)
        joined[last] = event
        rows.append(joined)
      }
    }
    return rows
  }
}

/// `a.x = b.y` between two sources.
struct JoinEquality {
  let left: (stream: Int, expression: Expression)
  let right: (stream: Int, expression: Expression)

  static func all(in plan: SelectPlan) -> [JoinEquality] {
    all(in: plan.filter) + plan.joins.flatMap { all(in: $0.condition) }
  }

  static func all(in condition: Expression?) -> [JoinEquality] {
    guard let condition else { return [] }
    switch condition.node {
    case .and(let parts): return parts.flatMap { all(in: $0) }
    case .compare(.equal, let a, let b):
      guard let x = a.onlyStream, let y = b.onlyStream, x != y else { return [] }
      return [JoinEquality(left: (x, a), right: (y, b))]
    default: return []
    }
  }
}

extension Expression {
  /// The parts of an AND; the expression itself where it is none.
  var conjuncts: [Expression] {
    if case .and(let parts) = node { return parts.flatMap(\.conjuncts) }
    return [self]
  }

  /// The one stream whose columns the expression reads; nil for none, several, or what depends on more than columns.
  var onlyStream: Int? {
    var streams = Set<Int>()
    var isPlain = true
    visit { node in
      switch node {
      case .column(let stream, _), .event(let stream): streams.insert(stream)
      case .variable, .local, .aggregate, .previous, .subquery, .tableRow, .tableKeys, .matchPrevious, .isInsertStream: isPlain = false
      default: break
      }
    }
    return isPlain && streams.count == 1 ? streams.first : nil
  }
}

/// In what order the other sources are searched for partners of one source's event.
struct JoinRoute {
  struct Step {
    let stream: Int
    /// Over the sources found before.
    let keys: [Evaluator]
    let index: Int?
  }
  private(set) var steps: [Step] = []

  init(from driver: Int, count: Int, _ equalities: [JoinEquality], _ compiler: ExpressionCompiler, _ tables: inout [JoinTable])
    throws(DeploymentError)
  {
    var bound: Set<Int> = [driver]
    while bound.count < count {
      // The first source that an equality ties to those found; else the first.
      let open = (0..<count).filter { !bound.contains($0) }
      let next = open.first { stream in equalities.contains { $0.ties(stream, to: bound) } } ?? open[0]
      let usable = equalities.filter { $0.ties(next, to: bound) }
      if usable.isEmpty {
        steps.append(Step(stream: next, keys: [], index: nil))
      } else {
        let own = usable.map { $0.left.stream == next ? $0.left.expression : $0.right.expression }
        let other = usable.map { $0.left.stream == next ? $0.right.expression : $0.left.expression }
        let index = tables[next].addIndex(own, try compiler.compile(own))
        steps.append(Step(stream: next, keys: try compiler.compile(other), index: index))
      }
      bound.insert(next)
    }
  }
}

extension JoinEquality {
  func ties(_ stream: Int, to bound: Set<Int>) -> Bool {
    (left.stream == stream && bound.contains(right.stream)) || (right.stream == stream && bound.contains(left.stream))
  }
}

/// What one source holds, with an index for each set of keys that is searched by.
final class JoinTable {
  private struct Index {
    let expressions: [Expression]
    let keys: [Evaluator]
    var events: [[Value]: EventQueue] = [:]
  }
  private var queue = EventQueue()
  private var indices: [Index] = []

  /// Without index equality the whole is searched.
  var all: [Event] { queue.all }

  func addIndex(_ expressions: [Expression], _ keys: [Evaluator]) -> Int {
    if let index = indices.firstIndex(where: { $0.expressions == expressions }) { return index }
    indices.append(Index(expressions: expressions, keys: keys))
    return indices.count - 1
  }

  func find(_ index: Int, _ key: [Value]) -> [Event] { indices[index].events[key]?.all ?? [] }

  func insert(_ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) {
    queue.append(event)
    for index in indices.indices { indices[index].events[try key(index, event, frame, stream), default: EventQueue()].append(event) }
  }

  func remove(_ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) {
    if queue.first === event { _ = queue.removeFirst() } else { queue.remove(event) }
    for index in indices.indices {
      let key = try key(index, event, frame, stream)
      indices[index].events[key]?.remove(event)
      if indices[index].events[key]?.isEmpty == true { indices[index].events[key] = nil }
    }
  }

  func replace(_ events: [Event], _ frame: Frame, _ stream: Int) {
    queue.removeAll()
    for index in indices.indices { indices[index].events.removeAll() }
    for event in events { try? insert(event, frame, stream) }
  }

  /// The rows; the indices are made from them.
  func exchange(_ archive: StateArchive, _ frame: Frame, _ stream: Int) {
    archive.queue(&queue)
    if archive.isRestoring { replace(queue.all, frame, stream) }
  }

  private func key(_ index: Int, _ event: Event, _ frame: Frame, _ stream: Int) throws(EvaluationError) -> [Value] {
    frame.events[stream] = event
    return try evaluateAll(indices[index].keys, frame)
  }
}
