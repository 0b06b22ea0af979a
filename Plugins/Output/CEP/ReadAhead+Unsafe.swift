import CLinux
import Engine
import Glibc
import PluginKit
import RecordBatch
import Threads

/// Takes the columns out of batches' records and holds the events until they are due, on a thread of its own and up to four batches ahead
/// of the engine.
///
/// While batches are in there the readers and the clock are that thread's; otherwise it sleeps, and they are the caller's. After a batch
/// of which more is due than it could give, it waits until the caller has said `goOn`.
final class ReadAhead: @unchecked Sendable {
  typealias Reading = (batch: Batch, due: [DueEvents])

  private let read: (Batch) -> [DueEvents]
  /// Each is one thread's at a time.
  private let slots = UnsafeMutablePointer<Reading?>.allocate(capacity: ReadAhead.depth)
  // Numbers of batches: the next to come, and the next to go.
  private var begun = 0
  private var taken = 0
  private var isStopped = false
  private let work = Semaphore()
  private let done = Semaphore()
  private let leave = Semaphore()
  private let thread = NamedThread()

  private static let depth = 4

  /// Nil where there is one processor only, which would do the same work and switch threads besides, or no thread to be had.
  init?(_ read: @escaping (Batch) -> [DueEvents]) {
    self.read = read
    slots.initialize(repeating: nil, count: Self.depth)
    guard flowcep_processors() > 1, thread.start("cep-columns", { [unowned self] in run() }) == 0 else { return nil }
  }

  deinit { slots.deinitialize(count: Self.depth).deallocate() }

  var isEmpty: Bool { begun == taken }
  var isFull: Bool { begun - taken == Self.depth }

  /// Not while it is full. The batch must stay until `next` has given what is due, and as long as that.
  func begin(_ batch: Batch) {
    slots[begun % Self.depth] = (batch, [])
    begun += 1
    work.post()
  }

  /// The first batch that has not been given yet; nil where it is not done, unless that is waited for, and where there is none.
  func next(waits: Bool) -> Reading? {
    guard !isEmpty, done.take(waits: waits) else { return nil }
    defer {
      slots[taken % Self.depth] = nil
      taken += 1
    }
    return slots[taken % Self.depth]
  }

  /// What was due of a batch and not given has been dealt with.
  func goOn() { leave.post() }

  /// Ends the thread; what is in there stays undone.
  func stop() {
    isStopped = true
    work.post()
    leave.post()
    thread.join()
  }

  private func run() {
    var next = 0
    while work.take(waits: true), !isStopped, let batch = slots[next % Self.depth]?.batch {
      let due = read(batch)
      slots[next % Self.depth]?.due = due
      next += 1
      done.post()
      if due.contains(where: \.isPartial) { _ = leave.take(waits: true) }
    }
  }
}

private final class Semaphore {
  private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(raw, 0, 0) }

  deinit {
    sem_destroy(raw)
    raw.deallocate()
  }

  func post() { sem_post(raw) }

  /// False where it was not to be had at once, and was not waited for.
  func take(waits: Bool) -> Bool {
    guard waits else { return sem_trywait(raw) == 0 }
    while sem_wait(raw) != 0 {}
    return true
  }
}
