import Glibc
import PluginKit
import Threads

/// The thread behind a `LineSender`: owns the connection.
final class SenderThread {
  private unowned let sender: LineSender
  private var connection: TCPConnection
  private let thread = NamedThread()
  /// An outage is said once, and its end.
  private var saidAway = false
  /// After the last line: until when the peer may close its side.
  private var closeDeadline: UInt64?
  /// The collector stops, the receiver is away, and it has been tried once more.
  private var triedLast = false
  private var runs: [iovec] = []

  private static let runLimit = 64
  /// How long a peer may take to close after our last line, in nanoseconds.
  private static let closePatience: UInt64 = 1_000_000_000
  /// How often acknowledgements are looked at, in milliseconds: nothing tells of them.
  private static let acknowledgementInterval: Int32 = 20

  init(_ sender: LineSender) throws(PluginError) {
    self.sender = sender
    connection = TCPConnection(host: sender.settings.host, port: sender.settings.port)
    let status = thread.start("line-sender") { [unowned self] in run() }
    guard status == 0 else { throw PluginError("no thread to send with: \(String(cString: strerror(status)))") }
  }

  func join() {
    thread.join()
    connection.close()
  }

  private func run() {
    while true {
      let work = sender.withLock { shared in
        shared.isAsleep = shared.ledger.unsent == 0 && shared.isConnected
        return Work(shared)
      }
      if work.isStopped || finished(work) { return }
      do throws(TCPConnection.Failure) {
        let events = wait(work)
        try step(events)
      } catch {
        lost(error)
        if triedLast, connection.state == .disconnected { return giveUp(error) }
      }
    }
  }

  /// A stop does not wait for a receiver to come back: it is tried once more, at once.
  private var isHurried: Bool { sender.host.stopNanosecondsLeft != nil }

  private func giveUp(_ failure: TCPConnection.Failure) {
    let left = sender.withLock { $0.ledger.heldLines }
    sender.host.log(.warning, "\(left) records are dropped: the collector stops and \(connection.name) is away (\(failure.reason))")
    done()
  }

  private struct Work {
    let isStopped: Bool
    let isFinishing: Bool
    let isEmpty: Bool
    let unsent: Int
    let inFlight: Int

    init(_ shared: LineSender.Shared) {
      (isStopped, isFinishing, isEmpty) = (shared.isStopped, shared.isFinishing, shared.ledger.isEmpty)
      (unsent, inFlight) = (shared.ledger.unsent, shared.ledger.inFlight)
    }
  }

  /// Waits until there is something to do; returns what poll says of the connection.
  private func wait(_ work: Work) -> Int16 {
    var descriptors = [pollfd(fd: sender.wake, events: Int16(POLLIN), revents: 0)]
    let now = sender.host.monotonicNanoseconds
    var timeout: Int32 = -1
    switch connection.state {
    case .disconnected: timeout = isHurried ? 0 : milliseconds(connection.backoff.next, now)
    case .connecting(let deadline):
      descriptors.append(pollfd(fd: connection.descriptor, events: Int16(POLLOUT), revents: 0))
      timeout = milliseconds(deadline, now)
    case .connected:
      let events = Int16(POLLIN) | (work.unsent > 0 ? Int16(POLLOUT) : 0)
      descriptors.append(pollfd(fd: connection.descriptor, events: events, revents: 0))
      if work.inFlight > 0 { timeout = Self.acknowledgementInterval }
      if let closeDeadline { timeout = milliseconds(closeDeadline, now) }
    }
    poll(&descriptors, nfds_t(descriptors.count), timeout)
    if descriptors[0].revents != 0 {
      var count: UInt64 = 0
      _ = read(sender.wake, &count, 8)
    }
    return descriptors.count > 1 ? descriptors[1].revents : 0
  }

  private func milliseconds(_ deadline: UInt64, _ now: UInt64) -> Int32 {
    deadline <= now ? 0 : Int32(clamping: (deadline - now) / 1_000_000 + 1)
  }

  private func step(_ events: Int16) throws(TCPConnection.Failure) {
    let (now, isHurried) = (sender.host.monotonicNanoseconds, isHurried)
    switch connection.state {
    case .disconnected:
      if isHurried { triedLast = true }
      if isHurried || now >= connection.backoff.next { try connection.connect(at: now) }
    case .connecting:
      try connection.finishConnecting(at: now, isWritable: events != 0)
      if connection.state == .connected { connected() }
    case .connected:
      if events & ~Int16(POLLOUT) != 0 { try connection.discardInput() }
      try transmit()
      noteAcknowledged()
    }
  }

  private func connected() {
    sender.withLock { $0.isConnected = true }
    sender.host.log(.info, "connected to \(connection.name)")
    (saidAway, triedLast) = (false, false)
  }

  /// Hands over what the kernel takes. The lines stay where they are meanwhile: nobody else holds the lock.
  private func transmit() throws(TCPConnection.Failure) {
    let result = sender.withLock { shared -> Result<Int, TCPConnection.Failure> in
      runs.removeAll(keepingCapacity: true)
      shared.ledger.nextRuns(Self.runLimit) { run in
        runs.append(iovec(iov_base: UnsafeMutableRawPointer(mutating: run.baseAddress), iov_len: run.count))
      }
      do throws(TCPConnection.Failure) {
        let taken = try runs.withUnsafeBufferPointer { runs throws(TCPConnection.Failure) in try connection.write(runs) }
        shared.ledger.markSent(taken)
        return .success(taken)
      } catch {
        return .failure(error)
      }
    }
    _ = try result.get()
  }

  private func noteAcknowledged() {
    guard let unacknowledged = connection.unacknowledged() else { return }
    connection.noteWindow()
    let lines = sender.withLock { $0.ledger.acknowledge(unacknowledged: unacknowledged) }
    guard lines > 0 else { return }
    sender.counters.delivered.add(lines)
    sender.signalProgress()
  }

  /// True when no more will come and everything has arrived, as far as that can be known.
  private func finished(_ work: Work) -> Bool {
    guard work.isFinishing, work.isEmpty else { return false }
    let now = sender.host.monotonicNanoseconds
    guard connection.state == .connected else {
      done()
      return true
    }
    if let closeDeadline {
      guard now >= closeDeadline || sender.host.stopNanosecondsLeft == 0 else { return false }
      countUnconfirmed()
      connection.close()
      done()
      return true
    }
    connection.finish()
    closeDeadline = now + Self.closePatience
    return false
  }

  private func done() {
    sender.withLock { $0.isDone = true }
    sender.signalProgress()
  }

  private func countUnconfirmed() {
    let window = connection.largestWindow
    sender.counters.unconfirmed.add(sender.withLock { $0.ledger.takeUnconfirmed(window: window) })
  }

  /// The connection could not be made, or is gone.
  private func lost(_ failure: TCPConnection.Failure) {
    guard connection.state == .connected else {
      connection.close()
      if !saidAway {
        sender.host.log(.warning, "cannot connect to \(connection.name): \(failure.reason); trying again")
        saidAway = true
      }
      return
    }
    if closeDeadline != nil, failure.isOrderly {
      // It has read to the end: that is what closing after our own end means.
      sender.withLock { $0.ledger.forgetRecent() }
      connection.close()
      closeDeadline = nil
      return
    }
    noteAcknowledged()
    let window = connection.largestWindow
    let (unconfirmed, again) = sender.withLock { shared in
      shared.isConnected = false
      return (shared.ledger.takeUnconfirmed(window: window), shared.ledger.rewind())
    }
    sender.counters.unconfirmed.add(unconfirmed)
    connection.abort()
    closeDeadline = nil
    saidAway = true
    sender.host.log(
      .warning,
      "connection to \(connection.name) lost (\(failure.reason)): \(again) records are sent again, \(unconfirmed) were acknowledged but perhaps never read"
    )
  }
}
