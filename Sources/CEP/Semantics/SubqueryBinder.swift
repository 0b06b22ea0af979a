import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// Subqueries: own streams first, then those of the enclosing statement, one number higher.
extension ExpressionBinder {
  func subquery(_ syntax: ExpressionSyntax) -> Expression {
    switch syntax.kind {
    case .subquery(let query): return scalar(query)
    case .exists(let query):
      guard let plan = SubqueryBinder(self, query).bind(kind: .exists) else { return .faulty }
      return add(plan, .boolean)
    case .inSubquery(let value, let query, let negated):
      let bound = bind(value)
      guard let plan = SubqueryBinder(self, query).bind(kind: .contains(bound, negated: negated)) else { return .faulty }
      return compared(bound, plan, syntax.range)
    case .quantifiedSubquery(let op, let value, let quantifier, let query):
      let bound = bind(value)
      guard let comparison = Comparison(rawValue: op.rawValue) else { return .faulty }
      let kind = SubqueryPlan.Kind.quantified(bound, comparison, all: quantifier == .all)
      guard let plan = SubqueryBinder(self, query).bind(kind: kind) else { return .faulty }
      return compared(bound, plan, syntax.range)
    default: return .faulty
    }
  }

  private func add(_ plan: SubqueryPlan, _ type: ValueType) -> Expression {
    statement.subqueries.append(plan)
    return Expression(.subquery(statement.subqueries.count - 1), type)
  }

  private func compared(_ value: Expression, _ plan: SubqueryPlan, _ place: SourceRange) -> Expression {
    guard let selected = plan.select?.type else {
      return report("this subquery must select one column", at: place)
    }
    if value.type.isFaulty || selected.isFaulty { return .faulty }
    guard value.type.isComparable(with: selected) else {
      return report("cannot compare \(value.type.quoted) with \(selected.quoted)", at: place)
    }
    return add(plan, .boolean)
  }

  private func scalar(_ query: SubquerySyntax) -> Expression {
    guard let plan = SubqueryBinder(self, query).bind(kind: .scalar) else { return .faulty }
    if let row = plan.rowType { return add(plan, .event(row)) }
    return add(plan, plan.select?.type ?? .event(plan.source.type))
  }

  /// All rows of a subquery that a method follows: `(select …).where(…)`.
  func rows(_ query: SubquerySyntax) -> Expression? {
    guard let plan = SubqueryBinder(self, query).bind(kind: .rows) else { return .faulty }
    if let row = plan.rowType { return add(plan, .array(.event(row))) }
    return add(plan, .array(plan.select?.type ?? .event(plan.source.type)))
  }
}

struct SubqueryBinder {
  let enclosing: ExpressionBinder
  let syntax: SubquerySyntax
  var statement: StatementBinder { enclosing.statement }

  init(_ enclosing: ExpressionBinder, _ syntax: SubquerySyntax) {
    self.enclosing = enclosing
    self.syntax = syntax
  }

  func bind(kind: SubqueryPlan.Kind) -> SubqueryPlan? {
    let query = syntax.query
    guard query.from.count == 1, let from = query.from.first else {
      statement.report("a subquery selects from one stream", at: query.range)
      return nil
    }
    if let insert = query.insertInto { statement.report("a subquery cannot insert", at: insert.range) }
    if let order = query.orderBy.first {
      statement.report("a subquery has no ORDER BY", at: order.expression.range, suggestion: "first(…), last(…), max(…), or a window #sort")
    }
    if let limit = query.limit { statement.report("a subquery has no LIMIT", at: limit.range) }
    if let output = query.output { statement.report("a subquery has no OUTPUT clause", at: output.range) }
    if case .events(let filter) = from.source { statement.checkStore(filter.eventType) }
    guard let source = statement.bindSource(from, number: 0) else { return nil }
    guard source.stream.isWindowed else {
      statement.report(
        "a subquery's stream needs a data window, \"\(source.plan.name)\" has none", at: from.range,
        suggestion: "add one: \(source.plan.name)#keepall() or \(source.plan.name)#lastevent()")
      return nil
    }
    let names = names(source.stream)
    let filter = query.whereClause.map { ExpressionBinder(statement, names: names, clause: "the WHERE clause").condition($0) }
    let aggregates = AggregateList()
    let binder = ExpressionBinder(statement, names: names, clause: "the SELECT clause", aggregates: aggregates)
    let groups = GroupingBinder(ExpressionBinder(statement, names: names, clause: "the GROUP BY clause"), aliases: [:])
    let keys = groups.bind(query.groupBy).keys
    let columns = ColumnBinder(binder).bind(query.selection.items)
    let having = query.having.map { clause in
      ExpressionBinder(statement, names: names, clause: "the HAVING clause", aggregates: aggregates).condition(clause)
    }
    if (columns.columns.map(\.type) + [filter?.type, having?.type].compactMap { $0 }).contains(where: \.isFaulty) { return nil }
    var plan = SubqueryPlan(
      kind: kind, source: source.plan, filter: filter, select: nil, aggregates: aggregates.plans, groupBy: keys, having: having)
    if columns.passThrough == nil, columns.columns.count == 1 {
      plan.select = columns.columns[0].expression
    } else if columns.passThrough == nil {
      plan.columns = columns.columns
      plan.rowType = EventType(name: "subquery", kind: .derived, properties: columns.columns.map { .init($0.name, $0.type) })
    }
    return plan
  }

  private func names(_ stream: NameScope.Stream) -> NameScope {
    var names = NameScope()
    names.streams = [stream]
    names.outer = (enclosing.names.streams + enclosing.names.outer).map { outer in
      var shifted = outer
      shifted.number += 1
      return shifted
    }
    names.contextType = enclosing.names.contextType
    names.locals = enclosing.names.locals
    return names
  }
}
