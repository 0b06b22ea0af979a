/// A small random generator (xoshiro256**, seeded through SplitMix64) whose numbers are the same on every machine.
///
/// Integers only: nothing here depends on floating point or on the standard library's own choice of algorithm, so that one
/// seed gives one capture, byte for byte, for ever.
struct SeededRandom {
  private var a: UInt64, b: UInt64, c: UInt64, d: UInt64

  init(seed: UInt64) {
    var state = seed
    a = SeededRandom.split(&state)
    b = SeededRandom.split(&state)
    c = SeededRandom.split(&state)
    d = SeededRandom.split(&state)
  }

  /// One step of SplitMix64: advances `state` and returns a well mixed number.
  @inline(__always) static func split(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return mix(state)
  }

  /// A fixed scrambling of 64 bits: equal inputs give equal outputs, near inputs give far ones.
  @inline(__always) static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z &>> 31)
  }

  @inline(__always) mutating func next() -> UInt64 {
    let product = b &* 5
    let result = ((product &<< 7) | (product &>> 57)) &* 9
    let t = b &<< 17
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d &<< 45) | (d &>> 19)
    return result
  }

  /// A number in 0 ..< `bound`, by multiplication (the bias is below 2⁻³² for the bounds used here).
  @inline(__always) mutating func below(_ bound: UInt64) -> UInt64 {
    next().multipliedFullWidth(by: bound).high
  }

  @inline(__always) mutating func below(_ bound: Int) -> Int { Int(below(UInt64(bound))) }

  @inline(__always) mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + below(range.upperBound - range.lowerBound + 1)
  }
}
