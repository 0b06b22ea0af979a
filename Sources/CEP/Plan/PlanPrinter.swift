internal import EventModel

/// A plan as text, for `--explain`.
public enum PlanPrinter {
  public static func text(_ module: ModulePlan) -> String {
    module.statements.map { text($0) }.joined(separator: "\n")
  }

  public static func text(_ statement: StatementPlan) -> String {
    var lines = ["statement \(statement.name)" + (statement.context.map { " in context \($0)" } ?? "")]
    switch statement.kind {
    case .createSchema(let type):
      lines.append("  schema \(type.name) (\(type.properties.map { "\($0.name) \($0.type.name)" }.joined(separator: ", ")))")
    case .createVariable(let variable): lines.append("  variable \(variable.name) \(variable.type.name)")
    case .createContext(let context): lines.append("  context \(context.name)")
    case .createWindow(let window): lines.append("  window \(window.name) of \(window.type.name)\(views(window.views))")
    case .createTable(let table): lines.append("  table \(table.name)")
    case .createExpression: lines.append("  expression")
    case .createList(let plan): lines.append("  list \(plan.list.name) of \(plan.list.kind.rawValue) from '\(plan.path)'")
    case .select(let select): lines += self.lines(select)
    case .on(let on): lines.append("  on \(source(on.trigger))")
    case .updateStream(let update): lines.append("  update \(update.type.name)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ plan: SelectPlan) -> [String] {
    let types = plan.sources.map(\.type)
    func text(_ expression: Expression) -> String { expression.text(types, plan.sources.map(\.name)) }
    var lines: [String] = []
    switch plan.strategy {
    case .general: lines.append("  run: general operators, event by event")
    case .fused(let kernel): lines.append("  run: column kernel \(kernel)")
    }
    for (index, item) in plan.sources.enumerated() {
      let join = index == 0 ? "from" : "\(plan.joins[index - 1].kind.rawValue) join"
      lines.append("  \(join) \(source(item))" + (index > 0 ? plan.joins[index - 1].condition.map { " on \(text($0))" } ?? "" : ""))
    }
    if let filter = plan.filter { lines.append("  where \(text(filter))") }
    if plan.grouping.form != .rowPerEvent {
      lines.append(
        "  aggregate \(plan.grouping.form.rawValue)"
          + (plan.grouping.keys.isEmpty ? "" : " by \(plan.grouping.keys.map(text).joined(separator: ", "))"))
      for (number, aggregate) in plan.aggregates.enumerated() {
        let filter = aggregate.filter.map { ", filter \(text($0))" } ?? ""
        lines.append(
          "    #\(number) \(aggregate.function)(\(aggregate.isDistinct ? "distinct " : "")\(aggregate.arguments.map(text).joined(separator: ", "))\(filter))"
        )
      }
    }
    if let having = plan.having { lines.append("  having \(text(having))") }
    let columns =
      plan.passThrough.map { "\(plan.sources[$0].name).*" }
      ?? plan.columns.map { "\(text($0.expression)) as \($0.name)" }.joined(separator: ", ")
    lines.append("  select \(plan.selection.rawValue) \(plan.distinct ? "distinct " : "")\(columns)")
    if !plan.orderBy.isEmpty {
      lines.append("  order by " + plan.orderBy.map { text($0.expression) + ($0.descending ? " desc" : "") }.joined(separator: ", "))
    }
    if let limit = plan.limit { lines.append("  limit \(limit.count.map(text) ?? "all") offset \(limit.offset.map(text) ?? "0")") }
    if let rate = plan.outputRate { lines.append("  output \(rate.kind.rawValue)") }
    if let insert = plan.insertInto { lines.append("  insert \(insert.selection.rawValue) into \(insert.target.name)") }
    return lines
  }

  private static func source(_ source: SourcePlan) -> String {
    let kind =
      switch source.kind {
      case .stream(let type, let filter): type.name + (filter.map { "(\($0.text([type], [type.name])))" } ?? "")
      case .pattern: "pattern"
      case .window(let name, let filter): "window \(name)" + (filter.map { "(\($0.text([source.type], [name])))" } ?? "")
      case .table(let name): "table \(name)"
      }
    return kind + views(source.views) + (source.name.isEmpty ? "" : " as \(source.name)")
      + (source.isUnidirectional ? " unidirectional" : "")
  }

  private static func views(_ views: [ViewPlan]) -> String { views.map { " window \("\($0)".prefix { $0 != "(" })" }.joined() }
}

extension Expression {
  /// The expression as text, with properties by name.
  func text(_ types: [EventType], _ names: [String]) -> String {
    func t(_ e: Expression) -> String { e.text(types, names) }
    func list(_ parts: [Expression], _ separator: String) -> String { parts.map(t).joined(separator: separator) }
    switch node {
    case .constant(let value):
      if case .string(let text) = value { return "'\(text)'" }
      return value.text ?? "null"
    case .column(let stream, let property):
      guard stream >= 0, stream < types.count, property < types[stream].properties.count else { return "context.\(property)" }
      return (types.count > 1 ? names[stream] + "." : "") + types[stream].properties[property].name
    case .event(let stream): return stream >= 0 && stream < names.count ? names[stream] + ".*" : "context"
    case .nested(let row, let property): return t(row) + "." + (row.type.eventType?.properties[property].name ?? "\(property)")
    case .variable(let name): return name
    case .arithmetic(let op, let a, let b): return "(\(t(a)) \(op.rawValue) \(t(b)))"
    case .compare(let op, let a, let b): return "\(t(a)) \(op.rawValue) \(t(b))"
    case .and(let parts): return "(" + list(parts, " and ") + ")"
    case .or(let parts): return "(" + list(parts, " or ") + ")"
    case .not(let e): return "not \(t(e))"
    case .like(let e, let pattern, _, let negated): return "\(t(e)) \(negated ? "not " : "")like \(t(pattern))"
    case .member(let e, let list, let negated): return "\(t(e)) \(negated ? "not " : "")in \(list.name)"
    case .aggregate(let number): return "#\(number)"
    case .call(let name, let arguments): return "\(name)(\(list(arguments, ", ")))"
    default:
      let name = "\(node)".prefix { $0 != "(" }
      return "\(name)(\(list(children, ", ")))"
    }
  }
}
