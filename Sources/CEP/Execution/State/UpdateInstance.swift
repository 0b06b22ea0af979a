internal import Builtins
internal import EventModel
internal import Plan

/// `update istream` at work: what it makes of an event before the other statements see it.
final class UpdateInstance: StatementInstance {
  private let filter: Evaluator?
  private let assignments: AssignmentCode
  private let frame: Frame
  var subqueries: [SubqueryInstance] { frame.subqueries }

  init(_ statement: StatementRuntime, _ filter: Evaluator?, _ assignments: AssignmentCode, _ subqueries: [SubqueryCode])
    throws(EvaluationError)
  {
    self.filter = filter
    self.assignments = assignments
    frame = Frame(streams: 1, clock: statement.runtime.clock)
    super.init(statement, nil)
    for code in subqueries { frame.subqueries.append(try SubqueryInstance(code, frame, statement)) }
  }

  override func start() throws(EvaluationError) { for subquery in frame.subqueries { try subquery.start() } }
  override func stop() { for subquery in frame.subqueries { subquery.stop() } }
  override func exchange(_ archive: StateArchive) { for subquery in frame.subqueries { subquery.exchange(archive) } }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = 0
    for subquery in frame.subqueries { count += try subquery.shed(share) }
    return count
  }

  /// A listener is told of both.
  func updated(_ event: Event) throws(EvaluationError) -> Event {
    frame.events[0] = event
    if let filter, !(try filter(frame).isTrue) { return event }
    let changed = try assignments.updated(event, frame)
    statement.output(new: [changed], old: [event])
    return changed
  }
}
