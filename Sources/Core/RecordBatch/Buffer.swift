import Synchronization

/// Memory that packets were received into. Goes back to its pool when the last batch that refers to it is gone.
public final class Buffer: @unchecked Sendable {
  public let bytes: UnsafeMutableRawPointer
  public let capacity: Int
  private let pool: BufferPool?

  init(bytes: UnsafeMutableRawPointer, capacity: Int, pool: BufferPool?) {
    self.bytes = bytes
    self.capacity = capacity
    self.pool = pool
  }

  /// A buffer of no pool.
  public convenience init(capacity: Int) {
    self.init(bytes: .allocate(byteCount: max(1, capacity), alignment: 16), capacity: capacity, pool: nil)
  }

  deinit {
    if let pool { pool.giveBack(bytes, capacity) } else { bytes.deallocate() }
  }
}

/// Keeps buffers of one size for reuse, so that a steady flow takes no memory from the system.
public final class BufferPool: Sendable {
  private struct State: ~Copyable {
    var free: [UInt] = []
  }

  /// Bytes of each pooled buffer; larger requests are served, but not kept.
  public let size: Int
  private let kept: Int
  private let state = Mutex(State())

  /// - Parameter kept: how many free buffers are held on to.
  public init(size: Int = 1 << 18, kept: Int = 32) {
    self.size = size
    self.kept = kept
  }

  deinit {
    state.withLock { state in
      for address in state.free { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }
  }

  public func take(capacity: Int) -> Buffer {
    guard capacity <= size else { return Buffer(capacity: capacity) }
    let address = state.withLock { $0.free.popLast() }
    let bytes = address.flatMap { UnsafeMutableRawPointer(bitPattern: $0) } ?? .allocate(byteCount: size, alignment: 64)
    return Buffer(bytes: bytes, capacity: size, pool: self)
  }

  func giveBack(_ bytes: UnsafeMutableRawPointer, _ capacity: Int) {
    let surplus = state.withLock { state in
      if state.free.count >= kept { return true }
      state.free.append(UInt(bitPattern: bytes))
      return false
    }
    if surplus { bytes.deallocate() }
  }
}
