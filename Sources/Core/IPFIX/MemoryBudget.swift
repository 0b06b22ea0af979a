import PluginABI
import RecordBatch
import Synchronization

/// What all sessions of a decoder together may remember. Who takes most gives way first: of the address with the most, the session
/// with the most loses what it has; a peer that floods never costs another one its templates.
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

  private struct State {
    var total = 0
    var peers: [Peer: Int] = [:]
  }

  let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// Counts a session's change; true where all together have become too much.
  func change(_ peer: Peer, by difference: Int) -> Bool {
    state.withLock { state in
      state.total += difference
      let left = (state.peers[peer] ?? 0) + difference
      state.peers[peer] = left > 0 ? left : nil
      return state.total > limit
    }
  }

  var heaviest: Peer? { state.withLock { $0.peers.max { $0.value < $1.value }?.key } }
  var total: Int { state.withLock { $0.total } }
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

  deinit { _ = budget.change(peer, by: -bytes) }

  /// True where all sessions together take too much.
  @inline(__always)
  func set(_ now: Int) -> Bool { now == bytes ? false : change(now) }

  private func change(_ now: Int) -> Bool {
    defer { bytes = now }
    return budget.change(peer, by: now - bytes)
  }
}
