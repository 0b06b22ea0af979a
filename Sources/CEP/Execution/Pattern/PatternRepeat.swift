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
