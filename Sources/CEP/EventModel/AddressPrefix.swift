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
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = Address(text: String(parts[0])) else { return nil }
    if parts.count == 1 {
      self.init(address, length: address.isIP4 ? 32 : 128)
    } else {
      guard parts[1].utf8.count <= 3, parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let length = Int(parts[1]) else { return nil }
      self.init(address, length: length)
    }
  }

  @inlinable public func contains(_ address: Address) -> Bool {
    guard address.isIP4 == isIP4 else { return false }
    let (highMask, lowMask) = Self.masks(isIP4: isIP4, length)
    return address.high & highMask == high && address.low & lowMask == low
  }

  public var text: String {
    let address = isIP4 ? Address(ip4: UInt32(truncatingIfNeeded: low)) : Address(ip6High: high, low: low)
    return (address.value.text ?? "") + "/\(length)"
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
    if let ip4 = AddressText.parseIP4(text) {
      self.init(ip4: ip4)
    } else if let bytes = AddressText.parseIP6(text) {
      self.init(ip6: bytes)
    } else {
      return nil
    }
  }

  /// - Parameter bytes: 16 of them.
  init?(ip6 bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.init(
      ip6High: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }, low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The address that a value is, or whose text it is; nil for anything else.
  public init?(_ value: Value) {
    switch value {
    case .ip4(let address): self.init(ip4: address)
    case .octets(let octets): self.init(ip6: octets.bytes)
    case .string(let text): self.init(text: text)
    default: return nil
    }
  }
}
