internal import Builtins
internal import EventModel
internal import Plan

/// `timer:interval`, `timer:at`, `timer:schedule`: turns true at a time.
final class TimerState: PatternState {
  private let code: PatternNodeCode
  private var timer: Timer?
  private var slot: Int
  private var begin: Event?
  /// `timer:schedule` with repetitions: the time between two, and how many are left.
  private var interval = Interval(months: 0, milliseconds: 0)
  private var left: Int64 = 1

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ code: PatternNodeCode) {
    self.code = code
    slot = runtime.statement.takeSlot()
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) {
    runtime.frame.events[0] = begin
    let now = runtime.clock.now
    switch code {
    case .interval(let period):
      let due = try period.interval(runtime.frame).after(now)
      if due <= now { return try parent.turnedTrue(self, begin, isQuitted: true) }
      schedule(due, begin)
    case .at(let cron, let compiler):
      if let due = try CronSchedule(cron, compiler, runtime.frame).next(after: now) { schedule(due, begin) }
    case .schedule(let date, let repetitions, let period): try startSchedule(date, repetitions, period, begin)
    default: break
    }
  }

  /// A schedule goes on by itself.
  override var restartsItself: Bool { if case .schedule = code { true } else { false } }

  override func exchange(_ archive: StateArchive) {
    archive.place(&slot)
    archive.event(&begin)
    archive.integer(&interval.months)
    archive.integer(&interval.milliseconds)
    archive.integer(&left)
    archive.timer(&timer) { makeTimer($0, sequence: $1) }
  }

  private func schedule(_ due: Int64, _ begin: Event) {
    self.begin = begin
    timer = makeTimer(due)
  }

  private func makeTimer(_ due: Int64, sequence: UInt64? = nil) -> Timer {
    runtime.clock.schedule(at: due, for: runtime.statement, rank: slot, sequence: sequence) { [unowned self] () throws(EvaluationError) in
      try self.fire(due)
    }
  }

  private func fire(_ due: Int64) throws(EvaluationError) {
    timer = nil
    guard let begin else { return }
    var isLast = left <= 1
    if !isLast {
      // What the clock has passed over is over, and counts.
      let next = max(interval.first(after: runtime.clock.now, from: due), due + 1)
      if left < .max { left -= interval.steps(from: due, to: next) }
      isLast = left <= 0
      if !isLast { timer = makeTimer(next) }
    }
    try parent.turnedTrue(self, begin, isQuitted: isLast)
  }

  private func startSchedule(_ date: Evaluator?, _ repetitions: Evaluator?, _ period: PeriodEvaluator?, _ begin: Event)
    throws(EvaluationError)
  {
    let now = runtime.clock.now
    let date = try date.map { d throws(EvaluationError) in try d(runtime.frame) }?.integer.map { TimeBounds.clamped($0) }
    let interval = try period.map { p throws(EvaluationError) in try p.interval(runtime.frame) }
    guard let interval, let repetitions else {
      // Once: at the date, after the period, or after the period from the date.
      let due = interval.map { $0.after(date ?? now) } ?? date ?? now
      if due > now { schedule(due, begin) }
      return
    }
    guard let times = try repetitions(runtime.frame).integer else { return }
    var first = date ?? interval.after(now)
    let isBounded = times >= 0
    var left = isBounded ? times : .max
    if first <= now {
      let next = interval.first(after: now, from: first)
      if isBounded { left -= interval.steps(from: first, to: next) }
      first = next
    }
    guard left > 0 else { return }
    (self.interval, self.left) = (interval, left)
    schedule(first, begin)
  }

  override func quit() {
    timer?.cancel()
    timer = nil
  }
}
