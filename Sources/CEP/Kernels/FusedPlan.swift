public import EventModel
public import Plan

/// A SELECT over a batch window that is run over columns, taken apart: what is done over columns, and what is left to do with the few
/// rows that come of it.
///
/// Of grouped aggregates the kernel's rows are of `rowType`: the grouping keys, then the aggregates. `rest` is the statement over such
/// rows, in which HAVING, the selected columns, order and limit are as they were. Where a row per event is asked for, the events that
/// pass WHERE are kept, and `rest` is the statement over those.
public struct FusedPlan {
  public enum Content: String, Sendable {
    case groups = "groups of a batch"
    case events = "events of a batch that pass WHERE"
  }

  public let content: Content
  public let inputType: EventType
  /// Before the window: events that fail it never come to the statement.
  public let filter: Expression?
  /// Behind the window: WHERE.
  public let condition: Expression?
  /// The batch window.
  public let window: ViewPlan
  public let rowType: EventType
  public let rest: SelectPlan
  let keys: [Int]
  let aggregates: [AggregateKernel]
  let checks: [CountCheck]

  static let largestKey = 8
  /// Rows of keys and aggregates stay small enough to have a slot for each.
  static let largestRow = 60

  /// Nil where the statement is not of that shape.
  public init?(_ plan: SelectPlan) {
    guard plan.sources.count == 1, plan.joins.isEmpty, plan.selection == .insert, plan.outputRate == nil, plan.intoTable == nil,
      plan.insertInto.map({ $0.selection == .insert }) ?? true
    else { return nil }
    let source = plan.sources[0]
    guard case .stream(let type, let filter) = source.kind, source.matchRecognize == nil, !source.isUnidirectional, source.views.count == 1,
      case .timeBatch(_, _, let flags) = source.views[0], flags.isEmpty
    else { return nil }
    // Both are asked of many events at once, before the clock has come to them.
    guard [filter, plan.filter].allSatisfy({ $0?.isOfEventAlone ?? true }) else { return nil }
    inputType = type
    self.filter = filter
    condition = plan.filter
    window = source.views[0]
    if let groups = Self.groups(plan) {
      content = .groups
      (keys, aggregates, rowType, rest) = groups
      checks = CountCheck.all(in: plan.having, aggregates)
    } else if let rest = Self.restOverEvents(plan) {
      content = .events
      (keys, aggregates, checks, rowType, self.rest) = ([], [], [], type, rest)
    } else {
      return nil
    }
  }

  /// Whether a variable decides of events.
  public var readsVariables: Bool {
    var reads = false
    for expression in [filter, condition] { expression?.visit { if case .variable = $0 { reads = true } } }
    return reads
  }

  /// Nil where no kernel aggregates that.
  private static func groups(
    _ plan: SelectPlan
  ) -> (keys: [Int], aggregates: [AggregateKernel], rowType: EventType, rest: SelectPlan)? {
    let form = plan.grouping.form
    guard plan.passThrough == nil,
      (form == .rowPerGroup && !plan.grouping.keys.isEmpty) || (form == .rowForAll && plan.grouping.keys.isEmpty)
    else { return nil }
    let keys = plan.grouping.keys.compactMap(\.plainColumn)
    guard keys.count == plan.grouping.keys.count, keys.count <= largestKey, keys.count + plan.aggregates.count <= largestRow
    else { return nil }
    var aggregates: [AggregateKernel] = []
    for aggregate in plan.aggregates {
      guard let kernel = AggregateKernel(aggregate) else { return nil }
      aggregates.append(kernel)
    }
    let rowType = EventType(
      name: plan.sources[0].type.name, kind: .derived,
      properties: plan.grouping.keys.enumerated().map { .init("key\($0.offset)", $0.element.type) }
        + plan.aggregates.enumerated().map { .init("aggregate\($0.offset)", $0.element.type) })
    return plan.overRows(rowType, keys).map { (keys, aggregates, rowType, $0) }
  }

  /// The statement over the events that pass WHERE, which must be one for columns; nothing may look at the others in the window.
  private static func restOverEvents(_ plan: SelectPlan) -> SelectPlan? {
    guard let condition = plan.filter, ColumnFilter(condition, variables: { _ in .null }) != nil else { return nil }
    var looksBack = false
    for expression in plan.allExpressions { expression.visit { if case .previous = $0 { looksBack = true } } }
    if looksBack { return nil }
    var rest = plan
    rest.filter = nil
    rest.sources[0].views = []
    if case .stream(let type, _) = rest.sources[0].kind { rest.sources[0].kind = .stream(type, filter: nil) }
    return rest
  }
}

extension SelectPlan {
  /// What is left of the statement over rows of some of the events' properties and the aggregates; nil where it reads anything else.
  func overRows(_ rowType: EventType, _ properties: [Int]) -> SelectPlan? {
    func moved(_ expression: Expression) -> Expression? { expression.overGroups(properties) }
    var rest = self
    rest.sources = [SourcePlan(name: sources[0].name, kind: .stream(rowType, filter: nil), type: rowType)]
    rest.filter = nil
    rest.aggregates = []
    rest.grouping = GroupingPlan(form: .rowPerEvent)
    rest.columns = columns.compactMap { column in moved(column.expression).map { OutputColumn(column.name, $0) } }
    rest.orderBy = orderBy.compactMap { key in moved(key.expression).map { OrderKey($0, descending: key.descending) } }
    guard rest.columns.count == columns.count, rest.orderBy.count == orderBy.count else { return nil }
    if let having {
      guard let having = moved(having) else { return nil }
      rest.having = having
    }
    return rest
  }
}

extension Expression {
  /// Whether its value is the same for an event whenever it is asked, but for variables.
  var isOfEventAlone: Bool {
    var isAlone = true
    visit { node in
      switch node {
      case .currentTimestamp, .isInsertStream, .previous, .subquery, .tableRow, .tableKeys, .matchPrevious: isAlone = false
      default: break
      }
    }
    return isAlone
  }
}

extension AggregateKernel {
  /// Nil where the aggregate is none for columns.
  init?(_ plan: AggregatePlan) {
    guard plan.filter == nil, plan.order.isEmpty, plan.arguments.count <= 1 else { return nil }
    let argument = plan.arguments.first
    let property = argument?.plainColumn
    if argument != nil, property == nil { return nil }
    let type = argument?.type ?? .long
    switch (plan.function, argument == nil, plan.isDistinct) {
    case ("count", true, false): function = .countAll
    case ("count", false, false): function = .count
    case ("count", false, true): function = .countDistinct
    case ("sum", false, false): function = .sum
    case ("avg", false, false): function = .average
    case ("min", false, _): function = .min
    case ("max", false, _): function = .max
    case ("first", false, false): function = .first
    case ("last", false, false): function = .last
    default: return nil
    }
    switch function {
    case .sum, .average, .min, .max: if !type.isNumeric { return nil }
    default: break
    }
    self.property = property
    self.type = type
  }
}
