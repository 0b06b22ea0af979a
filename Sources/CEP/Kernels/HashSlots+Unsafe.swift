internal import Glibc

/// The slots of a hash table by open addressing. A slot holds a hash in its upper half and a number from 1 on in its lower one; 0 is free.
/// That hash alone says where a slot is looked for: from its lowest bits on, up to the first free one. At most half of the slots are used.
struct HashSlots {
  private(set) var words: UnsafeMutablePointer<UInt64>
  /// A power of two.
  private(set) var count: Int

  private static let least = 256

  /// - Parameter size: for so many entries.
  init(for size: Int = 0) {
    count = Self.count(for: size, from: Self.least)
    words = Self.made(calloc(count, MemoryLayout<UInt64>.stride))
  }

  func deallocate() { free(words) }

  func removeAll() { words.update(repeating: 0, count: count) }

  /// Puts an entry in that is not there.
  func insert(_ entry: UInt64) {
    var slot = Int(entry >> 32) & (count - 1)
    while words[slot] != 0 { slot = (slot + 1) & (count - 1) }
    words[slot] = entry
  }

  /// Makes room for so many entries.
  @inline(__always) mutating func reserve(for size: Int) {
    if size * 2 > count { grow(for: size) }
  }

  /// In the same memory with more behind it: new memory is dear to touch.
  private mutating func grow(for size: Int) {
    let before = count
    count = Self.count(for: size, from: count)
    words = Self.made(realloc(words, count * MemoryLayout<UInt64>.stride))
    (words + before).update(repeating: 0, count: count - before)
    // Each entry stays or moves into the new part. From a free slot on, what lies between an entry's first slot and the entry has had its
    // turn already, so that an entry taken out leaves no gap before another that was put in.
    guard let free = (0..<before).first(where: { words[$0] == 0 }) else { return }
    for step in 1..<before {
      let slot = (free + step) & (before - 1)
      let entry = words[slot]
      guard entry != 0 else { continue }
      words[slot] = 0
      insert(entry)
    }
  }

  private static func count(for size: Int, from least: Int) -> Int {
    var count = least
    while count < size * 2 { count *= 2 }
    return count
  }

  private static func made(_ memory: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<UInt64> {
    guard let memory else { preconditionFailure("out of memory") }
    return memory.assumingMemoryBound(to: UInt64.self)
  }
}
