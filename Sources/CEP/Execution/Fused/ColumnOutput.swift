internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// HAVING, the selected columns and INSERT INTO over the columns that a kernel gives, of which no row is made: for statements that ask for
/// no more than that of a row.
final class ColumnOutput {
  /// Where a selected column comes from.
  private enum Source {
    case column(Int)
    case constant(Value)
    case variable(Variable)
  }

  private let having: ColumnFilter?
  private let sources: [Source]
  private let code: SelectCode
  private unowned let statement: StatementRuntime
  private let rows = RowSelection()

  /// Nil where rows are needed.
  /// - Parameter code: what is left of the statement behind its kernel.
  init?(_ code: SelectCode, _ statement: StatementRuntime) {
    let plan = code.plan
    let environment = statement.environment
    guard plan.selection == .insert, plan.orderBy.isEmpty, plan.limit == nil, !plan.distinct, plan.passThrough == nil,
      plan.outputType.properties.count == plan.columns.count, code.insertion?.takesColumns ?? true
    else { return nil }
    let sources = plan.columns.compactMap { Self.source($0.expression, environment) }
    guard sources.count == plan.columns.count else { return nil }
    if let having = plan.having {
      // It is asked at the batch's end, of all rows at once: variables have the values of then.
      guard let filter = ColumnFilter(having, variables: { [unowned environment] in environment.variables[$0]?.value ?? .null })
      else { return nil }
      self.having = filter
    } else {
      having = nil
    }
    self.sources = sources
    self.code = code
    self.statement = statement
  }

  private static func source(_ expression: Expression, _ environment: Environment) -> Source? {
    switch expression.node {
    case .column(stream: 0, let property): .column(property)
    case .constant(let value): .constant(value)
    case .variable(let name): environment.variables[name]?.only.map { .variable($0) }
    default: nil
    }
  }

  /// Gives a change's rows; false, and nothing is given, where HAVING is not for the columns' shapes.
  func give(_ batches: [EventBatch]) -> Bool {
    var selected: [EventBatch] = []
    for batch in batches {
      rows.fill(0..<batch.count)
      if let having, !having.apply(to: rows, of: batch) { return false }
      if rows.count > 0 { selected.append(select(batch)) }
    }
    if selected.isEmpty { return true }
    if let insertion = code.insertion, insertion.givesNew {
      for batch in selected { statement.runtime.insert(insertion.batch(batch)) }
    }
    statement.wasTouched = true
    statement.output(selected)
    return true
  }

  /// The selected columns of the rows that are left.
  private func select(_ batch: EventBatch) -> EventBatch {
    let chosen = rows.count < batch.count ? Array(rows.buffer) : nil
    let columns = sources.map { source in
      switch source {
      case .column(let property): chosen.map { batch.columns[property].gathering($0) } ?? batch.columns[property]
      case .constant(let value): Column.typed(Array(repeating: value, count: rows.count))
      case .variable(let variable): Column.typed(Array(repeating: variable.value, count: rows.count))
      }
    }
    return EventBatch(type: code.plan.outputType, count: rows.count, properties: Array(columns.indices), columns: columns)
  }
}
