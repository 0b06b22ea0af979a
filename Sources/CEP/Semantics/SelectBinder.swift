import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// Binds a SELECT, clause by clause.
extension StatementBinder {
  func bindSelect(_ syntax: SelectSyntax) -> SelectPlan? {
    var sources: [BoundSource] = []
    for (number, stream) in syntax.from.enumerated() {
      if let source = bindSource(stream, number: number) { sources.append(source) }
    }
    guard sources.count == syntax.from.count else { return nil }
    if let recognize = syntax.matchRecognize {
      guard sources.count == 1 else {
        report("match_recognize takes a single stream", at: recognize.range)
        return nil
      }
      guard let plan = bindMatchRecognize(recognize, over: sources[0]) else { return nil }
      checkBounds(recognize, plan, over: sources[0].plan)
      sources[0].plan.matchRecognize = plan
      sources[0].plan.type = plan.outputType
      sources[0].stream.type = plan.outputType
    }
    return SelectBinder(self, syntax, sources).bind()
  }
}

final class SelectBinder {
  let statement: StatementBinder
  let syntax: SelectSyntax
  let sources: [StatementBinder.BoundSource]
  let aggregates = AggregateList()
  var names = NameScope()

  init(_ statement: StatementBinder, _ syntax: SelectSyntax, _ sources: [StatementBinder.BoundSource]) {
    self.statement = statement
    self.syntax = syntax
    self.sources = sources
    names.streams = sources.map(\.stream)
    names.contextType = statement.contextType
  }

  func bind() -> SelectPlan? {
    checkStreams()
    let joins = joins()
    let condition = syntax.whereClause.map { where_ in
      let binder = ExpressionBinder(statement, names: names, clause: "the WHERE clause")
      binder.allowsPrevious = true
      return binder.condition(where_)
    }
    let selectBinder = ExpressionBinder(statement, names: names, clause: "the SELECT clause", aggregates: aggregates)
    selectBinder.allowsPrevious = true
    let keyBinder = ExpressionBinder(statement, names: names, clause: "the GROUP BY clause")
    let groups = GroupingBinder(keyBinder, aliases: aliasSyntaxes).bind(syntax.groupBy)
    selectBinder.groupingKeys = groups.keys
    var columns = ColumnBinder(selectBinder).bind(syntax.selection.items)
    let aliases = Dictionary(columns.columns.map { ($0.name, $0.expression) }, uniquingKeysWith: { first, _ in first })
    let having = syntax.having.map { clause -> Expression in
      let binder = self.binder("the HAVING clause", like: selectBinder)
      binder.names.fallbacks = aliases
      return binder.condition(clause)
    }
    if !aggregates.plans.isEmpty, groups.keys.isEmpty {
      columns.columns = columns.columns.map { OutputColumn($0.name, throughContext($0.expression)) }
    }
    let orderBinder = binder("the ORDER BY clause", like: selectBinder)
    orderBinder.names.columns = aliases
    let order = syntax.orderBy.map { OrderKey(orderBinder.bind($0.expression).orderable, descending: $0.descending) }
    let rate = syntax.output.map { OutputBinder(statement, names).bind($0) }
    let grouping = grouping(groups, columns, order, rate.flatMap { $0?.kind })
    checkHaving(having, grouping)
    checkContext()
    if statement.diagnostics.hasErrors || statement.isFollowing { return nil }

    let rolled = { (expression: Expression) in groups.levels.isEmpty ? expression : self.rolledUp(expression, groups) }
    var plan = SelectPlan(
      sources: sources.map(\.plan), joins: joins, filter: condition,
      selection: syntax.selection.selector.map(StreamSelection.init) ?? .insert, distinct: syntax.selection.distinct,
      columns: columns.passThrough == nil ? columns.columns.map { OutputColumn($0.name, rolled($0.expression)) } : [],
      passThrough: columns.passThrough, outputType: outputType(columns), aggregates: aggregates.plans, grouping: grouping,
      having: having.map(rolled), orderBy: order.map { OrderKey(rolled($0.expression), descending: $0.descending) },
      limit: limit(), outputRate: rate ?? nil)
    if let into = syntax.insertInto {
      if into.isTable || statement.scope.tables[into.target.text] != nil && !aggregates.plans.isEmpty && into.isTable {
        plan.intoTable = into.target.text
        statement.checkStore(into.target)
        checkTable(into, plan)
      } else {
        plan.insertInto = InsertBinder(statement).bind(into, &plan)
      }
    }
    statement.checkBounds(plan, syntax)
    return statement.diagnostics.hasErrors || statement.isFollowing ? nil : plan
  }

  /// With a key of the context in place of the property that the partition is made by: it is one for all rows.
  private func throughContext(_ expression: Expression) -> Expression {
    guard let context = statement.syntax.context.flatMap({ statement.scope.contexts[$0.text] }), sources.count == 1,
      case .keyed(let streams) = context.kind, case .stream(let type, _) = sources[0].plan.kind,
      let keys = streams.first(where: { $0.type === type })?.keys
    else { return expression }
    return expression.rewritten { part in
      guard let number = keys.firstIndex(of: part), let property = context.type.index(of: "key\(number + 1)") else { return nil }
      return Expression(.column(stream: Expression.contextStream, property: property), part.type)
    }
  }

  private func binder(_ clause: String, like other: ExpressionBinder) -> ExpressionBinder {
    let binder = ExpressionBinder(statement, names: names, clause: clause, aggregates: aggregates)
    binder.groupingKeys = other.groupingKeys
    binder.allowsPrevious = true
    return binder
  }

  /// `select sum(v) as total … group by …`: a key may be named by its alias.
  private var aliasSyntaxes: [String: ExpressionSyntax] {
    var result: [String: ExpressionSyntax] = [:]
    for item in syntax.selection.items {
      if case .expression(let value) = item.kind, let alias = item.alias { result[alias.text] = value }
    }
    return result
  }

  // MARK: streams

  private func checkStreams() {
    var seen: Set<String> = []
    for (source, stream) in zip(sources, syntax.from) {
      if let alias = source.stream.alias, !seen.insert(alias).inserted {
        statement.report("the name \"\(alias)\" stands for two streams", at: stream.alias?.range ?? stream.range)
      }
      if stream.unidirectional, let view = stream.views.first {
        statement.report(
          "a unidirectional stream takes no data window: its events join as they arrive", at: view.range, suggestion: "leave it out")
      }
      if sources.count > 1, !source.stream.isWindowed, !stream.unidirectional {
        statement.report(
          "a joined stream needs a data window, \"\(source.plan.name)\" has none", at: stream.range,
          suggestion: "add one: \(source.stream.typeName ?? source.plan.name)#time(1 min)")
      }
    }
  }

  /// A statement that reads none of the streams that its context is made of would never see an event.
  private func checkContext() {
    guard statement.subqueries.isEmpty, let name = statement.syntax.context, let context = statement.scope.contexts[name.text] else {
      return
    }
    let read = sources.compactMap { source -> EventType? in
      if case .stream(let type, _) = source.plan.kind { type } else { nil }
    }
    guard read.count == sources.count, let first = read.first else { return }
    for level in context.levels {
      let divided = level.dividedTypes
      if divided.isEmpty || read.contains(where: { type in divided.contains { type.isKind(of: $0) || $0.isKind(of: type) } }) { continue }
      return statement.reportUndivided(first.name, by: level.name, divided, at: syntax.from[0].range)
    }
  }

  private func joins() -> [JoinPlan] {
    syntax.joins.map { join in
      guard let join else { return JoinPlan(.inner) }
      let binder = ExpressionBinder(statement, names: names, clause: "the ON clause")
      return JoinPlan(JoinPlan.Kind(rawValue: join.kind.rawValue) ?? .inner, on: join.on.map(binder.condition))
    }
  }

  // MARK: HAVING

  private func checkHaving(_ having: Expression?, _ grouping: GroupingPlan) {
    guard let having, let place = syntax.having, !grouping.keys.isEmpty, !aggregates.plans.isEmpty else { return }
    if having.hasUngrouped(keys: grouping.keys) {
      statement.report("a property in HAVING that is not aggregated must stand in GROUP BY", at: place.range)
    }
  }

  // MARK: grouping

  private func grouping(
    _ groups: GroupingBinder.Groups, _ columns: ColumnBinder.Columns, _ order: [OrderKey], _ rate: OutputRatePlan.Kind?
  ) -> GroupingPlan {
    let hasWildcard = columns.passThrough != nil || columns.hasWildcard
    let isPlain = hasWildcard || columns.columns.contains { $0.expression.hasUngrouped(keys: groups.keys) }
    if groups.keys.isEmpty, groups.levels.isEmpty {
      if aggregates.plans.isEmpty { return GroupingPlan(form: .rowPerEvent) }
      return GroupingPlan(form: isPlain ? .aggregatedRowPerEvent : .rowForAll)
    }
    // Of all columns there is a row per event, unless a rate picks one per group.
    if columns.passThrough != nil, aggregates.plans.isEmpty, rate != .first, rate != .last { return GroupingPlan(form: .rowPerEvent) }
    if !groups.levels.isEmpty { return GroupingPlan(form: .rollup, keys: groups.keys, levels: groups.levels) }
    let hasUnselectedOrder = !hasWildcard && order.contains { $0.expression.hasUnselected(columns.columns.map(\.expression)) }
    return GroupingPlan(form: isPlain || hasUnselectedOrder ? .groupedRowPerEvent : .rowPerGroup, keys: groups.keys)
  }

  /// A key reads null on the levels that roll it up.
  private func rolledUp(_ expression: Expression, _ groups: GroupingBinder.Groups) -> Expression {
    expression.rewritten { part in
      guard let key = groups.keys.firstIndex(of: part), groups.levels.contains(where: { !$0.contains(key) }) else { return nil }
      let isRolledUp = Expression(
        .compare(.equal, Expression(.grouping([key]), .int), Expression(.constant(.int(1)), .int)), .boolean)
      return Expression(.cases([.init(isRolledUp, Expression(.constant(.null), part.type))], otherwise: part), part.type)
    }
  }

  private func outputType(_ columns: ColumnBinder.Columns) -> EventType {
    if let stream = columns.passThrough { return sources[stream].stream.type }
    let name = syntax.insertInto?.target.text ?? "row"
    return EventType(name: name, kind: .derived, properties: columns.columns.map { .init($0.name, $0.type) })
  }

  // MARK: the rest

  private func limit() -> LimitPlan? {
    guard let limit = syntax.limit else { return nil }
    let binder = ExpressionBinder(statement, names: NameScope(), clause: "the LIMIT clause")
    let bound = [limit.count, limit.offset].map { part -> Expression? in
      guard let part else { return nil }
      let value = binder.bind(part)
      if !value.type.isInteger, !value.type.isFaulty {
        statement.report("LIMIT takes integers, this is \(value.type.quoted)", at: part.range)
      }
      return value
    }
    return LimitPlan(count: bound[0], offset: bound[1])
  }

  /// A table takes what its keys and aggregates say.
  private func checkTable(_ into: InsertIntoSyntax, _ plan: SelectPlan) {
    guard let table = statement.scope.tables[into.target.text] else {
      return statement.reportUnknown("table", into.target, among: statement.scope.tables.keys.sorted())
    }
    let wanted = zip(table.type.properties, table.columns).filter(\.1.isKey).map(\.0)
    let keys = plan.grouping.keys
    if keys.count != wanted.count || zip(keys, wanted).contains(where: { !$0.type.isComparable(with: $1.type) }) {
      let list = wanted.map { "\($0.name) \($0.type.name)" }.joined(separator: ", ")
      statement.report(
        wanted.isEmpty
          ? "the table \"\(table.name)\" has no primary key to group by" : "the keys of GROUP BY are none of the table \"\(table.name)\"",
        at: into.target.range, suggestion: wanted.isEmpty ? nil : "its primary key is \(list)")
    }
    for (column, item) in zip(plan.columns, syntax.selection.items) {
      guard case .aggregate(let number) = column.expression.node else { continue }
      guard let index = table.type.index(of: column.name) else {
        statement.report(
          "the table \"\(table.name)\" has no column \"\(column.name)\"", at: item.range,
          suggestion: didYouMean(column.name, among: table.type.properties.map(\.name)))
        continue
      }
      let given = plan.aggregates[number].function
      if let declared = table.columns[index].aggregate?.function, declared == given { continue }
      statement.report(
        "the column \"\(column.name)\" of the table \"\(table.name)\" holds \(table.columns[index].aggregate.map { "\"\($0.function)\"" } ?? "no aggregate"), not \"\(given)\"",
        at: item.range)
    }
  }
}

extension StatementBinder {
  func reportUndivided(_ type: String, by context: String, _ divided: [EventType], at range: SourceRange) {
    let names = divided.map { "\"\($0.name)\"" }.joined(separator: ", ")
    report("the context \"\(context)\" divides \(names), and not \"\(type)\"", at: range)
  }
}

extension ContextPlan {
  /// Itself, or the contexts that are nested in it.
  var levels: [ContextPlan] { if case .nested(let levels) = kind { levels } else { [self] } }

  /// Whether a key or hash decides which partition an event belongs to.
  var dividesByKey: Bool { if case .category = kind { false } else { !dividedTypes.isEmpty } }

  /// The types of events that it tells apart by key, hash or category; none where it goes by time or is nested.
  var dividedTypes: [EventType] {
    switch kind {
    case .keyed(let streams), .hash(let streams, _, _): streams.map(\.type)
    case .category(let type, _, _): [type]
    default: []
    }
  }
}

extension StreamSelection {
  init(_ syntax: StreamSelectorSyntax) {
    switch syntax {
    case .istream: self = .insert
    case .rstream: self = .remove
    case .irstream: self = .both
    }
  }
}

extension Expression {
  var containsAggregate: Bool {
    if case .aggregate = node { return true }
    return children.contains(where: \.containsAggregate)
  }

  /// Whether it names a property outside of aggregates that none of the columns names.
  ///
  /// Where ORDER BY does, a grouped statement gives a row per event: the original can order only what it has selected.
  func hasUnselected(_ columns: [Expression]) -> Bool {
    if case .column(let stream, _) = node { return stream != Expression.contextStream && !columns.contains { $0.holds(self) } }
    return children.contains { $0.hasUnselected(columns) }
  }

  private func holds(_ part: Expression) -> Bool { self == part || children.contains { $0.holds(part) } }

  /// Whether it names a property that is neither aggregated nor one of the keys.
  func hasUngrouped(keys: [Expression]) -> Bool {
    if keys.contains(self) { return false }
    switch node {
    case .column(let stream, _), .event(let stream): return stream != Expression.contextStream
    case .previous: return true
    default: return children.contains { $0.hasUngrouped(keys: keys) }
    }
  }
}
