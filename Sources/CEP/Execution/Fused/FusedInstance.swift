internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// A batch window at work over columns: batches in, and at a batch's end rows of groups (or the events that passed WHERE) through the
/// statement's HAVING, selection and output, as if all events had been kept.
///
/// It gives rows when its timer fires and at no other time, so it may run ahead of other statements over a batch, as far as its timer.
final class FusedInstance: StatementInstance {
  private let plan: FusedPlan
  /// Nil where events are kept.
  private let kernel: BatchGroupKernel?
  /// The events of this batch and of the one before that passed WHERE.
  private var events: [Event] = []
  private var previousEvents: [Event] = []
  /// Events that came alone and wait to be taken in together.
  private var pending: [Event] = []
  private static let pendingLimit = 512
  private let processor: ResultProcessor
  private let output: OutputStage
  /// Nil where rows are made of the kernel's columns.
  private let columns: ColumnOutput?
  private let filters: FusedFilters
  private let clock: Clock
  private var grid: BatchGrid
  private var timer: Timer?
  /// Events of this batch and of the one before, those that WHERE rejects among them.
  private var count = 0
  private var previousCount = 0

  init(_ plan: FusedPlan, _ code: SelectCode, _ statement: StatementRuntime) throws(EvaluationError) {
    self.plan = plan
    let environment = statement.environment
    clock = statement.runtime.clock
    kernel =
      plan.content == .events
      ? nil
      : BatchGroupKernel(plan, seed: statement.runtime.seed) { [unowned environment] in environment.variables[$0]?.value ?? .null }
    let frame = Frame(streams: 1, clock: clock)
    processor = ResultProcessor(code, frame, seed: statement.runtime.seed)
    output = OutputStage(code, frame, statement)
    columns = ColumnOutput(code, statement)
    filters = try FusedFilters(plan.filter, plan.condition, plan.inputType, statement)
    grid = try Self.grid(plan, environment, frame)
    super.init(statement, nil)
  }

  private static func grid(_ plan: FusedPlan, _ environment: Environment, _ frame: Frame) throws(EvaluationError) -> BatchGrid {
    guard case .timeBatch(let period, let reference, _) = plan.window else { throw EvaluationError("no batch window") }
    let compiler = environment.compiler([])
    do throws(DeploymentError) {
      let evaluator = try PeriodEvaluator(period, compiler)
      let start = try compiler.compile(reference)
      do throws(EvaluationError) {
        return BatchGrid(
          interval: try evaluator.interval(frame), reference: try start.map { e throws(EvaluationError) in try e(frame) }?.integer)
      } catch { throw DeploymentError(error.description) }
    } catch { throw EvaluationError(error.description) }
  }

  // MARK: Batches

  /// Work on a batch, whose time is the statement's.
  func timed(_ work: () -> Void) {
    let start = StatementTimes.now()
    work()
    statement.gauge.nanoseconds += StatementTimes.now() - start
  }

  /// Over columns, of which events the statement needs the values; nil where it needs all, or where that is not to be told so.
  ///
  /// Where nothing stands before the window, every event counts as one that has come, but only of those that pass WHERE more is needed.
  /// - Parameter countsAll: whether the statement is told of the other events' times.
  func entryFilter(countsAll: Bool) -> ColumnFilter? {
    filters.entersAll ? (countsAll ? filters.conditionFilter : nil) : filters.entryFilter
  }

  /// The filter that is evaluated with those of other statements: the one before the window, else WHERE.
  var indexedFilter: ColumnFilter? { filters.entersAll ? filters.conditionFilter : filters.entryFilter }

  /// Whether a batch has anything for the statement.
  /// - Parameter rows: those for its ``indexedFilter``.
  func isConcerned(by rows: FilterIndex.Rows?) -> Bool { rows?.selection.count != 0 || filters.entersAll || !pending.isEmpty }

  /// Finds out which rows pass the filters, before rows are taken in.
  func prepare(_ batch: EventBatch, _ rows: FilterIndex.Rows?) throws(EvaluationError) {
    try takePending()
    filters.prepare(batch, rows)
  }

  /// The row of the range that would start the timer, and when it would be due. Nil where it runs already or no row comes in.
  /// - Parameters:
  ///   - values: what the batch's columns have of the range.
  ///   - times: the events' times, where these set the clock.
  func dueIfStarted(_ batch: EventBatch, in range: Range<Int>, _ values: Range<Int>, _ times: [Int64]) -> (row: Int, due: Int64)? {
    guard timer == nil, count == 0, let row = firstEntering(batch, range, values) else { return nil }
    return (row, grid.end(after: times.isEmpty ? clock.now : times[row]))
  }

  private func firstEntering(_ batch: EventBatch, _ range: Range<Int>, _ values: Range<Int>) -> Int? {
    if filters.entersAll { return range.first }
    return filters.entering.first(in: values).map { batch.event(ofValue: $0) }
  }

  /// Takes in the rows of the range, none of which is due after the timer.
  func consume(_ batch: EventBatch, _ range: Range<Int>, _ values: Range<Int>, _ times: [Int64]) {
    guard let first = firstEntering(batch, range, values) else { return }
    if timer == nil, count == 0 {
      let now = clock.now
      if !times.isEmpty { clock.set(times[first]) }
      schedule()
      clock.set(now)
    }
    let entering = filters.entersAll ? range.count : filters.entering.count(in: values)
    count += entering
    statement.gauge.eventsIn += UInt64(entering)
    let passing = filters.passing.rows(in: values)
    if let kernel { return kernel.add(batch, passing) }
    let maker = statement.runtime.maker(for: batch)
    for value in passing {
      let row = batch.event(ofValue: Int(value))
      events.append(maker.event(batch, Int(value), now: times.isEmpty ? clock.now : times[row]))
    }
  }

  /// An event that comes alone. While the timer runs nothing is asked of the statement, so such events are taken in together.
  func accept(_ event: Event) throws(EvaluationError) {
    pending.append(event)
    if timer == nil || pending.count >= Self.pendingLimit { try takePending() }
  }

  private func takePending() throws(EvaluationError) {
    if pending.isEmpty { return }
    let pending = self.pending
    self.pending.removeAll(keepingCapacity: true)
    let batch = statement.environment.layouts.batch(pending, plan.inputType)
    filters.prepare(batch)
    consume(batch, 0..<pending.count, 0..<pending.count, [])
  }

  // MARK: The window

  private func schedule() {
    timer = clock.schedule(at: grid.next(after: clock.now), for: statement) { [unowned self] () throws(EvaluationError) in
      try self.release()
    }
  }

  private func release() throws(EvaluationError) {
    try takePending()
    timer = nil
    let hasRows = count > 0 || previousCount > 0
    (previousCount, count) = (count, 0)
    if hasRows { schedule() }
    guard let kernel else {
      let (new, old) = (events, previousEvents)
      (previousEvents, events) = (new, [])
      if !new.isEmpty || !old.isEmpty { try output.give(try processor.process(new: new.map { Tuple($0) }, old: old.map { Tuple($0) })) }
      return
    }
    let batches = kernel.close()
    if batches.isEmpty || columns?.give(batches) == true { return }
    try output.give(try processor.process(new: tuples(batches), old: []))
  }

  private func tuples(_ batches: [EventBatch]) -> [Tuple] {
    var rows = EventRows()
    for batch in batches { rows.append(batch, time: clock.now) }
    return rows.map { Tuple($0) }
  }

  override func stop() { timer?.cancel() }

  /// The groups of the open batch, which begins anew; of events the first.
  override func shed(_ share: Double) -> Int { kernel?.giveUp() ?? events.takeFirst(StatementShare.of(events.count, share)).count }

  override func exchange(_ archive: StateArchive) {
    grid.exchange(archive)
    archive.integer(&count)
    archive.integer(&previousCount)
    kernel?.exchange(archive)
    archive.events(&events)
    archive.events(&previousEvents)
    archive.events(&pending)
    // Events of the batch before are in its groups until they leave.
    processor.exchange(archive)
    archive.timer(&timer) { time, sequence in
      clock.schedule(at: time, for: statement, sequence: sequence) { [unowned self] () throws(EvaluationError) in try self.release() }
    }
  }

  override func currentRows() throws(EvaluationError) -> [Event] {
    try takePending()
    guard let kernel else { return try output.arrange(try processor.snapshot(events.map { Tuple($0) })) }
    return try output.arrange(try processor.process(new: tuples([kernel.rows()]), old: []).new)
  }
}

/// The filter before a fused statement's window and WHERE behind it, over columns, or row by row where the columns are not for that.
final class FusedFilters {
  /// Rows of the present batch that come to the window.
  let entering = RowSelection()
  /// Those of them that pass WHERE.
  let passing = RowSelection()
  private let filter: FilterPair?
  private let condition: FilterPair?
  private unowned let statement: StatementRuntime
  private let frame: Frame

  private struct FilterPair {
    let columns: ColumnFilter?
    let evaluator: Evaluator
  }

  init(_ filter: Expression?, _ condition: Expression?, _ type: EventType, _ statement: StatementRuntime) throws(EvaluationError) {
    self.statement = statement
    frame = Frame(streams: 1, clock: statement.runtime.clock)
    let environment = statement.environment
    func pair(_ expression: Expression?) throws(EvaluationError) -> FilterPair? {
      guard let expression else { return nil }
      do throws(DeploymentError) {
        return FilterPair(
          columns: environment.columnFilter(expression), evaluator: try environment.compiler([type]).compile(expression))
      } catch { throw EvaluationError(error.description) }
    }
    self.filter = try pair(filter)
    self.condition = try pair(condition)
  }

  var entryFilter: ColumnFilter? { filter?.columns }
  var conditionFilter: ColumnFilter? { condition?.columns }
  /// Whether nothing stands before the window.
  var entersAll: Bool { filter == nil }

  /// - Parameter known: the rows for the first of them that is one for columns, where these are known.
  func prepare(_ batch: EventBatch, _ known: FilterIndex.Rows? = nil) {
    entering.fill(0..<batch.valueCount)
    apply(filter, to: entering, batch, filter == nil ? nil : known)
    passing.copy(entering)
    apply(condition, to: passing, batch, filter == nil ? known : nil)
  }

  private func apply(_ filter: FilterPair?, to rows: RowSelection, _ batch: EventBatch, _ known: FilterIndex.Rows?) {
    guard let filter else { return }
    if let known {
      rows.copy(known.selection)
      if known.isExact { return }
    }
    if let columns = filter.columns, columns.apply(to: rows, of: batch) { return }
    let maker = EventMaker(batch, statement.runtime)
    rows.keep { row in
      frame.events[0] = maker.event(batch, row, now: frame.clock.now)
      var passes = false
      statement.runtime.attempt(statement) { () throws(EvaluationError) in passes = try filter.evaluator(frame).isTrue }
      return passes
    }
  }
}
