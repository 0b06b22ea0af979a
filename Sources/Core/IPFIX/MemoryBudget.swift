import PluginABI
import RecordBatch
import Synchronization

/// What all sessions of a decoder together may remember. Who takes most gives way first, so that a peer that floods never costs another one its
/// templates.
///
/// Filled by the decoder's thread; sessions may end on any.
final class MemoryBudget: Sendable {
  struct Peer: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(_ session: Session) {
      (high, low) = withUnsafeBytes(of: session.raw.pointee.remote_address) {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
    }
  }

  let limit: Int
  private let sum = Atomic<Int>(0)

  init(limit: Int) { self.limit = limit }

  /// Counts a session's change; true where all together have become too much.
  func change(by difference: Int) -> Bool { sum.add(difference, ordering: .relaxed).newValue > limit }

  var total: Int { sum.load(ordering: .relaxed) }
}

/// A session's part in a budget; given back when the session is gone.
final class MemoryAccount {
  let peer: MemoryBudget.Peer
  private let budget: MemoryBudget
  private(set) var bytes = 0

  init(_ budget: MemoryBudget, _ session: Session) {
    self.budget = budget
    peer = MemoryBudget.Peer(session)
  }

  deinit { _ = budget.change(by: -bytes) }

  /// True where all sessions together take too much.
  @inline(__always)
  func set(_ now: Int) -> Bool { now == bytes ? false : change(now) }

  private func change(_ now: Int) -> Bool {
    defer { bytes = now }
    return budget.change(by: now - bytes)
  }
}
