internal import Builtins
internal import EventModel
internal import Plan

/// A deployed statement: its place in the order, its rows of the current pass, its instances (one, or one per context partition).
final class StatementRuntime {
  let order: Int
  let plan: StatementPlan
  let priority: Int
  let drops: Bool
  unowned let runtime: Runtime
  let environment: Environment
  /// Whether the current event got past a filter, for `@Drop`.
  var wasTouched = false
  private var newRows = EventRows()
  private var oldRows = EventRows()
  private(set) var isPending = false
  /// Instances with something to do when the pass ends (joins).
  private var unfinished: [StatementInstance] = []
  var gauge = StatementGauge()
  /// Makes the statement's instance for a partition.
  var makeInstance: ((Partition?) throws(EvaluationError) -> StatementInstance)?
  /// The only instance of a statement without context.
  var instance: StatementInstance?
  var partitions: ContextRuntime?

  init(order: Int, plan: StatementPlan, runtime: Runtime, environment: Environment) {
    self.order = order
    self.plan = plan
    priority = plan.priority
    drops = plan.drops
    self.runtime = runtime
    self.environment = environment
  }

  private var nextSlot = 0

  /// Numbers for what schedules timers, in order of creation.
  func takeSlot() -> Int {
    nextSlot &+= 1
    return nextSlot
  }

  /// Rows for the listener; those of one pass are told in one call.
  func output(new: [Event], old: [Event]) {
    newRows.append(new)
    oldRows.append(old)
    notePending()
  }

  /// Rows as columns, each with all properties of the statement's rows.
  func output(_ batches: [EventBatch]) {
    for batch in batches { newRows.append(batch, time: runtime.now) }
    notePending()
  }

  private func notePending() {
    if isPending { return }
    isPending = true
    runtime.notePending(self)
  }

  func giveOut() {
    let (new, old) = (newRows, oldRows)
    forgetRows()
    gauge.rowsOut += UInt64(new.count + old.count)
    runtime.onOutput(StatementOutput(statement: order, time: runtime.now, new: new, old: old))
  }

  /// The context that the statement runs under.
  var context: ContextRuntime? { plan.context.flatMap { environment.contexts[$0] } }

  /// What the statement keeps, with what it has declared for others.
  func exchange(_ archive: StateArchive) {
    switch plan.kind {
    case .createContext(let context): environment.contexts[context.name]?.exchange(archive)
    case .createSchema, .createExpression, .createList: break
    case .createVariable, .createWindow, .createTable, .select, .on, .updateStream:
      if let partitions { partitions.exchange(self, archive) } else { instance?.exchange(archive) }
    }
    // Last, for what is made while restoring takes numbers too.
    archive.integer(&nextSlot)
    // Rows that were made while the statement was deployed have been given before.
    if archive.isRestoring { forgetRows() }
  }

  private func forgetRows() {
    newRows = EventRows()
    oldRows = EventRows()
    isPending = false
  }

  func finishLater(_ instance: StatementInstance) { unfinished.append(instance) }

  /// All sources have seen the pass: joins are made now.
  func endPass() throws(EvaluationError) {
    if unfinished.isEmpty { return }
    let instances = unfinished
    unfinished.removeAll(keepingCapacity: true)
    for instance in instances { try instance.endPass() }
  }

  func abandonPass() {
    let instances = unfinished
    unfinished.removeAll(keepingCapacity: true)
    for instance in instances { instance.abandonPass() }
  }
}

/// A statement at work: for itself, or for one partition of its context.
class StatementInstance {
  unowned let statement: StatementRuntime
  let partition: Partition?

  init(_ statement: StatementRuntime, _ partition: Partition?) {
    self.statement = statement
    self.partition = partition
  }

  func start() throws(EvaluationError) {}
  func endPass() throws(EvaluationError) {}
  func abandonPass() {}
  /// The partition ends: what is to be given out at the end is given out.
  func terminate() throws(EvaluationError) {}
  /// Cancels timers and leaves the streams.
  func stop() {}
  /// The current rows, for a pull.
  func currentRows() throws(EvaluationError) -> [Event] { [] }
  /// When the last of what it waits for without a timer is given up, which gives no row.
  var lastDue: Int64? { nil }
  /// The clock is about to be set back: what is due now has been due.
  func clockGoesBack() {}
  /// Gives up about a share of what it keeps, the oldest first; how many entries.
  func shed(_ share: Double) throws(EvaluationError) -> Int { 0 }
  /// Names what it keeps, in order: to be saved, restored (into an instance that may have been started or not) or measured.
  func exchange(_ archive: StateArchive) { archive.fail("a statement run in this way cannot be saved") }
}
