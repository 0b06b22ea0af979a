public import EventModel
public import Plan

/// A SELECT with aggregates over a sliding window of time that gives a row for each event, taken apart: groups are kept over columns, and
/// `rest` is what is left to do with the events that its HAVING does not rule out at once.
///
/// Rows of `rowType` are the properties of the event that the statement names, then the aggregates. Events that leave the window give
/// no rows, so nobody sees when they leave.
public struct SlidingPlan {
  public let inputType: EventType
  /// Before the window: events that fail it never come to the statement.
  public let filter: Expression?
  /// How long an event stays.
  public let period: TimePeriod
  public let rowType: EventType
  public let rest: SelectPlan
  /// The properties that rows hold.
  public let properties: [Int]
  let keys: [Int]
  let aggregates: [AggregateKernel]
  let checks: [CountCheck]

  /// What an event in the window leaves for its aggregates is in one word, four bits for each.
  static let mostAggregates = 8

  /// Nil where the statement is not of that shape.
  public init?(_ plan: SelectPlan) {
    guard plan.sources.count == 1, plan.joins.isEmpty, plan.selection == .insert, plan.outputRate == nil, plan.intoTable == nil,
      plan.insertInto.map({ $0.selection == .insert }) ?? true, plan.passThrough == nil, plan.filter == nil
    else { return nil }
    let source = plan.sources[0]
    guard case .stream(let type, let filter) = source.kind, source.matchRecognize == nil, !source.isUnidirectional,
      source.views.count == 1, case .time(let period) = source.views[0], filter?.isOfEventAlone ?? true
    else { return nil }
    switch plan.grouping.form {
    case .groupedRowPerEvent, .aggregatedRowPerEvent: break
    default: return nil
    }
    let keys = plan.grouping.keys.compactMap(\.plainColumn)
    let aggregates = plan.aggregates.compactMap(AggregateKernel.init).filter(\.canForget)
    guard keys.count == plan.grouping.keys.count, keys.count <= FusedPlan.largestKey, aggregates.count == plan.aggregates.count,
      aggregates.count <= Self.mostAggregates
    else { return nil }
    var named = Set<Int>()
    for expression in plan.columns.map(\.expression) + plan.orderBy.map(\.expression) + [plan.having].compactMap({ $0 }) {
      expression.visit { if case .column(stream: 0, let property) = $0 { named.insert(property) } }
    }
    let properties = named.sorted()
    let rowType = EventType(
      name: type.name, kind: .derived,
      properties: properties.enumerated().map { .init("column\($0.offset)", type.properties[$0.element].type) }
        + plan.aggregates.enumerated().map { .init("aggregate\($0.offset)", $0.element.type) })
    guard properties.count + aggregates.count <= FusedPlan.largestRow, let rest = plan.overRows(rowType, properties) else { return nil }
    inputType = type
    self.filter = filter
    self.period = period
    self.rowType = rowType
    self.rest = rest
    self.properties = properties
    self.keys = keys
    self.aggregates = aggregates
    checks = CountCheck.all(in: plan.having, aggregates)
  }

  /// Whether a variable decides of events, or of rows before their turn.
  public var readsVariables: Bool {
    var reads = false
    for expression in [filter, rest.having] { expression?.visit { if case .variable = $0 { reads = true } } }
    return reads
  }
}

extension AggregateKernel {
  /// Whether single values can leave it.
  fileprivate var canForget: Bool {
    switch function {
    case .countAll, .count, .sum, .average: true
    case .countDistinct, .min, .max, .first, .last: false
    }
  }
}
