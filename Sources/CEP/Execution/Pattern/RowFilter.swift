internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// A condition over columns, or row by row where the columns are not for that.
final class RowFilter {
  private let columns: ColumnFilter?
  private let evaluator: Evaluator
  private unowned let statement: StatementRuntime
  private let frame: Frame

  /// Nil for no condition.
  init?(_ expression: Expression?, _ type: EventType, _ statement: StatementRuntime) throws(EvaluationError) {
    guard let expression else { return nil }
    self.statement = statement
    frame = Frame(streams: 1, clock: statement.runtime.clock)
    let environment = statement.environment
    columns = environment.columnFilter(expression)
    evaluator = try statement.runtime.lifted { () throws(DeploymentError) in try environment.compiler([type]).compile(expression) }
  }

  func apply(to rows: RowSelection, of batch: EventBatch) {
    if let columns, columns.apply(to: rows, of: batch) { return }
    let maker = EventMaker(batch, statement.runtime)
    rows.keep { row in
      frame.events[0] = maker.event(batch, row, now: frame.clock.now)
      var passes = false
      statement.runtime.attempt(statement) { () throws(EvaluationError) in passes = try evaluator(frame).isTrue }
      return passes
    }
  }
}
