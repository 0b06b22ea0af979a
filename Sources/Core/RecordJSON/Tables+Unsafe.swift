// Tables that the value writers read. One block of memory per writer, made once: a global would cost a check on every access.

/// Where each table begins in the block.
struct Tables {
  /// 256 × 4 bytes: "0." … "255.".
  let octets: UnsafeMutablePointer<UInt32>
  /// 256 lengths of the texts above, dot included.
  let octetLengths: UnsafeMutablePointer<UInt8>
  /// 256 × 2 bytes: "00" … "ff".
  let hex: UnsafeMutablePointer<UInt16>
  /// Of each set of an IPv6 address's groups that are zero, a bit for each, the first lowest: where the longest run of two or more begins,
  /// in the lower four bits (8 where there is none), and its length in the upper four.
  let zeroRuns: UnsafeMutablePointer<UInt8>
  /// 64 × 8 bytes: "......" … "UAPRSF".
  let flags: UnsafeMutablePointer<UInt64>
  /// 256 × 16 bytes: protocol names.
  let protocols: UnsafeMutablePointer<SIMD16<UInt8>>
  let protocolLengths: UnsafeMutablePointer<UInt8>
  /// What a byte of a string needs: 0 nothing, 1 an escape of `shortEscape`, 2 `\u00xx`, 3 a look at UTF-8.
  let classes: UnsafeMutablePointer<UInt8>
  /// The letter behind the backslash, for bytes of class 1.
  let shortEscapes: UnsafeMutablePointer<UInt8>

  static func make() -> Tables {
    let tables = Tables(
      octets: .allocate(capacity: 256), octetLengths: .allocate(capacity: 256), hex: .allocate(capacity: 256),
      zeroRuns: .allocate(capacity: 256), flags: .allocate(capacity: 64), protocols: .allocate(capacity: 256),
      protocolLengths: .allocate(capacity: 256), classes: .allocate(capacity: 256), shortEscapes: .allocate(capacity: 256))
    for value in 0..<256 { tables.fill(value) }
    for value in 0..<64 { tables.fillFlags(value) }
    return tables
  }

  func free() {
    octets.deallocate()
    octetLengths.deallocate()
    hex.deallocate()
    zeroRuns.deallocate()
    flags.deallocate()
    protocols.deallocate()
    protocolLengths.deallocate()
    classes.deallocate()
    shortEscapes.deallocate()
  }

  private func fill(_ value: Int) {
    let digits = Array("\(value).".utf8)
    octets[value] = digits.enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
    octetLengths[value] = UInt8(digits.count)
    let letters = Array("0123456789abcdef".utf8)
    hex[value] = UInt16(letters[value >> 4]) | UInt16(letters[value & 15]) << 8
    fillZeroRuns(value)
    fillProtocol(value)
    (classes[value], shortEscapes[value]) = (value < 0x20 ? 2 : value < 0x80 ? 0 : 3, 0)
    for (byte, letter) in [(34, "\""), (92, "\\"), (8, "b"), (9, "t"), (10, "n"), (12, "f"), (13, "r")] where byte == value {
      (classes[value], shortEscapes[value]) = (1, letter.utf8.first ?? 0)
    }
  }

  private func fillZeroRuns(_ value: Int) {
    var (best, bestLength, run) = (8, 1, 0)
    for group in 0..<8 {
      run = value >> group & 1 == 1 ? run + 1 : 0
      if run > bestLength { (best, bestLength) = (group - run + 1, run) }
    }
    zeroRuns[value] = UInt8(best < 8 ? best | bestLength << 4 : 8)
  }

  /// A number without a name is written as its digits, still as text: a field keeps one type.
  private func fillProtocol(_ value: Int) {
    let name = ProtocolNames.name(of: value).map { Array($0.description.utf8) } ?? Array("\(value)".utf8)
    var padded = SIMD16<UInt8>(repeating: 0)
    for (index, byte) in name.prefix(16).enumerated() { padded[index] = byte }
    protocols[value] = padded
    protocolLengths[value] = UInt8(min(name.count, 16))
  }

  private func fillFlags(_ value: Int) {
    var text: UInt64 = 0
    for (index, letter) in "UAPRSF".utf8.enumerated() {
      let isSet = value & (32 >> index) != 0
      text |= UInt64(isSet ? letter : 46) << (8 * UInt64(index))
    }
    flags[value] = text
  }
}
