public import Diagnostics
import EventModel
public import Plan
public import Syntax

/// Binds an on-demand query against what a module has declared.
public func bindOnDemandQuery(
  _ statement: StatementSyntax, source: SourceText, scope: ModuleScope
) -> (plan: OnDemandPlan?, diagnostics: DiagnosticList) {
  let binder = StatementBinder(statement, source: source, scope: scope)
  let kind = binder.onDemand()
  if case .select? = kind {
  } else if !binder.subqueries.isEmpty {
    binder.report("a subquery can stand in an on-demand SELECT only", at: statement.range)
  }
  let plan =
    binder.diagnostics.hasErrors || binder.isFollowing
    ? nil
    : kind.map {
      OnDemandPlan(kind: $0, subqueries: binder.subqueries, context: statement.context?.text)
    }
  return (plan, binder.diagnostics)
}

extension StatementBinder {
  fileprivate func onDemand() -> OnDemandPlan.Kind? {
    bindContextName()
    spansPartitions = syntax.context == nil
    switch syntax.body {
    case .select(let select): return onDemandSelect(select)
    case .delete(let delete):
      guard let stored = target(delete.target) else { return nil }
      return .delete(store: delete.target.name.text, filter: condition(delete.whereClause, over: stored))
    case .update(let update):
      guard let stored = target(update.target) else { return nil }
      let assignments = assignments(
        update.assignments, stored, ExpressionBinder(self, names: names(over: stored), clause: "the SET clause"))
      return .update(store: update.target.name.text, assignments, filter: condition(update.whereClause, over: stored))
    case .insertValues(let insert): return onDemandInsert(insert)
    default:
      report("an on-demand query selects from, inserts into, updates or deletes from a named window or table", at: syntax.range)
      return nil
    }
  }

  private func condition(_ clause: ExpressionSyntax?, over stored: NameScope.Stream) -> Expression? {
    clause.map { ExpressionBinder(self, names: names(over: stored), clause: "the WHERE clause").condition($0) }
  }

  private func names(over stored: NameScope.Stream) -> NameScope {
    var names = NameScope()
    names.streams = [stored]
    names.contextType = contextType
    return names
  }

  private func onDemandSelect(_ select: SelectSyntax) -> OnDemandPlan.Kind? {
    for stream in select.from {
      guard case .events(let filter) = stream.source,
        scope.windows[filter.eventType.text] != nil || scope.tables[filter.eventType.text] != nil
      else {
        report("an on-demand query reads named windows and tables only", at: stream.range)
        return nil
      }
    }
    if let insert = select.insertInto {
      report("an on-demand query with SELECT cannot insert", at: insert.range, suggestion: "insert into W values (…)")
    }
    if let output = select.output { report("an on-demand query has no OUTPUT clause", at: output.range) }
    return bindSelect(select).map { .select($0) }
  }

  private func onDemandInsert(_ insert: InsertValuesSyntax) -> OnDemandPlan.Kind? {
    guard let stored = target(TargetSyntax(name: insert.target, alias: nil)) else { return nil }
    let type = stored.type
    var indices: [Int] = []
    for column in insert.columns {
      guard let index = type.index(of: column.text) else {
        reportUnknown("column", column, among: type.properties.map(\.name))
        return nil
      }
      indices.append(index)
    }
    if insert.columns.isEmpty { indices = Array(type.properties.indices) }
    let binder = ExpressionBinder(self, names: NameScope(), clause: "the VALUES clause")
    var rows: [[Expression?]] = []
    for row in insert.rows {
      guard row.count == indices.count else {
        report("\(row.count) values for \(indices.count) columns", at: row.first?.range ?? insert.range)
        return nil
      }
      var values = [Expression?](repeating: nil, count: type.properties.count)
      for (index, syntax) in zip(indices, row) {
        let value = binder.bind(syntax)
        let wanted = type.properties[index]
        guard isAssignable(value.type, to: wanted.type) else {
          report("the column \"\(wanted.name)\" is \(wanted.type.quoted), the value \(value.type.quoted)", at: syntax.range)
          continue
        }
        values[index] = converted(value, to: wanted.type)
      }
      rows.append(values)
    }
    return .insert(store: insert.target.text, rows: rows)
  }
}
