/// A hash that nobody outside the process can foresee: keys come from the network, and whoever chooses them must not choose where in a
/// table they stand.
///
/// Both factors of each multiplication are under a secret, so that no chosen word makes a product zero whatever came before it.
public struct KeyedHash: Sendable, BitwiseCopyable {
  @usableFromInline let first: UInt64
  @usableFromInline let second: UInt64

  /// Under a secret of the process.
  @inlinable public init() { self = KeyedHash.ofProcess }

  /// Under a known seed, for tests and for tables of their own.
  @inlinable public init(seed: UInt64) {
    first = KeyedHash.spread(seed &+ 0x9e37_79b9_7f4a_7c15)
    second = KeyedHash.spread(seed &+ 0x3c6e_f372_fe94_f82a)
  }

  @usableFromInline static let ofProcess = KeyedHash(seed: UInt64.random(in: .min ... .max))

  /// One step: what was hashed before, and another word.
  @inlinable @inline(__always)
  public func step(_ state: UInt64, _ word: UInt64) -> UInt64 {
    let product = (state ^ first).multipliedFullWidth(by: word ^ second)
    return product.high ^ product.low
  }

  @inlinable public func of(_ word: UInt64) -> UInt64 { step(step(0, word), first) }
  @inlinable public func of(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 { step(step(step(step(0, a), b), c), first) }

  /// Of bytes, their number included.
  @inlinable public func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var state = step(0, UInt64(bytes.count))
    var index = 0
    while index + 8 <= bytes.count {
      state = step(state, bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    var last: UInt64 = 0
    while index < bytes.count {
      last = last << 8 | UInt64(bytes[index])
      index += 1
    }
    return step(step(state, last), first)
  }

  /// Every bit of the result depends on every bit of the word (the finalizer of SplitMix64).
  @usableFromInline static func spread(_ word: UInt64) -> UInt64 {
    var word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
