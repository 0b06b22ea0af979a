internal import Builtins
internal import EventModel
internal import Plan

/// `output …`: holds rows back until its condition is met.
final class RateLimiter {
  private let plan: OutputRatePlan
  private unowned let instance: SelectInstance
  private let condition: RateCondition
  private let after: AfterCondition
  /// Changes held back.
  private var changes: [Change] = []
  /// For `first` without groups: whether the first of the present interval was given.
  private var gaveFirst = false
  private let isFirstPerGroup: Bool
  /// Without aggregates, what comes before `after` is gone for good.
  private let isPlain: Bool
  private var groupConditions: [[Value]: GroupRate] = [:]
  private var forgetsAt = 1024
  private var groupNumber: UInt64 = 0
  private var countOfGroup: Int64 { condition.count }
  private var terminatedFilter: Evaluator?

  struct Change {
    let new: [Tuple]
    let old: [Tuple]
  }

  init(_ plan: OutputRatePlan, _ instance: SelectInstance) throws(EvaluationError) {
    self.plan = plan
    self.instance = instance
    let form = instance.code.plan.grouping.form
    isFirstPerGroup = plan.kind == .first && (form == .rowPerGroup || form == .groupedRowPerEvent || form == .rollup)
    isPlain = form == .rowPerEvent
    condition = try RateCondition(plan, instance)
    after = try AfterCondition(plan, instance)
    if let filter = plan.terminatedFilter { terminatedFilter = try condition.compile(filter) }
    condition.onMet = { [unowned self] (force) throws(EvaluationError) in try self.release(force: force) }
  }

  func start() throws(EvaluationError) { after.start() }
  func stop() { condition.stop() }

  var holdsRows: Bool { !changes.isEmpty }

  /// Of held rows the first; of groups those that came first, which may then be given anew.
  func shed(_ share: Double) -> Int {
    let count = StatementShare.of(changes.count, share)
    changes.removeFirst(count)
    let groups = groupConditions.sorted { $0.value.number < $1.value.number }.prefix(StatementShare.of(groupConditions.count, share))
    for (key, _) in groups { groupConditions[key] = nil }
    return count + groups.count
  }

  func exchange(_ archive: StateArchive) {
    if archive.isComparing { return archive.fail("rows are given at a rate") }
    archive.array(&changes, blank: Change(new: [], old: [])) { change in
      var (new, old) = (change.new, change.old)
      archive.tuples(&new)
      archive.tuples(&old)
      if archive.isRestoring { change = Change(new: new, old: old) }
    }
    archive.flag(&gaveFirst)
    archive.table(&groupConditions, blank: GroupRate()) { rate in
      archive.flag(&rate.isFirst)
      archive.integer(&rate.new)
      archive.integer(&rate.old)
      archive.integer(&rate.last)
      archive.word(&rate.number)
    }
    archive.word(&groupNumber)
    condition.exchange(archive)
    after.exchange(archive)
  }

  /// The context partition ends.
  func terminate() throws(EvaluationError) {
    guard plan.whenTerminated else { return }
    if let terminatedFilter, !(try terminatedFilter(instance.frame).isTrue) { return }
    try condition.assign(plan.terminatedThen)
    try release(force: plan.kind == .snapshot)
  }

  func process(new: [Tuple], old: [Tuple]) throws(EvaluationError) {
    if new.isEmpty, old.isEmpty { return }
    if isUnconditional {
      let rows = try instance.processor.process(new: new, old: old)
      if after.isOpen(new.count) { try instance.output.give(rows) }
      return
    }
    let isOpen = after.isOpen(new.count)
    let change = Change(new: new, old: old)
    switch plan.kind {
    case .snapshot: _ = try instance.processor.process(new: new, old: old)
    case .first where isFirstPerGroup:
      let period = try condition.period
      let rows = try instance.processor.firstOfGroups([change]) { key, isNew in isOpen && self.passes(key, isNew: isNew, period) }
      return try instance.output.give(rows)
    case .first:
      let rows = try instance.processor.process(new: new, old: old)
      if isOpen, !gaveFirst, instance.output.hasSelected(rows) {
        gaveFirst = true
        try instance.output.give(rows)
      }
    default: if isOpen || !isPlain { changes.append(change) }
    }
    // What comes before `after` may be held with the rest, but does not start the condition.
    if isOpen { try condition.note(new: new.count, old: old.count) }
  }

  /// `output after …` alone.
  private var isUnconditional: Bool {
    if case .never = plan.condition { return !plan.whenTerminated }
    return false
  }

  private func release(force: Bool) throws(EvaluationError) {
    let held = changes
    changes.removeAll()
    defer { instance.forgetLeft() }
    switch plan.kind {
    case .snapshot:
      try instance.output.give(Rows(new: try instance.snapshotRows()), force: force)
    case .first: gaveFirst = false
    case .last: try instance.output.give(try instance.processor.last(of: held), force: force)
    case .all: try instance.output.give(try instance.processor.all(of: held), force: force)
    case .unspecified: try instance.output.give(try instance.processor.each(of: held), force: force)
    }
  }

  /// Whether an event may be the first of its group's interval.
  private func passes(_ key: [Value], isNew: Bool, _ period: Interval?) -> Bool {
    var rate = groupConditions[key] ?? newRate()
    let passes: Bool
    if let period {
      let now = instance.frame.clock.now
      forgetQuietGroups(period, now)
      passes = rate.last.map { period.after($0) <= now } ?? true
      if passes { rate.last = now }
    } else {
      if isNew { rate.new += 1 } else { rate.old += 1 }
      passes = rate.isFirst || rate.new >= countOfGroup || rate.old >= countOfGroup
      if passes { rate = GroupRate(isFirst: false, number: rate.number) }
    }
    groupConditions[key] = rate
    return passes
  }

  /// A group whose period is over is as good as one that never was.
  private func forgetQuietGroups(_ period: Interval, _ now: Int64) {
    guard groupConditions.count >= forgetsAt else { return }
    groupConditions = groupConditions.filter { _, rate in rate.last.map { period.after($0) > now } ?? false }
    forgetsAt = max(1024, groupConditions.count * 2)
  }

  private func newRate() -> GroupRate {
    groupNumber &+= 1
    return GroupRate(number: groupNumber)
  }

  private struct GroupRate {
    var isFirst = true
    var new: Int64 = 0
    var old: Int64 = 0
    var last: Int64?
    /// In order of first appearance.
    var number: UInt64 = 0
  }
}
