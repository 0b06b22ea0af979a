internal import Glibc

/// The memory of a table that grows: words that begin with a line of the caches, so that rows of as many words as go into a line lie in one each.
struct TableMemory {
  private var block: UnsafeMutableRawPointer
  private(set) var words: UnsafeMutablePointer<UInt64>
  private static let line = 64

  init(capacity: Int) {
    block = Self.room(capacity, nil)
    words = Self.firstLine(of: block)
  }

  /// Makes room for so many words, of which `count` are kept. Large memory is given a further place by the system, whose pages are neither
  /// copied nor touched for it.
  mutating func grow(to capacity: Int, keeping count: Int) {
    let offset = UnsafeRawPointer(words) - UnsafeRawPointer(block)
    block = Self.room(capacity, block)
    words = Self.firstLine(of: block)
    let moved = block + offset
    if moved != UnsafeMutableRawPointer(words) {
      UnsafeMutableRawPointer(words).copyMemory(from: moved, byteCount: count * MemoryLayout<UInt64>.stride)
    }
  }

  func deallocate() { free(block) }

  private static func room(_ capacity: Int, _ block: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer {
    guard let room = realloc(block, capacity * MemoryLayout<UInt64>.stride + line) else { preconditionFailure("out of memory") }
    return room
  }

  private static func firstLine(of block: UnsafeMutableRawPointer) -> UnsafeMutablePointer<UInt64> {
    block.alignedUp(toMultipleOf: line).assumingMemoryBound(to: UInt64.self)
  }
}
