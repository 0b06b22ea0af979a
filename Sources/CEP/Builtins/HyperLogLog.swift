internal import EventModel

/// How many distinct values a stream has, in at most 4 KiB: exact to 256, then with a standard error of 1.6 %
/// (Flajolet et al., 4,096 registers, linear counting for small sets).
struct HyperLogLog {
  private static let bits: UInt64 = 12
  private static let registerCount = 1 << 12
  private static let exactLimit = 256

  private var exact: Set<UInt64> = []
  private var registers: [UInt8] = []

  /// - Parameter key: 64 bits that differ where the values do.
  mutating func add(_ key: UInt64) {
    // The estimate takes every bit for random; a key's need not be.
    var hash = key
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    addMixed(hash ^ (hash >> 33))
  }

  private mutating func addMixed(_ hash: UInt64) {
    if registers.isEmpty {
      exact.insert(hash)
      if exact.count > Self.exactLimit { spill() }
    } else {
      count(hash)
    }
  }

  /// Takes in what another has seen.
  mutating func merge(_ other: HyperLogLog) {
    if other.registers.isEmpty {
      for hash in other.exact { addMixed(hash) }
    } else {
      if registers.isEmpty { spill() }
      for i in registers.indices { registers[i] = max(registers[i], other.registers[i]) }
    }
  }

  var estimate: Double {
    if registers.isEmpty { return Double(exact.count) }
    let m = Double(Self.registerCount)
    var sum = 0.0
    var zeros = 0
    for register in registers {
      sum += 1 / Double(UInt64(1) << UInt64(register))
      if register == 0 { zeros += 1 }
    }
    let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
    return raw <= 2.5 * m && zeros > 0 ? m * (m / Double(zeros)).logarithm() : raw
  }

  mutating func exchange(_ archive: StateArchive) {
    var hashes = Array(exact)
    archive.array(&hashes, blank: 0) { archive.word(&$0) }
    archive.octets(&registers)
    guard archive.isRestoring else { return }
    exact = Set(hashes)
    if !registers.isEmpty, registers.count != Self.registerCount { archive.fail("a sketch of another size") }
  }

  private mutating func spill() {
    registers = [UInt8](repeating: 0, count: Self.registerCount)
    for hash in exact { count(hash) }
    exact = []
  }

  private mutating func count(_ hash: UInt64) {
    let index = Int(hash >> (64 - Self.bits))
    let rank = UInt8(min(64 - Int(Self.bits), (hash << Self.bits).leadingZeroBitCount) + 1)
    if rank > registers[index] { registers[index] = rank }
  }
}
