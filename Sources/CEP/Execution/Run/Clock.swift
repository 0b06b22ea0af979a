internal import Builtins
internal import EventModel

/// Engine time, and what waits for it.
///
/// Time may be set back: nothing fires then, and new timers are counted from the earlier time.
final class Clock {
  private(set) var now: Int64
  private var heap: [Timer] = []
  private var sequence: UInt64 = 0
  /// Of those in the heap.
  private var cancelled = 0

  init(start: Int64) { now = TimeBounds.clamped(start) }

  /// Of several timers due at one instant the one of the statement deployed first is first.
  ///
  /// - Parameter old: a restored timer's place among the others of its statement.
  @discardableResult
  func schedule(
    at time: Int64, for owner: StatementRuntime?, rank: Int = 0, sequence old: UInt64? = nil,
    _ action: @escaping () throws(EvaluationError) -> Void
  ) -> Timer {
    if old == nil { sequence &+= 1 }
    let timer = Timer(self, time: TimeBounds.clamped(time), owner: owner, rank: rank, sequence: old ?? sequence, action: action)
    heap.append(timer)
    var child = heap.count - 1
    while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
    return timer
  }

  func set(_ time: Int64) { now = TimeBounds.clamped(time) }

  /// Timers themselves are exchanged by those who wait for them.
  func exchange(_ archive: StateArchive) {
    archive.integer(&now)
    set(now)
    var last = sequence
    archive.word(&last)
    sequence = max(sequence, last)
  }

  /// When the next timer is due.
  var nextTime: Int64? {
    dropCancelled()
    return heap.first?.time
  }

  /// When the last timer that now waits is due.
  var lastTime: Int64? { heap.lazy.filter { !$0.isCancelled }.map(\.time).max() }

  /// Takes out the timers that are due, in order.
  func takeDue() -> [Timer] {
    var due: [Timer] = []
    while let time = nextTime, time <= now { due.append(removeFirst()) }
    return due
  }

  private func dropCancelled() { while let first = heap.first, first.isCancelled { _ = removeFirst() } }

  private func removeFirst() -> Timer {
    let first = heap[0]
    let last = heap.removeLast()
    first.isWaiting = false
    if first.isCancelled { cancelled -= 1 }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    sink(0)
    return first
  }

  private func sink(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  /// Timers that are cancelled long before they are due must not gather.
  fileprivate func noteCancelled() {
    cancelled += 1
    guard cancelled > 64, cancelled * 2 > heap.count else { return }
    for timer in heap where timer.isCancelled { timer.isWaiting = false }
    heap.removeAll { $0.isCancelled }
    cancelled = 0
    for parent in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(parent) }
  }
}

/// Something to do at a time.
final class Timer {
  let time: Int64
  /// Nil for the engine's own, which run before all statements.
  let owner: StatementRuntime?
  /// Within a statement: windows first, then output.
  let rank: Int
  let sequence: UInt64
  private(set) var isCancelled = false
  /// Whether it is among those that wait for their time.
  fileprivate(set) var isWaiting = true
  private unowned let clock: Clock
  private let action: () throws(EvaluationError) -> Void

  init(
    _ clock: Clock, time: Int64, owner: StatementRuntime?, rank: Int, sequence: UInt64, action: @escaping () throws(EvaluationError) -> Void
  ) {
    self.clock = clock
    self.time = time
    self.owner = owner
    self.rank = rank
    self.sequence = sequence
    self.action = action
  }

  func cancel() {
    if isCancelled { return }
    isCancelled = true
    if isWaiting { clock.noteCancelled() }
  }
  func fire() throws(EvaluationError) { if !isCancelled { try action() } }

  func precedes(_ other: Timer) -> Bool {
    if time != other.time { return time < other.time }
    let (order, otherOrder) = (owner?.order ?? -1, other.owner?.order ?? -1)
    if order != otherOrder { return order < otherOrder }
    return rank != other.rank ? rank < other.rank : sequence < other.sequence
  }
}
