import CLinux

/// The flips of an address's first 21 bits: of 16, by those bits, worked out beforehand; of 5 more, a tree of 31 flips for each 16
/// bits that have been met. Half a MiB: it stays in a processor's own cache.
///
/// Of one thread.
final class HeadFlips {
  static let bits = wholeBits + treeBits
  private static let wholeBits = 16
  private static let treeBits = 5

  /// By the first 16 bits: their flips in the low 16 bits, above them the tree, level by level, and in the highest bit whether it is there.
  private let entries = UnsafeMutablePointer<UInt64>.allocate(capacity: 1 << wholeBits)
  private static let hasTree: UInt64 = 1 << 63

  private let cipher: BlockCipher
  private let pad: SIMD4<UInt32>
  private let blocks = UnsafeMutablePointer<SIMD4<UInt32>>.allocate(capacity: blockCapacity)
  private static let blockCapacity = 1 << 12

  init(_ cipher: BlockCipher, _ pad: SIMD4<UInt32>) {
    (self.cipher, self.pad) = (cipher, pad)
    entries.initialize(repeating: 0, count: 1 << Self.wholeBits)
    fillFirst()
  }

  deinit {
    entries.deallocate()
    blocks.deallocate()
  }

  /// An address will be asked for soon: the place in memory that it needs is fetched while others are worked on.
  @inline(__always)
  func expect(_ word: UInt32) { flowcep_prefetch(entries + Int(word >> 16)) }

  /// The flips of an address's first word, but for its last 11 bits.
  @inline(__always)
  func flips(of word: UInt32) -> UInt32 {
    let head = Int(word >> 16)
    if entries[head] < Self.hasTree { learnTree(head) }
    let (entry, next) = (entries[head], UInt64(word >> 11 & 31))
    let tree = entry >> 16
    var flips = entry & 0xffff
    for level in 0..<UInt64(Self.treeBits) {
      let before = next >> (UInt64(Self.treeBits) - level)
      flips = flips << 1 | tree >> ((1 << level) - 1 + before) & 1
    }
    return UInt32(truncatingIfNeeded: flips << 11)
  }

  @inline(never)
  private func learnTree(_ head: Int) {
    var count = 0
    for level in 0..<Self.treeBits {
      for before in 0..<1 << level {
        blocks[count] = block(UInt32(head << level | before), bits: Self.wholeBits + level)
        count += 1
      }
    }
    cipher.encrypt(count, from: blocks, to: blocks)
    for index in 0..<count { entries[head] |= UInt64(firstBits(of: blocks + index, 1)) << UInt64(16 + index) }
    entries[head] |= Self.hasTree
  }

  /// Level by level: each prefix of `bit` bits decides one flip, which all addresses that begin with it share.
  private func fillFirst() {
    for bit in 0..<Self.wholeBits {
      let prefixes = 1 << bit
      for start in stride(from: 0, to: prefixes, by: Self.blockCapacity) {
        let count = min(Self.blockCapacity, prefixes - start)
        for index in 0..<count { blocks[index] = block(UInt32(start + index), bits: bit) }
        cipher.encrypt(count, from: blocks, to: blocks)
        for index in 0..<count where firstBits(of: blocks + index, 1) == 1 {
          let first = (start + index) << (16 - bit)
          for prefix in first..<first + 1 << (16 - bit) { entries[prefix] |= 1 << UInt64(15 - bit) }
        }
      }
    }
  }

  /// A prefix, filled up with the pad.
  private func block(_ prefix: UInt32, bits: Int) -> SIMD4<UInt32> {
    var block = pad
    let mask = bits == 0 ? 0 : UInt32.max << UInt32(32 - bits)
    block[0] = (bits == 0 ? 0 : prefix << UInt32(32 - bits)).bigEndian | pad[0] & ~mask.bigEndian
    return block
  }
}
