public import EventModel

/// Which properties of which types a module's statements read.
///
/// What is not read need not be extracted from a record, and has no place in an event.
public struct PropertyUse: Sendable {
  public private(set) var properties: [EventType: Set<Int>] = [:]
  private var whole: Set<EventType> = []
  /// The types of the rows of the module's named windows and tables.
  private var stores: [String: EventType] = [:]

  public init(_ modules: [ModulePlan]) {
    for module in modules {
      stores = [:]
      for statement in module.statements { add(statement) }
    }
  }

  /// Whether events of the type are taken whole.
  public func isWhole(_ type: EventType) -> Bool { whole.contains(type) }

  private mutating func add(_ type: EventType, _ property: Int) { properties[type, default: []].insert(property) }
  /// An event taken whole, with the events within it.
  private mutating func addAll(_ type: EventType) {
    guard whole.insert(type).inserted else { return }
    properties[type, default: []].formUnion(type.properties.indices)
    for property in type.properties { if let inner = property.type.eventType ?? property.type.element?.eventType { addAll(inner) } }
  }

  /// - Parameter streams: the types that the expression's stream numbers stand for.
  private mutating func add(_ expression: Expression?, _ streams: [EventType]) {
    guard let expression else { return }
    switch expression.node {
    case .column(let stream, let property) where stream >= 0 && stream < streams.count: add(streams[stream], property)
    case .event(let stream) where stream >= 0 && stream < streams.count: addAll(streams[stream])
    case .nested(let row, let property): if let type = row.type.eventType { add(type, property) }
    default: break
    }
    // A tag or a row taken whole.
    if let type = expression.type.eventType ?? expression.type.element?.eventType, type.kind != .derived { addWhole(expression, type) }
    for child in expression.children {
      if case .nested = expression.node, case .column(let stream, let property) = child.node {
        if stream >= 0, stream < streams.count { add(streams[stream], property) }
      } else {
        add(child, streams)
      }
    }
  }

  private mutating func addWhole(_ expression: Expression, _ type: EventType) {
    switch expression.node {
    case .nested, .element: break
    default: addAll(type)
    }
  }

  private mutating func add(_ expressions: [Expression], _ streams: [EventType]) {
    for expression in expressions { add(expression, streams) }
  }

  private mutating func add(_ period: TimePeriod?, _ streams: [EventType]) { add(period?.parts.map(\.count) ?? [], streams) }

  private mutating func add(_ statement: StatementPlan) {
    switch statement.kind {
    case .createSchema, .createVariable, .createExpression, .createList: break
    case .createTable(let table): stores[table.name] = table.type
    case .createContext(let context): add(context)
    case .createWindow(let window):
      stores[window.name] = window.type
      for view in window.views { add(view, window.type) }
      add(window.fillFilter, [window.type])
      // By what chooses an event's partition its rows find theirs.
      for property in window.model.flatMap({ properties[$0] }) ?? [] {
        if let own = window.model.flatMap({ window.type.index(of: $0.properties[property].name) }) { add(window.type, own) }
      }
    case .select(let select): add(select, statement.subqueries)
    case .on(let on): add(on, statement.subqueries)
    case .updateStream(let update):
      addAll(update.type)
      add(update.filter, [update.type])
      add(update.assignments.map(\.value), [update.type])
      add(statement.subqueries, [update.type])
    }
  }

  private mutating func add(_ select: SelectPlan, _ subqueries: [SubqueryPlan]) {
    let types = select.sources.map(\.type)
    for source in select.sources { add(source) }
    add(select.allExpressions, types)
    if let stream = select.passThrough { addAll(types[stream]) }
    add(subqueries, types)
  }

  /// - Parameter types: those of the enclosing statement's streams.
  private mutating func add(_ subqueries: [SubqueryPlan], _ types: [EventType]) {
    for subquery in subqueries {
      add(subquery.source)
      let streams = [subquery.source.type] + types
      add(
        [subquery.filter, subquery.select, subquery.having].compactMap { $0 } + subquery.columns.map(\.expression) + subquery.groupBy,
        streams)
      for aggregate in subquery.aggregates { add(aggregate.arguments + [aggregate.filter].compactMap { $0 }, streams) }
      if subquery.select == nil, subquery.columns.isEmpty, case .rows = subquery.kind { addAll(subquery.source.type) }
      switch subquery.kind {
      case .contains(let value, _), .quantified(let value, _, _): add(value, types)
      default: break
      }
    }
  }

  private mutating func add(_ source: SourcePlan) {
    let input = source.inputType
    switch source.kind {
    case .stream(let type, let filter): add(filter, [type])
    case .pattern(let pattern): add(pattern)
    case .window(_, let filter): add(filter, [input])
    case .table: break
    }
    for view in source.views { add(view, input) }
    if let matching = source.matchRecognize {
      add(matching.partition, [input])
      for variable in matching.variables { add(variable.define, [matching.matchType, input]) }
      add(matching.measures.map(\.expression), [matching.matchType, input])
    }
  }

  private mutating func add(_ view: ViewPlan, _ type: EventType) {
    switch view {
    case .externallyTimed(let e, _), .timeOrder(let e, _): add(e, [type])
    case .externallyTimedBatch(let e, _, _): add(e, [type])
    case .unique(let keys), .firstUnique(let keys), .grouped(let keys): add(keys, [type])
    case .sort(_, let keys): add(keys.map(\.expression), [type])
    case .rank(let unique, _, let keys): add(unique + keys.map(\.expression), [type])
    case .expression(let e, let aggregates), .expressionBatch(let e, _, let aggregates):
      add(e, [type])
      for aggregate in aggregates {
        add(aggregate.arguments + aggregate.order.map(\.expression) + [aggregate.filter].compactMap { $0 }, [type])
      }
    case .derived(_, let values, let others, _): add(values + others, [type])
    default: break
    }
  }

  private mutating func add(_ pattern: PatternPlan) { add(pattern.root, pattern.type) }

  private mutating func add(_ node: PatternNode, _ type: EventType) {
    switch node {
    case .filter(let event, let filter, _, _): add(filter, [event, type])
    case .every(let inner), .not(let inner): add(inner, type)
    case .everyDistinct(let inner, let keys, _):
      add(inner, type)
      add(keys, [type])
    case .followedBy(let parts, _), .and(let parts), .or(let parts): for part in parts { add(part, type) }
    case .repeated(let inner, _, _, let until, _):
      add(inner, type)
      if let until { add(until, type) }
    case .within(let inner, let period), .withinMax(let inner, let period, _):
      add(inner, type)
      add(period, [type])
    case .whileTrue(let inner, let condition):
      add(inner, type)
      add(condition, [type])
    case .interval(let period): add(period, [type])
    case .at, .schedule: break
    }
  }

  private mutating func add(_ on: OnPlan, _ subqueries: [SubqueryPlan]) {
    add(on.trigger)
    addAll(on.trigger.type)
    let row = { (name: String, stores: [String: EventType]) in [stores[name] ?? on.trigger.type, on.trigger.type] }
    switch on.action {
    case .select(let select, _, _): add(select, subqueries)
    case .split(let selects, _): for select in selects { add(select, subqueries) }
    case .set(let assignments):
      add(assignments.map(\.value), [on.trigger.type])
      add(subqueries, [on.trigger.type])
    case .delete(let name, let filter):
      add(filter, row(name, stores))
      add(subqueries, row(name, stores))
    case .update(let name, let assignments, let filter):
      let types = row(name, stores)
      add(filter, types)
      add(assignments.map(\.value), types + [types[0]])
      add(subqueries, types)
    case .merge(let name, let filter, let branches):
      let types = row(name, stores)
      add(filter, types)
      for branch in branches { add(branch, types) }
      add(subqueries, types)
    }
  }

  private mutating func add(_ branch: MergeBranch, _ types: [EventType]) {
    add(branch.condition, types)
    for action in branch.actions {
      switch action {
      case .delete(let condition): add(condition, types)
      case .update(let assignments, let condition):
        add(condition, types)
        add(assignments.map(\.value), types + [types[0]])
      case .insert(let columns, _, let condition):
        add(condition, types)
        add(columns.map(\.expression), types)
      }
    }
  }

  private mutating func add(_ context: ContextPlan) {
    switch context.kind {
    case .keyed(let streams), .hash(let streams, _, _):
      for stream in streams {
        add(stream.filter, [stream.type])
        add(stream.keys, [stream.type])
      }
    case .category(let type, let filter, let categories):
      add(filter, [type])
      add(categories.map(\.condition), [type])
    case .startEnd(let start, _, let end), .initiatedTerminated(let start, _, let end, _):
      for condition in [start, end] {
        switch condition {
        case .filter(let type, let filter, let tag):
          add(filter, [type])
          if tag != nil { addAll(type) }
        case .pattern(let pattern, _): add(pattern)
        default: break
        }
      }
    case .nested(let inner): for context in inner { add(context) }
    }
  }
}
