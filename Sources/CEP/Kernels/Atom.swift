/// A value as a kernel holds it: what kind it is, and 64 bits. Numbers and IPv4 and MAC addresses stand for themselves, texts and octets
/// for their number in the interner.
struct Atom: BitwiseCopyable, Equatable {
  enum Kind: UInt8 { case null, int, double, bool, ip4, mac, text, ip6, octets }

  var kind: UInt8
  var word: UInt64

  static var null: Atom { Atom(kind: Kind.null.rawValue, word: 0) }
  init(_ kind: Kind, _ word: UInt64) { self.init(kind: kind.rawValue, word: word) }
  init(kind: UInt8, word: UInt64) {
    self.kind = kind
    self.word = word
  }
}

/// The keys of hashing, drawn once: nobody outside can choose values that collide.
struct HashKey {
  let first: UInt64
  let second: UInt64

  init(seed: UInt64) {
    var state = seed
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
      return value ^ value >> 31
    }
    first = next()
    second = next() | 1
  }

  @inline(__always)
  func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ first).multipliedFullWidth(by: word ^ second)
    return product.high ^ product.low
  }
}
