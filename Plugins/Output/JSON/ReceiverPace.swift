import CLinux
import Glibc
import PluginKit
import Sockets

/// Holds datagrams back while a receiver on this machine has no room for them, but not for one that stands still.
struct ReceiverPace {
  private let queue: ReceiverQueue?
  private let host: Host
  private let dropped: Counter
  private let notesOfCutDatagram: Int
  /// Bytes that may go before the queue is looked at again.
  private var room = 0
  private var isStalled = false
  private var drops: UInt32?
  private var saidDrops = false

  /// How long a queue that nobody empties is waited for, in ns.
  private static let patience: UInt64 = 200_000_000

  /// - Parameter areCut: datagrams may be such that the kernel has cut.
  init(_ host: Host, _ queue: ReceiverQueue?, areCut: Bool) {
    (self.host, self.queue) = (host, queue)
    notesOfCutDatagram = (queue != nil && areCut ? ReceiverQueue.notesOfCutDatagram() : nil) ?? 1024
    dropped = host.informationCounter("receiver-dropped", help: "Datagrams for which a receiver on this machine had no room.")
  }

  /// What a datagram takes in the receiver's queue: the kernel allots powers of two, with its own notes beside them. One that it has cut
  /// from a larger piece takes its bytes there and the notes.
  private func memory(_ bytes: Int, isCut: Bool) -> Int {
    if isCut { return bytes + notesOfCutDatagram }
    var size = 512
    while size < bytes + 448 { size *= 2 }
    return size + 256
  }

  /// Waits for room; says how many of so many datagrams may go now, at least one.
  ///
  /// - Parameters:
  ///   - bytes: the size of the longest.
  ///   - areCut: the kernel cuts them from one piece, where there are several.
  mutating func allow(_ count: Int, bytes: Int, areCut: Bool = false) -> Int {
    guard let queue else { return count }
    let areSeveral = areCut && count > 1
    let each = memory(bytes, isCut: areSeveral)
    if room < each * count { look(queue, atLeast: areSeveral ? 2 * each : each) }
    let allowed = isStalled ? count : max(1, min(count, room / each))
    room -= allowed * each
    return allowed
  }

  private mutating func look(_ queue: ReceiverQueue, atLeast wanted: Int) {
    var began: UInt64?
    var (lowest, pause) = (Int.max, 20_000)
    while let state = queue.state() {
      note(state.drops)
      room = state.size - state.used
      // An empty queue takes one datagram of any size.
      if room >= wanted || state.used == 0 {
        isStalled = false
        return
      }
      let now = host.monotonicNanoseconds
      if state.used < lowest { (lowest, began, isStalled) = (state.used, now, isStalled && lowest == .max) }
      if isStalled || now - (began ?? now) > Self.patience || host.stopNanosecondsLeft == 0 {
        isStalled = true
        return
      }
      var time = timespec(tv_sec: 0, tv_nsec: pause)
      nanosleep(&time, nil)
      pause = min(pause * 2, 1_000_000)
    }
    // Nobody listens, or one in another network namespace: nothing to wait for. It is asked again in a while.
    room = 1 << 20
    isStalled = false
  }

  private mutating func note(_ now: UInt32) {
    if let before = drops, now != before {
      dropped.add(Int(now &- before))
      if !saidDrops { host.log(.warning, "the receiver's socket had no room for some datagrams: a larger receive buffer there helps") }
      saidDrops = true
    }
    drops = now
  }
}
