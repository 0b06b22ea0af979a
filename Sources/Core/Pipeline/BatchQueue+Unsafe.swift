import Glibc
import PluginABI
public import PluginHost
public import RecordBatch

/// Joins threads: a bounded line of batches, many producers and one consumer.
///
/// Bounded in bytes that the batches keep alive, and in batches. A consumer that has just worked naps for a millisecond at most, so that
/// several batches come together: to wake a thread costs as much as to decode some hundred records. Then it is woken by the next
/// batch. Producers are woken when there is room again. What is not records (sessions, the end) is always taken, so that order is never in doubt; and so are records
/// before which no others wait, whatever their size.
public final class BatchQueue: @unchecked Sendable {
  public enum Policy: Sendable {
    case block, drop
    /// What came by UDP is dropped; everybody else waits.
    case dropDatagrams
  }
  public enum Push: Sendable { case taken, full, stopped }

  private let policy: Policy
  private let maximumBytes: Int
  private let maximumBatches: Int
  private let stop: StopState
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let filled: UnsafeMutablePointer<pthread_cond_t>
  private let room: UnsafeMutablePointer<pthread_cond_t>
  private var incoming: [BatchStorage] = []
  /// In reverse order: the next one is the last.
  private var outgoing: [BatchStorage] = []
  private var bytes = 0
  /// How many of those in line are records.
  private var recordBatches = 0
  /// Records in line.
  private var records = 0
  private enum Consumer { case works, naps, waits }
  private var consumer = Consumer.works
  /// The consumer has had records, and has not napped since.
  private var hasWorked = false
  private var producersWaiting = 0
  /// The records that came last are lost where they find no room.
  private var losesRecords = false

  public init(policy: Policy, maximumBytes: Int, maximumBatches: Int = 16384, stop: StopState) {
    self.policy = policy
    self.maximumBytes = maximumBytes
    self.maximumBatches = maximumBatches
    self.stop = stop
    mutex = .allocate(capacity: 1)
    filled = .allocate(capacity: 1)
    room = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(filled, &attributes)
    pthread_cond_init(room, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(filled)
    pthread_cond_destroy(room)
    pthread_mutex_destroy(mutex)
    filled.deallocate()
    room.deallocate()
    mutex.deallocate()
  }

  /// How much waits in it.
  public var load: (bytes: Int, batches: Int) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return (bytes, count)
  }

  /// How much of its room is taken, in thousandths; 0 where no record is lost for want of room, since whoever sends them waits.
  public var pressure: Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return losesRecords ? max(bytes * 1000 / maximumBytes, count * 1000 / maximumBatches) : 0
  }

  private var count: Int { incoming.count + outgoing.count }

  /// Appends a batch. A full queue waits or refuses, by its policy; once the time for stopping is over it refuses.
  public func push(_ batch: consuming BatchStorage) -> Push {
    let weight = batch.weight
    let isRecords = batch.kind == .records
    let isDatagrams = batch.view.messages.first?.session?.pointee.transport == UInt16(FLOWCEP_TRANSPORT_UDP)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if isRecords { losesRecords = policy == .drop || isDatagrams }
    while isRecords, recordBatches > 0, bytes + weight > maximumBytes || count >= maximumBatches {
      wake(if: consumer == .naps)
      if policy == .drop || policy == .dropDatagrams && isDatagrams { return .full }
      if stop.nanosecondsLeft == 0 { return .stopped }
      producersWaiting += 1
      // The stop's deadline wakes nobody: look again now and then.
      wait(room, until: Clock.monotonic() + 100_000_000)
      producersWaiting -= 1
    }
    bytes += weight
    if isRecords { recordBatches += 1 }
    records += batch.recordCount
    incoming.append(batch)
    let isEnough = !isRecords || records >= Self.recordsWorthWaking || bytes >= maximumBytes / 4
    wake(if: consumer == .waits || consumer == .naps && isEnough)
    return .taken
  }

  private func wake(if isNeeded: Bool) {
    guard isNeeded else { return }
    consumer = .works
    pthread_cond_signal(filled)
  }

  private static let recordsWorthWaking = 1 << 14
  private static let napNanoseconds: UInt64 = 1_000_000

  /// Until there is enough to be worth it, or the time is up.
  private func nap(until deadline: UInt64) {
    let end = min(deadline, Clock.monotonic() + Self.napNanoseconds)
    consumer = .naps
    while consumer == .naps, Clock.monotonic() < end { wait(filled, until: end) }
    consumer = .works
    hasWorked = false
  }

  /// The next batch; nil where none has come by `deadline` (monotonic nanoseconds; 0: at once).
  public func pop(until deadline: UInt64) -> BatchStorage? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if count == 0, hasWorked, deadline > 0 { nap(until: deadline) }
    while count == 0 {
      guard deadline > Clock.monotonic() else { return nil }
      consumer = .waits
      wait(filled, until: deadline)
      consumer = .works
    }
    if outgoing.isEmpty {
      swap(&incoming, &outgoing)
      outgoing.reverse()
    }
    guard let next = outgoing.popLast() else { return nil }
    bytes -= next.weight
    records -= next.recordCount
    if next.kind == .records {
      recordBatches -= 1
      hasWorked = true
    }
    if producersWaiting > 0 { pthread_cond_broadcast(room) }
    return next
  }

  private func wait(_ condition: UnsafeMutablePointer<pthread_cond_t>, until deadline: UInt64) {
    var time = timespec(tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
    pthread_cond_timedwait(condition, mutex, &time)
  }
}
