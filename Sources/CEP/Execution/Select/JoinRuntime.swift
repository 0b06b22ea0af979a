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
  /// Tables that are never searched but by their primary key.
  private let keyed: [Table?]

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
      let isSearchable = isInner
      keyed = sources.indices.map { stream in
        guard isSearchable, let table = sources[stream].code.table?.of(frame.partition) else { return nil }
        let steps = routes.indices.filter { $0 != stream }.compactMap { routes[$0].steps.first { $0.stream == stream } }
        return steps.allSatisfy { table.isPrimaryKey($0.columns) } ? table : nil
      }
    } catch { throw EvaluationError(error.description) }
  }

  /// Sources that hold their rows themselves: a table, or a named window without windows of the statement's own.
  private func isHeldElsewhere(_ stream: Int) -> Bool { sources[stream].code.table != nil }

  func process(_ changes: [(new: [Event], old: [Event])]) throws(EvaluationError) -> (new: [Tuple], old: [Tuple]) {
    for stream in sources.indices where isHeldElsewhere(stream) && keyed[stream] == nil {
      tables[stream].replace(sources[stream].contents, frame, stream)
    }
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
    return keyed[step.stream]?.rows(step.columns, key) ?? tables[step.stream].find(index, key)
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
