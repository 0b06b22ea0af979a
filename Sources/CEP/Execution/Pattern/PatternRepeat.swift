internal import Builtins
internal import EventModel
internal import Plan

/// `[low:high] part until end`.
final class RepeatState: PatternState {
  private let inner: PatternNodeCode
  private let low: Evaluator?
  private let high: Evaluator?
  private let untilCode: PatternNodeCode?
  private let tags: [Int]
  private var begin: Event?
  private var part: PatternState?
  private var until: PatternState?
  private var lowest: Int64?
  private var highest: Int64?
  private var count: Int64 = 0
  private var collected: [[Value]]
  private var isDone = false

  init(
    _ runtime: PatternRuntime, _ parent: PatternParent, _ inner: PatternNodeCode, _ low: Evaluator?, _ high: Evaluator?,
    _ until: PatternNodeCode?, _ tags: [Int]
  ) {
    self.inner = inner
    self.low = low
    self.high = high
    untilCode = until
    self.tags = tags
    collected = Array(repeating: [], count: tags.count)
    super.init(runtime, parent)
  }

  override var keepsFilters: Bool { true }

  /// `[n]` without an end.
  private var isExact: Bool { untilCode == nil }

  override func start(_ begin: Event) throws(EvaluationError) {
    self.begin = begin
    if let low { lowest = try runtime.evaluate(low, begin).integer }
    if let high { highest = try runtime.evaluate(high, begin).integer }
    if isExact, lowest ?? 0 <= 0 { return try parent.turnedTrue(self, consolidated(begin), isQuitted: true) }
    // The end is asked first: an event that is both ends the repeat and is not part of it.
    if let untilCode {
      let until = runtime.make(untilCode, self)
      self.until = until
      try until.start(begin)
      if isDone { return }
    }
    let part = runtime.make(inner, self)
    self.part = part
    try part.start(begin)
  }

  override func quit() {
    isDone = true
    part?.quit()
    until?.quit()
    part = nil
    until = nil
  }

  override func discard(_ test: (Event) -> Bool) {
    part?.discard(test)
    until?.discard(test)
  }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = 0
    for index in collected.indices {
      let old = StatementShare.of(collected[index].count, share)
      collected[index].removeFirst(old)
      count += old
    }
    return count + (try part?.shed(share) ?? 0) + (try until?.shed(share) ?? 0)
  }

  override func exchange(_ archive: StateArchive) {
    archive.event(&begin)
    archive.integer(&lowest)
    archive.integer(&highest)
    archive.integer(&count)
    archive.array(&collected, blank: []) { archive.entryValues(&$0) }
    if collected.count != tags.count { archive.fail("a repeat of other tags") }
    archive.flag(&isDone)
    runtime.exchange(&part, inner, self, archive)
    if let untilCode { runtime.exchange(&until, untilCode, self, archive) }
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    if child === part {
      count += 1
      for (index, tag) in tags.enumerated() where !match[tag].isNull { collected[index].append(match[tag]) }
      if isQuitted { part = nil }
      if isExact, count == lowest {
        quit()
        return try parent.turnedTrue(self, consolidated(match), isQuitted: true)
      }
      let goesOn = highest.map { $0 > count } ?? true
      if part == nil, goesOn, let begin {
        let next = runtime.make(inner, self)
        part = next
        try next.start(begin)
      } else if !goesOn {
        part?.quit()
        part = nil
      }
    } else if child === until {
      quit()
      if let lowest, count < lowest { return try parent.turnedFalse(self) }
      try parent.turnedTrue(self, consolidated(match), isQuitted: true)
    }
  }

  private func consolidated(_ match: Event) -> Event {
    match.replacing(tags.enumerated().map { (slot: $1, value: collected[$0].isEmpty ? .null : .array(collected[$0])) })
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    child.quit()
    if child === part { part = nil } else { until = nil }
    quit()
    try parent.turnedFalse(self)
  }
}

/// `where timer:within(…)`, `timer:withinmax(…)`, `while (…)`.
final class GuardState: PatternState {
  private let inner: PatternNodeCode
  private let condition: PatternNodeCode.Guard
  private var child: PatternState?
  private var timer: Timer?
  private var slot: Int
  private var maximum: Int64?
  private var count: Int64 = 0

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ inner: PatternNodeCode, _ condition: PatternNodeCode.Guard) {
    self.inner = inner
    self.condition = condition
    slot = runtime.statement.takeSlot()
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) {
    let child = runtime.make(inner, self)
    self.child = child
    if case .within(let period, let max) = condition {
      runtime.frame.events[0] = begin
      let due = try period.interval(runtime.frame).after(runtime.clock.now)
      maximum = try max.map { m throws(EvaluationError) in try m(runtime.frame) }?.integer
      timer = runtime.clock.schedule(at: due, for: runtime.statement, rank: slot) { [unowned self] () throws(EvaluationError) in
        try self.expire()
      }
    }
    try child.start(begin)
  }

  private func expire() throws(EvaluationError) {
    timer?.cancel()
    timer = nil
    child?.quit()
    child = nil
    try parent.turnedFalse(self)
  }

  override func quit() {
    timer?.cancel()
    timer = nil
    child?.quit()
    child = nil
  }

  override func discard(_ test: (Event) -> Bool) { child?.discard(test) }

  override func shed(_ share: Double) throws(EvaluationError) -> Int { try child?.shed(share) ?? 0 }

  override func exchange(_ archive: StateArchive) {
    archive.place(&slot)
    archive.integer(&maximum)
    archive.integer(&count)
    runtime.exchange(&child, inner, self, archive)
    archive.timer(&timer) { time, sequence in
      runtime.clock.schedule(at: time, for: runtime.statement, rank: slot, sequence: sequence) {
        [unowned self] () throws(EvaluationError) in
        try self.expire()
      }
    }
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    if case .whileTrue(let evaluator) = condition, !(try runtime.evaluate(evaluator, match).isTrue) { return try expire() }
    if let maximum {
      if count >= maximum { return }
      count += 1
    }
    if isQuitted {
      timer?.cancel()
      timer = nil
      self.child = nil
    }
    try parent.turnedTrue(self, match, isQuitted: isQuitted)
    if let maximum, count >= maximum, self.child != nil { try expire() }
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    timer?.cancel()
    timer = nil
    self.child = nil
    try parent.turnedFalse(self)
  }
}

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
