internal import Builtins
internal import EventModel
internal import Plan

/// Partitions that begin and end: one at a time, or overlapping.
final class TimedNode: ContextNode {
  private final class Open {
    let branch: ContextBranch
    let keys: [Value]
    var timer: Timer?
    var pattern: PatternRuntime?
    var hasEnded = false
    init(_ branch: ContextBranch, keys: [Value]) {
      self.branch = branch
      self.keys = keys
    }
  }
  private var open: [Open] = []
  /// The keys of those that are open, where no two may be alike.
  private var keys: Set<[Value]> = []
  private var startPattern: PatternRuntime?
  private var startTimer: Timer?
  private var hasEnded = false

  private var conditions:
    (start: ContextLevelCode.Condition, now: Bool, end: ContextLevelCode.Condition, overlaps: Bool, distinct: [Evaluator])?
  {
    if case .timed(let start, let now, let end, let overlaps, let distinct) = level.kind { return (start, now, end, overlaps, distinct) }
    return nil
  }

  override func start() throws(EvaluationError) {
    guard let conditions else { return }
    if conditions.now {
      try begin([:])
      if !conditions.overlaps { return }
    }
    try awaitStart()
  }

  private func awaitStart() throws(EvaluationError) {
    guard let conditions, !hasEnded else { return }
    let clock = frame.clock
    switch conditions.start {
    case .pattern(let code, let tags):
      let pattern = startPattern(code, tags)
      startPattern = pattern
      try pattern.start()
    case .crontab(let cron):
      guard let due = try CronSchedule(cron, level.compiler, frame).next(after: clock.now) else { return }
      startTimer = startTimer(at: due)
    case .after(let period):
      let due = try period.interval(frame).after(clock.now)
      startTimer = startTimer(at: due)
    case .filter, .never: break
    }
  }

  private func startPattern(_ code: PatternCode, _ tags: [Int?]) -> PatternRuntime {
    PatternRuntime(code, context.statement, frame) { [unowned self] (match) throws(EvaluationError) in
      try self.begin(self.named(match, tags))
    }
  }

  private func startTimer(at time: Int64, sequence: UInt64? = nil) -> Timer {
    frame.clock.schedule(at: time, for: context.statement, sequence: sequence) { [unowned self] () throws(EvaluationError) in
      try self.begin([:])
      if self.conditions?.overlaps ?? false { try self.awaitStart() }
    }
  }

  private func endTimer(of opened: Open, at time: Int64, sequence: UInt64? = nil) -> Timer {
    frame.clock.schedule(at: time, for: context.statement, sequence: sequence) {
      [unowned self, unowned opened] () throws(EvaluationError) in
      try self.close(opened)
    }
  }

  private func endPattern(of opened: Open, _ code: PatternCode) -> PatternRuntime {
    let endFrame = frame.sibling(streams: 1)
    endFrame.context = opened.branch.properties
    return PatternRuntime(code, context.statement, endFrame) { [unowned self, unowned opened] (_) throws(EvaluationError) in
      try self.close(opened)
    }
  }

  private func named(_ match: Event, _ tags: [Int?]) -> [String: Value] {
    var values: [String: Value] = [:]
    for (index, tag) in tags.enumerated() { if let tag { values[level.plan.type.properties[tag].name] = match[index] } }
    return values
  }

  private func begin(_ tags: [String: Value]) throws(EvaluationError) {
    guard let conditions else { return }
    var values = tags
    values["startTime"] = .int(frame.clock.now)
    let endFrame = frame.sibling(streams: 1)
    var due: Int64?
    switch conditions.end {
    case .after(let period): due = try period.interval(endFrame).after(frame.clock.now)
    case .crontab(let cron): due = try CronSchedule(cron, level.compiler, endFrame).next(after: frame.clock.now)
    default: break
    }
    if let due { values["endTime"] = .int(due) }
    let made = properties(values)
    frame.context = made
    let keys = try evaluateAll(conditions.distinct, frame)
    frame.context = nil
    if !conditions.distinct.isEmpty, self.keys.contains(keys) { return }
    if !conditions.overlaps {
      startPattern?.stop()
      startTimer?.cancel()
    }
    let opened = Open(try branch(made), keys: keys)
    open.append(opened)
    self.keys.insert(keys)
    if let due {
      opened.timer = endTimer(of: opened, at: due)
    }
    if case .pattern(let code, _) = conditions.end {
      let pattern = endPattern(of: opened, code)
      opened.pattern = pattern
      try pattern.start()
    }
  }

  private func close(_ closing: Open) throws(EvaluationError) {
    guard let index = open.firstIndex(where: { $0 === closing }) else { return }
    open.remove(at: index)
    keys.remove(closing.keys)
    closing.hasEnded = true
    closing.timer?.cancel()
    closing.pattern?.stop()
    try closing.branch.end()
    guard let conditions, !conditions.overlaps, !hasEnded else { return }
    if conditions.now { try begin([:]) } else { try awaitStart() }
  }

  /// Ends before it begins: a partition does not see the event that begins it as its end.
  override func observe(_ event: Event) throws(EvaluationError) {
    guard let conditions else { return }
    let hadOpen = !open.isEmpty
    for opened in isTold ? open : [] {
      if case .filter(let type, let filter, _) = conditions.end, event.type === type {
        frame.context = opened.branch.properties
        let ends = try passes(filter, event)
        frame.context = nil
        if ends { try close(opened) }
      }
      try opened.pattern?.accept(event)
      if !opened.hasEnded { try opened.branch.observe(event) }
    }
    if !conditions.overlaps, hadOpen { return }
    if case .filter(let type, let filter, let tag) = conditions.start, event.type === type, try passes(filter, event) {
      try begin(tag.map { [level.plan.type.properties[$0].name: .event(event)] } ?? [:])
      try open.last?.branch.observe(event)
    }
    try startPattern?.accept(event)
  }

  /// Whether what is open wants to see events: to end by one, or for what lies within.
  private lazy var isTold: Bool =
    switch conditions?.end {
    case .filter, .pattern: true
    default: depth + 1 < context.levels.count
    }

  override func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    for opened in open { try opened.branch.collect(event, opening: opening, into: &found) }
  }

  /// Closed, it is as new where nothing but an event opens it.
  override var idlePartitions: [Partition]? {
    open.isEmpty && startPattern == nil && startTimer == nil && !hasEnded ? [] : nil
  }
  override var partitions: [Partition] { open.flatMap(\.branch.partitions) }

  override func shed(_ share: Double) -> [Partition] {
    let count = StatementShare.of(open.count, share)
    guard let conditions, conditions.overlaps, count > 0 else { return open.flatMap { $0.branch.shed(share) } }
    var gone: [Partition] = []
    for opened in open.prefix(count) {
      opened.timer?.cancel()
      opened.pattern?.stop()
      opened.branch.halt()
      keys.remove(opened.keys)
      gone += opened.branch.partitions
    }
    open.removeFirst(count)
    return gone
  }

  override func halt() {
    startPattern?.stop()
    startTimer?.cancel()
    for opened in open {
      opened.timer?.cancel()
      opened.pattern?.stop()
      opened.branch.halt()
    }
  }

  override func exchange(_ archive: StateArchive) {
    archive.note(entries: open.count, of: 300)
    guard !archive.isMeasuring, let conditions else { return }
    archive.flag(&hasEnded)
    archive.timer(&startTimer) { startTimer(at: $0, sequence: $1) }
    var awaits = startPattern != nil
    archive.flag(&awaits)
    if case .pattern(let code, let tags) = conditions.start, awaits {
      let pattern = startPattern ?? startPattern(code, tags)
      startPattern = pattern
      pattern.exchange(archive)
    }
    var items = open.map(Optional.some)
    archive.array(&items, blank: nil) { exchange(&$0, conditions.end, archive) }
    guard archive.isRestoring else { return }
    open = items.compactMap { $0 }
    keys = Set(open.map(\.keys))
  }

  private func exchange(_ item: inout Open?, _ end: ContextLevelCode.Condition, _ archive: StateArchive) {
    let branch = ContextBranch(context, item?.branch, depth: depth, outer: outer, archive)
    var keys = item?.keys ?? []
    archive.values(&keys)
    let opened = item ?? Open(branch, keys: keys)
    archive.timer(&opened.timer) { endTimer(of: opened, at: $0, sequence: $1) }
    if case .pattern(let code, _) = end {
      let pattern = opened.pattern ?? endPattern(of: opened, code)
      opened.pattern = pattern
      pattern.exchange(archive)
    }
    item = opened
  }

  override func end() throws(EvaluationError) {
    hasEnded = true
    startPattern?.stop()
    startTimer?.cancel()
    for opened in open { try close(opened) }
  }
}
