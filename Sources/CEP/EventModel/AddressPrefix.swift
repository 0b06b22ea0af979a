/// An IPv4 or IPv6 prefix: `10.0.0.0/8`, `2001:db8::/32`; an address alone is the prefix of its full length.
public struct AddressPrefix: Hashable, Sendable {
  public let isIP4: Bool
  /// Bits that count, from the first.
  public let length: Int
  /// The address with all other bits zero.
  public let high: UInt64
  public let low: UInt64

  /// - Parameter length: 0 to 32 for IPv4, 0 to 128 for IPv6; nil for any other.
  public init?(_ address: Address, length: Int) {
    guard length >= 0, length <= (address.isIP4 ? 32 : 128) else { return nil }
    isIP4 = address.isIP4
    self.length = length
    let (highMask, lowMask) = Self.masks(isIP4: address.isIP4, length)
    high = address.high & highMask
    low = address.low & lowMask
  }

  /// Nil where the text is no prefix. Bits behind the length may be set; they do not count.
  public init?(_ text: String) {
    var text = text
    guard let prefix = text.withUTF8({ AddressPrefix($0) }) else { return nil }
    self = prefix
  }

  public init?(_ text: UnsafeBufferPointer<UInt8>) {
    guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else {
      guard let address = Address(text: text) else { return nil }
      self.init(address, length: address.isIP4 ? 32 : 128)
      return
    }
    let digits = text[(slash + 1)...]
    guard let address = Address(text: UnsafeBufferPointer(rebasing: text[..<slash])), (1...3).contains(digits.count),
      digits.allSatisfy({ $0 >= 48 && $0 <= 57 })
    else { return nil }
    self.init(address, length: digits.reduce(0) { $0 * 10 + Int($1 - 48) })
  }

  /// The first address of the prefix.
  public var network: Address { isIP4 ? Address(ip4: UInt32(truncatingIfNeeded: low)) : Address(ip6High: high, low: low) }

  @inlinable public func contains(_ address: Address) -> Bool {
    guard address.isIP4 == isIP4 else { return false }
    let (highMask, lowMask) = Self.masks(isIP4: isIP4, length)
    return address.high & highMask == high && address.low & lowMask == low
  }

  public var text: String {
    (network.value.text ?? "") + "/\(length)"
  }

  @usableFromInline static func masks(isIP4: Bool, _ length: Int) -> (high: UInt64, low: UInt64) {
    if isIP4 { return (0, length == 0 ? 0 : ~UInt64(0) << UInt64(32 - length) & 0xffff_ffff) }
    let high = length == 0 ? 0 : ~UInt64(0) << UInt64(max(0, 64 - length))
    let low = length <= 64 ? 0 : ~UInt64(0) << UInt64(128 - length)
    return (high, low)
  }
}

extension Address {
  /// An address in any text form; nil where the text is none.
  public init?(text: String) {
    var text = text
    guard let address = text.withUTF8({ Address(text: $0) }) else { return nil }
    self = address
  }

  public init?(text: UnsafeBufferPointer<UInt8>) {
    if let ip4 = AddressText.parseIP4(text) {
      self.init(ip4: ip4)
    } else if let ip6 = AddressText.parseIP6(text) {
      self = ip6
    } else {
      return nil
    }
  }

  /// - Parameter bytes: 16 of them.
  public init?(ip6 bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.init(
      ip6High: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }, low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The address that a value is, or whose text it is; nil for anything else.
  public init?(_ value: Value) {
    switch value {
    case .ip4(let address): self.init(ip4: address)
    case .octets(let octets) where octets.kind == .ip6: self.init(ip6: octets.bytes)
    case .string(let text): self.init(text: text)
    default: return nil
    }
  }
}

/// IPv4 before IPv6, and within a family by the bytes.
extension Address: Comparable {
  public static func < (a: Address, b: Address) -> Bool {
    if a.isIP4 != b.isIP4 { return a.isIP4 }
    return a.high != b.high ? a.high < b.high : a.low < b.low
  }
}

extension Value {
  /// Order of two values as addresses: -1, 0, 1; nil where one is none.
  public static func orderAddresses(_ a: Value, _ b: Value) -> Int? {
    if case .ip4(let x) = a, case .ip4(let y) = b { return x < y ? -1 : x > y ? 1 : 0 }
    guard let x = Address(a), let y = Address(b) else { return nil }
    return x < y ? -1 : x == y ? 0 : 1
  }
}
