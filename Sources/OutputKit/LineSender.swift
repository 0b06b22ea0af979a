import CLinux
import Glibc
public import PluginKit

/// What to do when the buffer is full: the peer is away, or too slow.
public enum FullBufferPolicy: Sendable {
  /// The stage waits; its queue fills, and the queue's policy decides.
  case block
  case dropOldest
}

/// Sends lines over TCP to a peer that may be away: a thread of its own connects, sends, and sends again what was not acknowledged.
///
/// `send` and `finish` are called by the stage's thread, `start` and `stop` by [main].
public final class LineSender: @unchecked Sendable {
  public struct Settings: Sendable {
    public var host: String
    public var port: Int
    public var bufferBytes: Int
    public var policy: FullBufferPolicy

    public init(host: String, port: Int, bufferBytes: Int, policy: FullBufferPolicy) {
      (self.host, self.port, self.bufferBytes, self.policy) = (host, port, bufferBytes, policy)
    }
  }

  struct Shared {
    var ledger = LineLedger()
    var isConnected = false
    /// No more lines will come.
    var isFinishing = false
    /// The thread is to end.
    var isStopped = false
    /// The thread waits, and must be woken when there is something to do.
    var isAsleep = false
    /// Everything was acknowledged and the peer said that it has read to the end, or will not say so. Or the collector stops and
    /// the peer is away.
    var isDone = false
  }

  let host: Host
  let settings: Settings
  let counters: SinkCounters
  private var shared = Shared()
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  /// Wakes the thread.
  let wake = flowcep_event_descriptor()
  /// Becomes readable when there is room, or when the thread is done.
  private let progress = flowcep_event_descriptor()
  private var thread: SenderThread?

  /// How long draining goes on without any progress, where the collector itself sets no bound.
  private static let patience: UInt64 = 10_000_000_000

  public init(_ host: Host, _ settings: Settings, _ counters: SinkCounters) {
    (self.host, self.settings, self.counters) = (host, settings, counters)
    mutex = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    close(wake)
    close(progress)
  }

  public func start() throws(PluginError) {
    guard wake >= 0, progress >= 0 else { throw PluginError("no descriptors left for an eventfd") }
    thread = try SenderThread(self)
  }

  /// Takes whole lines. Waits while the buffer is full and the policy says so.
  public func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) {
    while true {
      let outcome = withLock { shared -> Outcome in
        if shared.isDone { return .gone }
        if settings.policy == .dropOldest { makeRoom(&shared, bytes.count) }
        guard shared.ledger.heldBytes + bytes.count <= settings.bufferBytes || shared.ledger.isEmpty else { return Outcome.full }
        shared.ledger.append(bytes, lineEnds: lineEnds)
        return shared.isAsleep ? .takenWhileAsleep : .taken
      }
      switch outcome {
      case .taken: return
      case .takenWhileAsleep: return signal(wake)
      case .gone: return dropNew(lineEnds.count)
      case .full:
        if settings.policy == .dropOldest || host.stopNanosecondsLeft == 0 { return dropNew(lineEnds.count) }
        // The thread may wait for the moment to try again, and is to look whether the collector stops.
        if host.stopNanosecondsLeft != nil { signal(wake) }
        wait()
      }
    }
  }

  private enum Outcome { case taken, takenWhileAsleep, full, gone }

  private func makeRoom(_ shared: inout Shared, _ count: Int) {
    let dropped = shared.ledger.dropOldest(toFit: count, in: settings.bufferBytes, isConnected: shared.isConnected)
    (shared.isConnected ? counters.peerSlow : counters.peerAway).add(dropped)
  }

  /// Everything in the buffer is on its way already.
  private func dropNew(_ count: Int) {
    let isConnected = withLock { $0.isConnected }
    (host.stopNanosecondsLeft == 0 ? counters.stopping : isConnected ? counters.peerSlow : counters.peerAway).add(count)
  }

  /// Waits until everything is acknowledged and the peer has closed, within the time that the collector has left.
  public func finish() {
    withLock { $0.isFinishing = true }
    signal(wake)
    var (last, since) = (-1, host.monotonicNanoseconds)
    while true {
      let (isDone, held) = withLock { ($0.isDone, $0.ledger.heldBytes + $0.ledger.unsent) }
      if isDone { return }
      let now = host.monotonicNanoseconds
      if held != last { (last, since) = (held, now) }
      if let left = host.stopNanosecondsLeft {
        if left == 0 { return }
      } else if now - since > Self.patience {
        return
      }
      wait()
    }
  }

  /// Ends the thread and counts what is left.
  public func stop() {
    withLock { $0.isStopped = true }
    signal(wake)
    thread?.join()
    thread = nil
    let (left, wasConnected) = withLock { ($0.ledger.heldLines, $0.isConnected) }
    (wasConnected ? counters.stopping : counters.peerAway).add(left)
  }

  /// What the stage's thread and the sender's share.
  func withLock<R>(_ body: (inout Shared) -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body(&shared)
  }

  func signal(_ descriptor: Int32) {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  func signalProgress() { signal(progress) }

  /// Waits for progress, and now and then looks at the clock.
  private func wait() {
    var descriptor = pollfd(fd: progress, events: Int16(POLLIN), revents: 0)
    poll(&descriptor, 1, 50)
    var count: UInt64 = 0
    _ = read(progress, &count, 8)
  }
}
