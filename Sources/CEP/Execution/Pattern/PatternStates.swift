internal import Builtins
internal import EventModel
internal import Plan

/// `every` and `every-distinct`: begins anew whenever its child has turned true or false.
final class EveryState: PatternState {
  private let inner: PatternNodeCode
  private let keys: [Evaluator]?
  private let expiry: PeriodEvaluator?
  private var begin: Event?
  private var children: [(state: PatternState, seen: [[Value]: Int64])] = []
  private var forgetsAt = 1024

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ inner: PatternNodeCode, keys: [Evaluator]?, expiry: PeriodEvaluator?) {
    self.inner = inner
    self.keys = keys
    self.expiry = expiry
    super.init(runtime, parent)
  }

  override var keepsFilters: Bool { true }

  override func start(_ begin: Event) throws(EvaluationError) {
    self.begin = begin
    let child = runtime.make(inner, self)
    children.append((child, [:]))
    try child.start(begin)
  }

  override func quit() {
    let all = children
    children.removeAll()
    for child in all { child.state.quit() }
  }

  override func discard(_ test: (Event) -> Bool) {
    for child in children where !(child.state is FilterState) { child.state.discard(test) }
  }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = 0
    for index in children.indices {
      let forgotten = children[index].seen.sorted { $0.value < $1.value }.prefix(StatementShare.of(children[index].seen.count, share))
      for (key, _) in forgotten { children[index].seen[key] = nil }
      count += forgotten.count
    }
    for child in children { count += try child.state.shed(share) }
    return count
  }

  override func exchange(_ archive: StateArchive) {
    archive.event(&begin)
    var items = children.map { (state: Optional($0.state), seen: $0.seen) }
    archive.array(&items, blank: (state: nil, seen: [:])) { item in
      runtime.exchange(&item.state, inner, self, archive)
      archive.table(&item.seen, blank: 0) { archive.integer(&$0) }
    }
    if archive.isRestoring { children = items.compactMap { item in item.state.map { ($0, item.seen) } } }
  }

  /// A child that turns true while it is being started (a `not`) is given up, lest it begin for ever.
  private func spawn(_ seen: [[Value]: Int64]) throws(EvaluationError) {
    guard let begin else { return }
    let catcher = StartCatcher()
    let child = runtime.make(inner, catcher)
    try child.start(begin)
    if catcher.turnedTrue {
      child.quit()
    } else {
      child.parent = self
      children.append((child, seen))
    }
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    guard let index = children.firstIndex(where: { $0.state === child }) else { return }
    var hasSeen = false
    if let keys {
      runtime.frame.events[0] = match
      let key = try evaluateAll(keys, runtime.frame)
      let now = runtime.clock.now
      if let until = children[index].seen[key], until > now { hasSeen = true } else { children[index].seen[key] = try expires(match, now) }
      if expiry != nil, children[index].seen.count >= forgetsAt { forgetExpired(index, now) }
    }
    let seen = children[index].seen
    if isQuitted { children.remove(at: index) }
    if !child.restartsItself { try spawn(seen) }
    if !hasSeen { try parent.turnedTrue(self, match, isQuitted: false) }
  }

  /// A key whose time is over is as good as one that never was.
  private func forgetExpired(_ index: Int, _ now: Int64) {
    children[index].seen = children[index].seen.filter { $0.value > now }
    forgetsAt = max(1024, children[index].seen.count * 2)
  }

  private func expires(_ match: Event, _ now: Int64) throws(EvaluationError) -> Int64 {
    guard let expiry else { return .max }
    runtime.frame.events[0] = match
    return try expiry.interval(runtime.frame).after(now)
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    child.quit()
    guard let index = children.firstIndex(where: { $0.state === child }) else { return }
    let seen = children.remove(at: index).seen
    try spawn(seen)
  }
}

private final class StartCatcher: PatternParent {
  private(set) var turnedTrue = false
  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) { turnedTrue = true }
}

/// `a -> b -> c`: each match of a part starts the next part.
final class FollowedByState: PatternState {
  private let parts: [PatternNodeCode]
  private let maxima: [Evaluator?]
  /// Of each part the states at work; keyed by identity, since there may be very many.
  private var positions: [ObjectIdentifier: (state: PatternState, part: Int)] = [:]
  private var open: [Int]

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ parts: [PatternNodeCode], _ maxima: [Evaluator?]) {
    self.parts = parts
    self.maxima = maxima
    open = Array(repeating: 0, count: parts.count)
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) { try startPart(0, begin) }

  private func startPart(_ part: Int, _ begin: Event) throws(EvaluationError) {
    let state = runtime.make(parts[part], self)
    positions[ObjectIdentifier(state)] = (state, part)
    open[part] += 1
    try state.start(begin)
  }

  private func remove(_ state: PatternState) {
    if let entry = positions.removeValue(forKey: ObjectIdentifier(state)) { open[entry.part] -= 1 }
  }

  override func quit() {
    let all = positions.values.map(\.state)
    positions.removeAll()
    for state in all { state.quit() }
  }

  override func discard(_ test: (Event) -> Bool) {
    for entry in positions.values {
      entry.state.discard(test)
      if let filter = entry.state as? FilterState, !filter.isActive { remove(filter) }
    }
  }

  /// Of the parts behind an arrow, where the matches wait; they turn false as if they could not come true any more.
  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    let waiting = positions.values.filter { $0.part > 0 }.map(\.state).sorted { $0.age < $1.age }
    let old = waiting.prefix(StatementShare.of(waiting.count, share))
    for state in old { try turnedFalse(state) }
    var count = old.count
    for entry in Array(positions.values) { count += try entry.state.shed(share) }
    return count
  }

  override func exchange(_ archive: StateArchive) {
    var items = positions.values.map { (part: $0.part, state: Optional($0.state)) }
    archive.array(&items, blank: (part: 0, state: nil)) { item in
      archive.integer(&item.part)
      guard parts.indices.contains(item.part) else { return archive.fail("a part that the pattern does not have") }
      runtime.exchange(&item.state, parts[item.part], self, archive)
    }
    guard archive.isRestoring else { return }
    positions.removeAll()
    open = Array(repeating: 0, count: parts.count)
    for case (let part, let state?) in items {
      positions[ObjectIdentifier(state)] = (state, part)
      open[part] += 1
    }
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    guard let part = positions[ObjectIdentifier(child)]?.part else { return }
    if isQuitted { remove(child) }
    if part == parts.count - 1 { return try parent.turnedTrue(self, match, isQuitted: positions.isEmpty) }
    if part < maxima.count, let maximum = maxima[part] {
      if let limit = try runtime.evaluate(maximum, match).integer, limit >= 0, open[part + 1] >= limit { return }
    }
    try startPart(part + 1, match)
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    child.quit()
    remove(child)
    if positions.isEmpty { try parent.turnedFalse(self) }
  }
}
