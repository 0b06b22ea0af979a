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
  public static func parseIP6(_ text: String) -> [UInt8]? {
    guard text.utf8.count >= 2, text.utf8.count <= 45, text.utf8.contains(UInt8(ascii: ":")) else { return nil }
    var text = text
    var tail: [UInt8] = []
    if let dot = text.firstIndex(of: "."), let colon = text[..<dot].lastIndex(of: ":") {
      guard let ip4 = parseIP4(String(text[text.index(after: colon)...])) else { return nil }
      tail = [UInt8(ip4 >> 24), UInt8(ip4 >> 16 & 255), UInt8(ip4 >> 8 & 255), UInt8(ip4 & 255)]
      text = String(text[..<colon])
      if text.hasSuffix(":") { text += ":" }
      if text.isEmpty { return nil }
    }
    var halves: [[UInt8]] = [[]]
    var rest = Substring(text)
    while true {
      if rest.hasPrefix("::") {
        guard halves.count == 1 else { return nil }
        halves.append([])
        rest = rest.dropFirst(2)
        if rest.isEmpty { break }
      } else if !(halves.count == 1 && halves[0].isEmpty) && !(halves.count == 2 && halves[1].isEmpty) {
        guard rest.hasPrefix(":") else { return nil }
        rest = rest.dropFirst()
      }
      let digits = rest.prefix { $0 != ":" }
      guard digits.count >= 1, digits.count <= 4, let group = UInt16(digits, radix: 16), digits.first != "+" else { return nil }
      halves[halves.count - 1] += [UInt8(group >> 8), UInt8(group & 255)]
      rest = rest.dropFirst(digits.count)
      if rest.isEmpty { break }
    }
    halves[halves.count - 1] += tail
    let count = halves.reduce(0) { $0 + $1.count }
    if halves.count == 1 { return count == 16 ? halves[0] : nil }
    guard count <= 14 else { return nil }
    return halves[0] + [UInt8](repeating: 0, count: 16 - count) + halves[1]
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
