/// Text of addresses and octets, and back. Only canonical text is read back: what is printed differently is no address.
public enum AddressText {
  public static func ip4(_ address: UInt32) -> String {
    "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
  }

  /// RFC 5952.
  public static func ip6(_ bytes: [UInt8]) -> String {
    guard bytes.count == 16 else { return hex(bytes) }
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    var best = (start: 0, length: 0)
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > best.length, end - start > 1 { best = (start, end - start) }
      start = max(end, start + 1)
    }
    if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xffff {
      return "::ffff:" + ip4(UInt32(groups[6]) << 16 | UInt32(groups[7]))
    }
    if best.length == 0 { return groups.map { String($0, radix: 16) }.joined(separator: ":") }
    let head = groups[..<best.start].map { String($0, radix: 16) }.joined(separator: ":")
    let tail = groups[(best.start + best.length)...].map { String($0, radix: 16) }.joined(separator: ":")
    return head + "::" + tail
  }

  public static func mac(_ address: UInt64) -> String {
    (0..<6).map { byte in
      let value = UInt8(truncatingIfNeeded: address >> (8 * (5 - UInt64(byte))))
      return hexDigits(value)
    }.joined(separator: ":")
  }

  public static func hex(_ bytes: [UInt8]) -> String { "0x" + bytes.map(hexDigits).joined() }

  private static func hexDigits(_ value: UInt8) -> String {
    let text = String(value, radix: 16)
    return value < 16 ? "0" + text : text
  }

  /// The address whose canonical text this is.
  public static func parseIP4(_ text: String) -> UInt32? {
    var text = text
    return text.withUTF8 { parseIP4($0) }
  }

  public static func parseIP4(_ text: UnsafeBufferPointer<UInt8>) -> UInt32? {
    guard text.count >= 7, text.count <= 15 else { return nil }
    var address: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3 else { return nil }
        address = address << 8 | part
        (part, digits, parts) = (0, 0, parts + 1)
      } else {
        guard byte >= 48, byte <= 57, digits < 3, digits == 0 || part > 0 else { return nil }
        part = part * 10 + UInt32(byte - 48)
        digits += 1
        if part > 255 { return nil }
      }
    }
    guard parts == 3, digits > 0 else { return nil }
    return address << 8 | part
  }

  /// Any text form of an IPv6 address.
  public static func parseIP6(_ text: String) -> Address? {
    var text = text
    return text.withUTF8 { parseIP6($0) }
  }

  public static func parseIP6(_ text: UnsafeBufferPointer<UInt8>) -> Address? {
    guard text.count >= 2, text.count <= 45 else { return nil }
    let colon = UInt8(ascii: ":")
    /// The groups read so far, how many they are, and how many of them stand before `::`.
    var (value, groups, gap) = (UInt128(0), 0, Int?.none)
    var (group, digits, index) = (UInt128(0), 0, 0)
    if text[0] == colon {
      guard text[1] == colon else { return nil }
      (gap, index) = (0, 2)
    }
    while index < text.count {
      let byte = text[index]
      if let digit = hexDigit(byte) {
        guard digits < 4 else { return nil }
        (group, digits, index) = (group << 4 | UInt128(digit), digits + 1, index + 1)
      } else if byte == colon {
        guard digits > 0, groups < 8 else { return nil }
        (value, groups, group, digits, index) = (value << 16 | group, groups + 1, 0, 0, index + 1)
        guard index < text.count else { return nil }
        if text[index] == colon {
          guard gap == nil else { return nil }
          (gap, index) = (groups, index + 1)
        }
      } else {
        // The last 32 bits may be written as an IPv4 address.
        guard byte == UInt8(ascii: "."), groups <= 6, let ip4 = parseIP4(UnsafeBufferPointer(rebasing: text[(index - digits)...])) else {
          return nil
        }
        (value, groups, digits, index) = (value << 32 | UInt128(ip4), groups + 2, 0, text.count)
      }
    }
    if digits > 0 { (value, groups) = (value << 16 | group, groups + 1) }
    if let gap {
      guard groups <= 7 else { return nil }
      let behind = UInt128(16 * (groups - gap))
      let tail = value & ((UInt128(1) << behind) - 1)
      value = (gap == 0 ? 0 : (value >> behind) << UInt128(16 * (8 - gap))) | tail
    } else {
      guard groups == 8 else { return nil }
    }
    return Address(ip6High: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }

  public static func parseMAC(_ text: String) -> UInt64? {
    guard text.utf8.count == 17 else { return nil }
    var address: UInt64 = 0
    for (index, byte) in text.utf8.enumerated() {
      if index % 3 == 2 {
        guard byte == UInt8(ascii: ":") else { return nil }
        continue
      }
      switch byte {
      case 48...57: address = address << 4 | UInt64(byte - 48)
      case 97...102: address = address << 4 | UInt64(byte - 87)
      default: return nil
      }
    }
    return address
  }
}
