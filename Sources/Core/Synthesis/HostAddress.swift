/// An IPv4 or IPv6 address of the synthetic network.
struct HostAddress: Equatable, Sendable {
  /// The upper 64 bits of an IPv6 address; 0 for IPv4.
  var high: UInt64
  /// The lower 64 bits of an IPv6 address, or an IPv4 address in the low 32.
  var low: UInt64
  var isIPv6: Bool

  static func ipv4(_ value: UInt32) -> HostAddress { HostAddress(high: 0, low: UInt64(value), isIPv6: false) }
  static func ipv4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> HostAddress {
    .ipv4(UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
  }
  static func ipv6(_ high: UInt64, _ low: UInt64) -> HostAddress { HostAddress(high: high, low: low, isIPv6: true) }

  /// The address as text; IPv6 as RFC 5952 recommends.
  var text: String {
    if !isIPv6 { return [24, 16, 8, 0].map { String((low >> $0) & 0xFF) }.joined(separator: ".") }
    let shifts: [UInt64] = [48, 32, 16, 0]
    let groups: [UInt64] = shifts.map { (high >> $0) & 0xFFFF } + shifts.map { (low >> $0) & 0xFFFF }
    var longest = 0..<0
    var i = 0
    while i < 8 {
      let end = groups[i...].firstIndex { $0 != 0 } ?? 8
      if end - i > max(1, longest.count) { longest = i..<end }
      i = max(end, i + 1)
    }
    let hex = { (part: ArraySlice<UInt64>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
    if longest.isEmpty { return hex(groups[...]) }
    return hex(groups[..<longest.lowerBound]) + "::" + hex(groups[longest.upperBound...])
  }
}

/// The synthetic network: everybody has an address from the ranges that are reserved for documentation and benchmarks.
enum Network {
  /// Servers: 198.18.0.0/15 (RFC 2544), or 2001:db8:8000::/48.
  static func server(_ index: Int, ipv6: Bool) -> HostAddress {
    ipv6 ? .ipv6(0x2001_0db8_8000_0000, UInt64(index) + 1) : .ipv4(0xC612_0000 + UInt32(index) & 0x1_FFFF)
  }
  /// Clients: 100.64.0.0/10 (RFC 6598), or one /64 each of 2001:db8:1000::/36.
  static func client(_ index: Int, ipv6: Bool) -> HostAddress {
    ipv6 ? .ipv6(0x2001_0db8_1000_0000 + UInt64(index), 0x10) : .ipv4(0x6440_0000 + UInt32(index) & 0x3F_FFFF)
  }
  /// Who attacks: 203.0.113.0/24 (TEST-NET-3), or one /64 each of 2001:db8:bad::/48.
  static func attacker(_ index: Int, ipv6: Bool) -> HostAddress {
    ipv6 ? .ipv6(0x2001_0db8_0bad_0000 + UInt64(index), 0x66) : .ipv4(203, 0, 113, UInt8(10 + index % 240))
  }
  /// Who only looks like it: 192.0.2.0/24 (TEST-NET-1).
  static func decoy(_ index: Int) -> HostAddress { .ipv4(192, 0, 2, UInt8(10 + index)) }
}
