internal import Builtins
internal import EventModel
internal import Plan

/// Parts side by side, all begun at once.
class ParallelState: PatternState {
  final let parts: [PatternNodeCode]
  /// One for each part, nil once that has ended; none at all once all have been quitted.
  final var states: [PatternState?] = []

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ parts: [PatternNodeCode]) {
    self.parts = parts
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) {
    let all = parts.map { runtime.make($0, self) }
    states = all
    for state in all {
      if states.isEmpty { return }
      try state.start(begin)
    }
  }

  override final func quit() {
    let all = states
    states.removeAll()
    for state in all { state?.quit() }
  }

  override final func discard(_ test: (Event) -> Bool) { for state in states { state?.discard(test) } }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = 0
    for state in states { count += try state?.shed(share) ?? 0 }
    return count
  }

  override func exchange(_ archive: StateArchive) {
    var isOpen = !states.isEmpty
    archive.flag(&isOpen)
    if archive.isRestoring { states = isOpen ? Array(repeating: nil, count: parts.count) : [] }
    for index in states.indices { runtime.exchange(&states[index], parts[index], self, archive) }
  }

  final func index(of child: PatternState) -> Int? { states.firstIndex { $0 === child } }
}

/// True once all parts are, for every combination of their matches.
final class AndState: ParallelState {
  private var matches: [[Event]] = []

  override func start(_ begin: Event) throws(EvaluationError) {
    matches = Array(repeating: [], count: parts.count)
    try super.start(begin)
  }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = 0
    for index in matches.indices { count += matches[index].takeFirst(StatementShare.of(matches[index].count, share)).count }
    return try count + super.shed(share)
  }

  override func exchange(_ archive: StateArchive) {
    super.exchange(archive)
    archive.array(&matches, blank: []) { archive.events(&$0) }
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    guard let index = index(of: child) else { return }
    if isQuitted { states[index] = nil }
    matches[index].append(match)
    if matches.contains(where: \.isEmpty) { return }
    var results = [match]
    for (part, others) in matches.enumerated() where part != index {
      results = results.flatMap { result in others.map { PatternMatch.merged(result, $0) } }
    }
    // A `not` waits to turn false, and does not count as open.
    let isDone = states.allSatisfy { $0 == nil || $0 is NotState }
    if isDone { quit() }
    for result in results { try parent.turnedTrue(self, result, isQuitted: isDone) }
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    quit()
    try parent.turnedFalse(self)
  }
}

enum PatternMatch {
  /// The tags of both.
  static func merged(_ a: Event, _ b: Event) -> Event {
    var changes: [(slot: Int, value: Value)] = []
    for slot in 0..<b.count where a[slot].isNull && !b[slot].isNull { changes.append((slot, b[slot])) }
    return changes.isEmpty ? a : a.replacing(changes)
  }
}

/// True when any part is; the others then end.
final class OrState: ParallelState {
  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    guard let index = index(of: child) else { return }
    if isQuitted {
      states[index] = nil
      quit()
    }
    try parent.turnedTrue(self, match, isQuitted: isQuitted)
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    if let index = index(of: child) { states[index] = nil }
    child.quit()
    if states.allSatisfy({ $0 == nil }) { try parent.turnedFalse(self) }
  }
}

/// True from the start until its part turns true for good.
final class NotState: PatternState {
  private let inner: PatternNodeCode
  private var begin: Event?
  private var child: PatternState?

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ inner: PatternNodeCode) {
    self.inner = inner
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) {
    self.begin = begin
    let child = runtime.make(inner, self)
    self.child = child
    try child.start(begin)
    if self.child != nil { try parent.turnedTrue(self, begin, isQuitted: false) }
  }

  override func quit() {
    child?.quit()
    child = nil
  }

  override func exchange(_ archive: StateArchive) {
    archive.event(&begin)
    runtime.exchange(&child, inner, self, archive)
  }

  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    guard isQuitted else { return }
    self.child = nil
    try parent.turnedFalse(self)
  }

  override func turnedFalse(_ child: PatternState) throws(EvaluationError) {
    if let begin { try parent.turnedTrue(self, begin, isQuitted: false) }
  }
}
