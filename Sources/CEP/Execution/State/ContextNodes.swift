internal import Builtins
internal import EventModel
internal import Plan

/// A partition for each key, or for each of a number of hash values.
final class KeyedNode: ContextNode {
  private var positions: [[Value]: Int] = [:]
  private var branches: [ContextBranch] = []
  private var forgetsAt = 256

  override func start() throws(EvaluationError) {
    guard case .hash(_, let granularity, true) = level.kind else { return }
    // As many as are asked for, within reason: the others come with their events.
    for number in 0..<min(max(try granularity(frame).integer ?? 1, 1), 65_536) { _ = try find([.int(number)], isHash: true) }
  }

  private func find(_ key: [Value], isHash: Bool) throws(EvaluationError) -> ContextBranch {
    if let position = positions[key] { return branches[position] }
    var values: [String: Value] = [:]
    if !isHash { for (index, value) in key.enumerated() { values["key\(index + 1)"] = value } }
    let made = try branch(properties(id: isHash ? key[0].integer : nil, values))
    positions[key] = branches.count
    branches.append(made)
    return made
  }

  private func key(_ event: Event) throws(EvaluationError) -> (key: [Value], isHash: Bool)? {
    switch level.kind {
    case .keyed(let streams):
      for stream in streams {
        guard let event = seen(event, as: stream.type), try passes(stream.filter, event) else { continue }
        frame.events[0] = event
        let key = try evaluateAll(stream.keys, frame)
        return key.contains(where: \.isNull) ? nil : (key, false)
      }
    case .hash(let streams, let granularity, _):
      for stream in streams {
        guard let event = seen(event, as: stream.type), try passes(stream.filter, event) else { continue }
        frame.events[0] = event
        let hash = HashFunctions.hash(try evaluateAll(stream.keys, frame), stream.hashFunction)
        return ([.int(hash % max(try granularity(frame).integer ?? 1, 1))], true)
      }
    default: break
    }
    return nil
  }

  override func observe(_ event: Event) throws(EvaluationError) {
    guard level.divides(event.type) else {
      for branch in branches { try branch.observe(event) }
      return
    }
    guard let (key, isHash) = try key(event) else { return }
    if branches.count >= forgetsAt { forgetIdle() }
    try find(key, isHash: isHash).observe(event)
  }

  override func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    guard level.divides(event.type) else {
      for branch in branches { try branch.collect(event, opening: opening, into: &found) }
      return
    }
    guard let (key, isHash) = try key(event) else { return }
    if !opening, positions[key] == nil { return }
    try find(key, isHash: isHash).collect(event, opening: opening, into: &found)
  }

  /// A key whose partition keeps nothing is as good as one that never came.
  private func forgetIdle() {
    var idle: [Partition] = []
    forget { branch in
      guard let own = branch.idlePartitions else { return false }
      idle += own
      return true
    }
    context.drop(idle)
    forgetsAt = max(256, branches.count * 2)
  }

  private func forget(_ isGone: (ContextBranch) -> Bool) {
    var (kept, keys): ([ContextBranch], [[Value]: Int]) = ([], [:])
    for (key, position) in positions.sorted(by: { $0.value < $1.value }) {
      let branch = branches[position]
      if isGone(branch) {
        branch.halt()
      } else {
        keys[key] = kept.count
        kept.append(branch)
      }
    }
    (positions, branches) = (keys, kept)
  }

  override var idlePartitions: [Partition]? { idlePartitions(of: branches) }
  override var partitions: [Partition] { branches.flatMap(\.partitions) }

  override func shed(_ share: Double) -> [Partition] {
    var left = StatementShare.of(branches.count, share)
    guard case .keyed = level.kind, left > 0 else { return branches.flatMap { $0.shed(share) } }
    var gone: [Partition] = []
    forget { branch in
      if left == 0 { return false }
      left -= 1
      gone += branch.partitions
      return true
    }
    return gone
  }

  override func end() throws(EvaluationError) { for branch in branches { try branch.end() } }
  override func halt() { for branch in branches { branch.halt() } }
  override func exchange(_ archive: StateArchive) {
    archive.note(entries: branches.count, of: 300)
    if archive.isMeasuring { return }
    var keys = positions.sorted { $0.value < $1.value }.map(\.key)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    exchange(&branches, archive)
    if archive.isRestoring {
      if keys.count != branches.count { archive.fail("a context with more keys than partitions") }
      positions = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
  }
}

/// The original's hash functions: which keys share a partition is visible in the answers.
enum HashFunctions {
  static func hash(_ key: [Value], _ function: String?) -> Int64 {
    var bytes: [UInt8] = []
    for value in key { bytes += Array((value.text ?? "").utf8) }
    if function == "consistent_hash_crc32" { return Int64(crc32(bytes)) }
    var hash: Int32 = 0
    for value in key { hash = hash &* 31 &+ javaHash(value) }
    return Int64(hash < 0 ? 0 &- hash : hash)
  }

  private static func javaHash(_ value: Value) -> Int32 {
    switch value {
    case .int(let number): Int32(truncatingIfNeeded: number ^ (number >> 32))
    case .bool(let flag): flag ? 1231 : 1237
    default: (value.text ?? "").utf16.reduce(Int32(0)) { $0 &* 31 &+ Int32($1) }
    }
  }

  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

/// A partition for each category; an event belongs to all whose condition holds.
final class CategoryNode: ContextNode {
  private var branches: [ContextBranch] = []

  override func start() throws(EvaluationError) {
    guard case .category(_, _, let categories) = level.kind else { return }
    for category in categories { branches.append(try branch(properties(["label": .string(category.label)]))) }
  }

  private func matching(_ event: Event) throws(EvaluationError) -> [ContextBranch] {
    guard case .category(let type, let filter, let categories) = level.kind else { return [] }
    guard let event = seen(event, as: type) else { return branches }
    guard try passes(filter, event) else { return [] }
    var found: [ContextBranch] = []
    for (index, category) in categories.enumerated() where try passes(category.condition, event) { found.append(branches[index]) }
    return found
  }

  override func observe(_ event: Event) throws(EvaluationError) { for branch in try matching(event) { try branch.observe(event) } }
  override func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    for branch in try matching(event) { try branch.collect(event, opening: opening, into: &found) }
  }
  override var idlePartitions: [Partition]? { idlePartitions(of: branches) }
  override var partitions: [Partition] { branches.flatMap(\.partitions) }
  override func shed(_ share: Double) -> [Partition] { branches.flatMap { $0.shed(share) } }
  override func end() throws(EvaluationError) { for branch in branches { try branch.end() } }
  override func halt() { for branch in branches { branch.halt() } }
  override func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return }
    let count = branches.count
    exchange(&branches, archive)
    guard case .category(_, _, let categories) = level.kind, archive.isSaving || branches.count == categories.count || count == 0 else {
      return archive.fail("a context of other categories")
    }
  }
}

/// Partitions that begin and end: one at a time, or overlapping.
final class TimedNode: ContextNode {
  private final class Open {
    let branch: ContextBranch
    let keys: [Value]
    var timer: Timer?
    var pattern: PatternRuntime?
    init(_ branch: ContextBranch, keys: [Value]) {
      self.branch = branch
      self.keys = keys
    }
  }
  private var open: [Open] = []
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
    if !conditions.distinct.isEmpty, open.contains(where: { $0.keys == keys }) { return }
    if !conditions.overlaps {
      startPattern?.stop()
      startTimer?.cancel()
    }
    let opened = Open(try branch(made), keys: keys)
    open.append(opened)
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
    closing.timer?.cancel()
    closing.pattern?.stop()
    try closing.branch.end()
    guard let conditions, !conditions.overlaps, !hasEnded else { return }
    if conditions.now { try begin([:]) } else { try awaitStart() }
  }

  /// Ends before it begins: a partition does not see the event that begins it as its end.
  override func observe(_ event: Event) throws(EvaluationError) {
    guard let conditions else { return }
    let before = open
    for opened in before {
      if case .filter(let type, let filter, _) = conditions.end, event.type === type {
        frame.context = opened.branch.properties
        let ends = try passes(filter, event)
        frame.context = nil
        if ends { try close(opened) }
      }
      try opened.pattern?.accept(event)
      if open.contains(where: { $0 === opened }) { try opened.branch.observe(event) }
    }
    if !conditions.overlaps, !before.isEmpty { return }
    if case .filter(let type, let filter, let tag) = conditions.start, event.type === type, try passes(filter, event) {
      try begin(tag.map { [level.plan.type.properties[$0].name: .event(event)] } ?? [:])
      try open.last?.branch.observe(event)
    }
    try startPattern?.accept(event)
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
    if archive.isRestoring { open = items.compactMap { $0 } }
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
