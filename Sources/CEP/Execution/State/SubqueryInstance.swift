internal import Builtins
internal import EventModel
internal import Plan

/// A subquery, compiled. Stream 0 is its own event, stream i + 1 the enclosing statement's stream i.
final class SubqueryCode {
  let plan: SubqueryPlan
  let source: SourceCode
  let filter: Evaluator?
  let select: Evaluator?
  let columns: [Evaluator]
  let aggregates: [AggregateCode]
  let groupBy: [Evaluator]
  let having: Evaluator?
  /// The value to be compared, over the enclosing statement's streams.
  let operand: Evaluator?
  /// Equalities between its rows and the enclosing statement's events, by which rows are looked up; nil where there are none, or where its
  /// source's rows are not those that have been passed on, in that order.
  let lookup: RowLookup?
  /// For `value in (select …)`: the same, and behind its keys the selected value.
  let membership: RowLookup?

  init(_ plan: SubqueryPlan, outer: [EventType], context: EventType?, environment: Environment) throws(DeploymentError) {
    self.plan = plan
    source = try SourceCode(plan.source, context: context, environment: environment)
    let compiler = environment.compiler([plan.source.type] + outer, context: context)
    filter = try compiler.compile(plan.filter)
    select = try compiler.compile(plan.select)
    columns = try compiler.compile(plan.columns.map(\.expression))
    var aggregates: [AggregateCode] = []
    for aggregate in plan.aggregates { aggregates.append(try AggregateCode(aggregate, compiler)) }
    self.aggregates = aggregates
    groupBy = try compiler.compile(plan.groupBy)
    having = try compiler.compile(plan.having)
    let keepsOrder = SubqueryCode.keepsOrder(plan)
    let lookup = keepsOrder ? try RowLookup(plan.filter, compiler) : nil
    self.lookup = lookup
    if case .contains = plan.kind, keepsOrder, plan.aggregates.isEmpty, plan.having == nil, let value = plan.select,
      value.onlyStream == 0
    {
      membership = RowLookup(
        rowKeys: (lookup?.rowKeys ?? []) + [value], ofRow: (lookup?.ofRow ?? []) + (try compiler.compile([value])),
        ofTrigger: lookup?.ofTrigger ?? [])
    } else {
      membership = nil
    }
    let outerCompiler = environment.compiler(outer, context: context)
    switch plan.kind {
    case .contains(let value, _), .quantified(let value, _, _): operand = try outerCompiler.compile(value)
    default: operand = nil
    }
  }
}

extension SubqueryCode {
  /// Whether the source holds what it has passed on, in the order of arrival; of the last event of each key, where the order is not seen.
  private static func keepsOrder(_ plan: SubqueryPlan) -> Bool {
    if case .table = plan.source.kind { return false }
    if plan.source.views.isEmpty { return true }
    guard plan.source.views.count == 1 else { return false }
    switch plan.source.views[0] {
    case .time, .length, .keepAll, .externallyTimed: return true
    case .unique:
      switch plan.kind {
      case .exists, .contains, .quantified: return plan.aggregates.isEmpty
      case .scalar: return plan.aggregates.isEmpty && plan.groupBy.isEmpty
      default: return false
      }
    default: return false
    }
  }
}

/// A subquery at work: it keeps its source's rows and is evaluated when asked.
final class SubqueryInstance {
  private let code: SubqueryCode
  private let frame: Frame
  private let source: SourceRuntime
  private let isWindowed: Bool

  init(_ code: SubqueryCode, _ outer: Frame, _ statement: StatementRuntime) throws(EvaluationError) {
    self.code = code
    frame = outer.sibling(streams: outer.events.count + 1)
    isWindowed = !code.plan.source.views.isEmpty || code.source.table != nil
    let keeper = RowKeeper(frame)
    source = try SourceRuntime(code.source, statement, frame, keeper)
    self.keeper = keeper
  }
  private let keeper: RowKeeper

  /// A named window's rows are those that its readers have been told of.
  func start() throws(EvaluationError) {
    try source.start()
    try load()
  }

  /// What a named window holds now.
  func load() throws(EvaluationError) {
    if !isWindowed, code.source.window != nil { try keeper.receive(new: source.contents, old: []) }
  }
  func stop() { source.stop() }
  func shed(_ share: Double) throws(EvaluationError) -> Int {
    let kept = try source.shed(share)
    if !isWindowed { return kept + (try keeper.removeFirst(share)) }
    // Windows forget without telling.
    if kept > 0 { keeper.replace(source.contents) }
    return kept
  }
  func exchange(_ archive: StateArchive) {
    source.exchange(archive)
    keeper.exchange(archive)
  }
  func accept(_ event: Event) throws(EvaluationError) { try source.accept(event) }

  private var contents: [Event] { isWindowed ? source.contents : keeper.all }

  /// The rows for which the filter may hold.
  private func candidates() throws(EvaluationError) -> [Event] {
    guard let lookup = code.lookup else { return contents }
    return try keeper.rows(lookup, try evaluateAll(lookup.ofTrigger, frame))
  }

  private func load(_ outer: Frame) { frame.events = [nil] + outer.events }

  private func matching(_ outer: Frame) throws(EvaluationError) -> [Event] {
    load(outer)
    return try passing(try candidates())
  }

  private func passing(_ events: [Event]) throws(EvaluationError) -> [Event] {
    guard let filter = code.filter else { return events }
    var kept: [Event] = []
    for event in events {
      frame.events[0] = event
      if try filter(frame).isTrue { kept.append(event) }
    }
    return kept
  }

  private func selected(_ event: Event) throws(EvaluationError) -> Value {
    frame.events[0] = event
    if let type = code.plan.rowType, !code.columns.isEmpty {
      return .event(Event.make(type, time: frame.clock.now, try evaluateAll(code.columns, frame)))
    }
    guard let select = code.select else { return .event(event.origin) }
    return try select(frame)
  }

  /// The selected values: of the rows, or of the groups where there are aggregates.
  private func values(_ outer: Frame) throws(EvaluationError) -> [Value] {
    let events = try matching(outer)
    if code.aggregates.isEmpty {
      var values: [Value] = []
      for event in events {
        if let having = code.having {
          frame.events[0] = event
          guard try having(frame).isTrue else { continue }
        }
        values.append(try selected(event))
      }
      return values
    }
    return try groupedValues(events)
  }

  private func groupedValues(_ events: [Event]) throws(EvaluationError) -> [Value] {
    let table = GroupTable(code.aggregates, seed: 0)
    var order: [Group] = []
    if code.groupBy.isEmpty { order.append(table.group([])) }
    for event in events {
      frame.events[0] = event
      let group = table.group(try evaluateAll(code.groupBy, frame))
      if group.representative == nil, !code.groupBy.isEmpty { order.append(group) }
      group.representative = Tuple(event)
      for number in code.aggregates.indices { try code.aggregates[number].apply(group.state(number), frame, entering: true) }
    }
    var values: [Value] = []
    for group in order {
      frame.group = group
      frame.events[0] = group.representative?.first
      if let having = code.having, !(try having(frame).isTrue) { continue }
      if code.columns.isEmpty {
        values.append(try code.select?(frame) ?? .null)
      } else if let type = code.plan.rowType {
        values.append(.event(Event.make(type, time: frame.clock.now, try evaluateAll(code.columns, frame))))
      }
    }
    return values
  }

  func value(_ outer: Frame) throws(EvaluationError) -> Value {
    switch code.plan.kind {
    case .scalar:
      let values = try values(outer)
      if values.count == 1 { return values[0] }
      // Of several columns there is always a row.
      guard let type = code.plan.rowType, !code.columns.isEmpty else { return .null }
      return .event(Event.make(type, time: frame.clock.now, count: code.columns.count) { _ in .null })
    case .exists: return .bool(!(try code.aggregates.isEmpty ? matching(outer).isEmpty : values(outer).isEmpty))
    case .rows:
      let values = try values(outer)
      return values.isEmpty ? .null : .array(values)
    case .contains(_, let negated):
      guard let operand = try code.operand.map({ e throws(EvaluationError) in try e(outer) }) else { return .null }
      if let membership = code.membership, !operand.isNull { return try contains(operand, outer, membership, negated) }
      return contains(operand, try values(outer), negated)
    case .quantified(_, let comparison, let all):
      guard let operand = try code.operand.map({ e throws(EvaluationError) in try e(outer) }) else { return .null }
      return quantified(operand, try values(outer), comparison, all: all)
    }
  }

  /// The same, looked up; of a value that is not null.
  private func contains(_ operand: Value, _ outer: Frame, _ lookup: RowLookup, _ negated: Bool) throws(EvaluationError) -> Value {
    load(outer)
    let key = try evaluateAll(lookup.ofTrigger, frame)
    func isThere(_ value: Value) throws(EvaluationError) -> Bool { try !passing(try keeper.rows(lookup, key + [value])).isEmpty }
    if try isThere(operand) { return .bool(!negated) }
    return try isThere(.null) ? .null : .bool(negated)
  }

  private func contains(_ operand: Value, _ values: [Value], _ negated: Bool) -> Value {
    if values.isEmpty { return .bool(negated) }
    if operand.isNull { return .null }
    if values.contains(operand) { return .bool(!negated) }
    return values.contains(where: \.isNull) ? .null : .bool(negated)
  }

  private func quantified(_ operand: Value, _ values: [Value], _ comparison: Comparison, all: Bool) -> Value {
    if values.isEmpty { return .bool(all) }
    if operand.isNull { return .null }
    var sawNull = false
    for value in values {
      guard !value.isNull else {
        sawNull = true
        continue
      }
      let holds =
        comparison == .equal
        ? operand == value
        : comparison == .notEqual
          ? operand != value
          : Value.order(operand, value).map { comparison.holds($0) } ?? false
      if holds != all { return .bool(!all) }
    }
    // An ordering against any of several values is false, not null, where one of them is null.
    if sawNull, !all, comparison != .equal, comparison != .notEqual { return .bool(false) }
    return sawNull ? .null : .bool(all)
  }
}

/// Keeps what enters until it leaves.
private final class RowKeeper: Receiver {
  private let table = JoinTable()
  private let frame: Frame

  /// - Parameter frame: for the keys of rows, which are its stream 0.
  init(_ frame: Frame) { self.frame = frame }

  var all: [Event] { table.all }
  override func receive(new: [Event], old: [Event]) throws(EvaluationError) {
    for event in new { try table.insert(event, frame, 0) }
    for event in old { try table.remove(event, frame, 0) }
  }
  func rows(_ lookup: RowLookup, _ key: [Value]) throws(EvaluationError) -> [Event] {
    try table.rows(lookup, key, frame)
  }
  func replace(_ events: [Event]) { table.replace(events, frame, 0) }
  func removeFirst(_ share: Double) throws(EvaluationError) -> Int {
    let first = all.prefix(StatementShare.of(all.count, share))
    for event in first { try table.remove(event, frame, 0) }
    return first.count
  }
  func exchange(_ archive: StateArchive) { table.exchange(archive, frame, 0) }
}
