/// Reads a key as people write it.
public enum KeyText {
  /// 32 characters (each one byte), or 64 hexadecimal digits; line ends at the end do not count. Nil where it is neither.
  public static func bytes(_ text: String) -> [UInt8]? {
    var bytes = Array(text.utf8)
    while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() }
    if bytes.count == CryptoPAn.keyLength { return bytes }
    guard bytes.count == 2 * CryptoPAn.keyLength else { return nil }
    var key: [UInt8] = []
    for index in stride(from: 0, to: bytes.count, by: 2) {
      guard let high = digit(bytes[index]), let low = digit(bytes[index + 1]) else { return nil }
      key.append(high << 4 | low)
    }
    return key
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
    default: nil
    }
  }
}
