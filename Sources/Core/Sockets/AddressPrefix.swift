/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
public struct AddressPrefix: Sendable, Hashable {
  private let bytes: SocketAddress.InlineBytes
  private let mask: SocketAddress.InlineBytes

  /// Nil where the text is no prefix.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, !first.isEmpty, let address = SocketAddress(String(first), port: 0) else { return nil }
    let width = address.isIPv4 ? 32 : 128
    var length = width
    if parts.count == 2 {
      guard let written = Int(parts[1]), (0...width).contains(written) else { return nil }
      length = written
    }
    length += 128 - width
    mask = SocketAddress.InlineBytes(high: Self.ones(min(length, 64)), low: Self.ones(max(length - 64, 0)))
    bytes = SocketAddress.InlineBytes(high: address.bytes.high & mask.high, low: address.bytes.low & mask.low)
  }

  private static func ones(_ count: Int) -> UInt64 { count == 0 ? 0 : ~0 << UInt64(64 - count) }

  /// IPv4 and IPv6 never contain each other, but for `::/0`.
  public func contains(_ address: SocketAddress) -> Bool {
    address.bytes.high & mask.high == bytes.high && address.bytes.low & mask.low == bytes.low
  }
}

/// Who may send: nobody is refused where no prefix is given. What is refused is said once per address.
public struct AllowList {
  private let prefixes: [AddressPrefix]
  private var refused: Set<SocketAddress.InlineBytes> = []
  /// So many refused addresses are remembered; of more, nothing is said.
  private static let remembered = 1024

  public init(_ prefixes: [AddressPrefix]) { self.prefixes = prefixes }

  public func allows(_ address: SocketAddress) -> Bool { prefixes.isEmpty || prefixes.contains { $0.contains(address) } }

  /// True the first time that this address is refused.
  public mutating func isFirstRefusal(of address: SocketAddress) -> Bool {
    refused.count < Self.remembered && refused.insert(address.bytes).inserted
  }
}
