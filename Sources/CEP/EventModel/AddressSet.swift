/// Addresses and prefixes of both families. Membership costs a probe per prefix length in use: at most 33 for IPv4 and 129 for IPv6,
/// however many entries there are.
public struct AddressSet: Sendable {
  private var ip4 = PrefixTable<IP4Key>()
  private var ip6 = PrefixTable<IP6Key>()

  public init() {}

  public init(_ prefixes: some Sequence<AddressPrefix>) {
    for prefix in prefixes { insert(prefix) }
  }

  /// The number of different entries.
  public var count: Int { ip4.count + ip6.count }

  public mutating func insert(_ prefix: AddressPrefix) {
    if prefix.isIP4 {
      ip4.insert(UInt32(truncatingIfNeeded: prefix.low), length: prefix.length)
    } else {
      ip6.insert(UInt128(prefix.high) << 64 | UInt128(prefix.low), length: prefix.length)
    }
  }

  public func contains(ip4 address: UInt32) -> Bool { ip4.contains(address) }

  public func contains(_ address: Address) -> Bool {
    if address.isIP4 { return ip4.contains(UInt32(truncatingIfNeeded: address.low)) }
    return ip6.contains(UInt128(address.high) << 64 | UInt128(address.low))
  }
}

/// An address cut to a prefix length, with the length in it: what stands in a slot of a table. The zero key marks an empty slot.
private protocol PrefixKey: Equatable, Sendable {
  associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable
  static var empty: Self { get }
  init(_ bits: Bits, length: Int)
  func hash(_ hash: KeyedHash) -> UInt64
}

private struct IP4Key: PrefixKey {
  let word: UInt64
  static var empty: IP4Key { IP4Key(word: 0) }
  private init(word: UInt64) { self.word = word }
  init(_ bits: UInt32, length: Int) { word = UInt64(bits) << 8 | UInt64(length + 1) }
  func hash(_ hash: KeyedHash) -> UInt64 { hash.of(word) }
}

private struct IP6Key: PrefixKey {
  let bits: UInt128
  let length: UInt8
  static var empty: IP6Key { IP6Key(bits: 0, length: 0) }
  private init(bits: UInt128, length: UInt8) {
    self.bits = bits
    self.length = length
  }
  init(_ bits: UInt128, length: Int) { self.init(bits: bits, length: UInt8(length + 1)) }
  func hash(_ hash: KeyedHash) -> UInt64 {
    hash.of(UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits), UInt64(length))
  }
}

/// Open addressing, at most half full, and the prefix lengths that are in use.
private struct PrefixTable<Key: PrefixKey>: Sendable {
  private(set) var count = 0
  private var slots: [Key] = []
  private var lengths: [(length: Int, mask: Key.Bits)] = []
  private let hash = KeyedHash()

  mutating func insert(_ bits: Key.Bits, length: Int) {
    if slots.count < 2 * (count + 1) { grow() }
    let mask: Key.Bits = length == 0 ? 0 : ~0 << (Key.Bits.bitWidth - length)
    let place = place(of: Key(bits & mask, length: length))
    guard slots[place] == .empty else { return }
    slots[place] = Key(bits & mask, length: length)
    count += 1
    if !lengths.contains(where: { $0.length == length }) { lengths.append((length, mask)) }
  }

  func contains(_ bits: Key.Bits) -> Bool {
    for (length, mask) in lengths where slots[place(of: Key(bits & mask, length: length))] != .empty { return true }
    return false
  }

  /// The slot that holds the key, or the empty one where it would stand.
  private func place(of key: Key) -> Int {
    let last = slots.count - 1
    var place = Int(truncatingIfNeeded: key.hash(hash)) & last
    while slots[place] != .empty, slots[place] != key { place = (place + 1) & last }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: .empty, count: max(16, old.count * 2))
    for key in old where key != .empty { slots[place(of: key)] = key }
  }
}
