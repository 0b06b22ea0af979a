internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// Aggregates over a sliding window of time at work over columns: batches in, ahead of their events' turns; and at the turn of an event that
/// HAVING may let pass, the event and its aggregates through the statement's HAVING, selection and output.
///
/// The state goes by the clock and the statement's own events alone, so nobody sees that it is ahead. The clock must not go back within
/// a batch.
final class SlidingInstance: StatementInstance {
  private let plan: SlidingPlan
  private let kernel: SlidingGroupKernel
  private let processor: ResultProcessor
  private let output: OutputStage
  private let filters: FusedFilters
  private let clock: Clock
  private let interval: Interval
  /// Where the properties that rows hold stand in events.
  private let slots: [Int]
  /// Which of the present batch's values may give rows.
  let candidates = RowSelection()
  /// How many of them have not had their turns.
  private var waiting = 0

  init(_ plan: SlidingPlan, _ code: SelectCode, _ statement: StatementRuntime) throws(EvaluationError) {
    self.plan = plan
    let environment = statement.environment
    clock = statement.runtime.clock
    kernel = SlidingGroupKernel(plan, seed: statement.runtime.seed) { [unowned environment] in environment.variables[$0]?.value ?? .null }
    let frame = Frame(streams: 1, clock: clock)
    processor = ResultProcessor(code, frame, seed: statement.runtime.seed)
    output = OutputStage(code, frame, statement)
    filters = try FusedFilters(plan.filter, nil, plan.inputType, statement)
    interval = try statement.runtime.lifted { () throws(DeploymentError) in
      try PeriodEvaluator(plan.period, environment.compiler([])).fixed(frame)
    }
    slots = plan.properties.map { environment.layouts.slot(plan.inputType, $0) }
    super.init(statement, nil)
  }

  /// Takes a batch in whose events are to come one by one, and says which of them may give rows.
  /// - Parameter times: the events' times, where these set the clock.
  func scan(_ batch: EventBatch, _ times: [Int64]) -> RowSelection {
    let start = StatementTimes.now()
    defer { statement.gauge.nanoseconds += StatementTimes.now() - start }
    filters.prepare(batch)
    // The first event of all sets the clock, also back.
    var now = statement.runtime.hasStarted ? clock.now : times.first ?? clock.now
    statement.gauge.eventsIn += UInt64(filters.passing.count)
    kernel.add(batch, filters.passing.buffer, candidates: candidates, due: interval.after) { value in
      if !times.isEmpty { now = max(now, times[batch.event(ofValue: value)]) }
      return now
    }
    waiting = candidates.count
    return candidates
  }

  /// An event that may give a row, of a batch that was taken in; or any event, which comes alone.
  func accept(_ event: Event) throws(EvaluationError) {
    if waiting == 0 { _ = scan(statement.environment.layouts.batch([event], plan.inputType), []) }
    if waiting == 0 { return }
    waiting -= 1
    let row = Event.make(plan.rowType, time: clock.now, slots.map { event[$0] } + kernel.nextAggregates())
    try output.give(try processor.process(new: [Tuple(row)], old: []))
  }

  /// What is due by now is gone, and does not come back with the clock.
  override func clockGoesBack() { settle() }
  private func settle() { kernel.leave(upTo: clock.now) }

  override func shed(_ share: Double) -> Int {
    settle()
    let count = StatementShare.of(kernel.eventCount, share)
    kernel.leaveFirst(count)
    return count
  }

  override func exchange(_ archive: StateArchive) {
    if !archive.isRestoring { settle() }
    kernel.exchange(archive)
    processor.exchange(archive)
  }
}
