public import EventModel

/// Reads JSON (RFC 8259) from bytes. Integers keep 64 bits; what is larger, or has a fraction or exponent, is a double.
public struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0
  /// Deeper nesting is refused, so that no input can exhaust the stack.
  private static let deepest = 128

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The value that a text holds, with nothing but white space around it. Objects become maps.
  public static func parse(_ text: String) throws(JSONError) -> Value { try parse(Array(text.utf8)) }

  public static func parse(_ bytes: [UInt8]) throws(JSONError) -> Value {
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<Value, JSONError> in
      do throws(JSONError) {
        var reader = JSONReader(buffer)
        let value = try reader.value(depth: 0)
        try reader.end()
        return .success(value)
      } catch { return .failure(error) }
    }
    return try result.get()
  }

  func error(_ reason: String) -> JSONError { JSONError(offset: position, reason: reason) }

  mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 32 || bytes[position] == 10 || bytes[position] == 13 || bytes[position] == 9 {
      position += 1
    }
  }

  /// The next byte that is no white space; nil at the end.
  @inline(__always)
  mutating func peek() -> UInt8? {
    if position < bytes.count, bytes[position] > 32 { return bytes[position] }
    skipSpace()
    return position < bytes.count ? bytes[position] : nil
  }

  mutating func expect(_ byte: UInt8) throws(JSONError) {
    guard peek() == byte else { throw error("expected '\(Character(UnicodeScalar(byte)))'") }
    position += 1
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  mutating func end() throws(JSONError) { if peek() != nil { throw error("unexpected text after the value") } }

  mutating func value(depth: Int) throws(JSONError) -> Value {
    guard depth < JSONReader.deepest else { throw error("nested too deep") }
    guard let byte = peek() else { throw error("unexpected end") }
    switch byte {
    case UInt8(ascii: "{"): return .map(ValueMap(try object(depth: depth)))
    case UInt8(ascii: "["): return .array(try array(depth: depth))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  /// Reads over a value, which must be one.
  mutating func skip(depth: Int) throws(JSONError) {
    guard depth < JSONReader.deepest else { throw error("nested too deep") }
    switch peek() ?? 0 {
    case UInt8(ascii: "{"):
      position += 1
      if take(UInt8(ascii: "}")) { return }
      repeat {
        guard peek() == UInt8(ascii: "\"") else { throw error("expected a name") }
        try skipString()
        try expect(UInt8(ascii: ":"))
        try skip(depth: depth + 1)
      } while take(UInt8(ascii: ","))
      try expect(UInt8(ascii: "}"))
    case UInt8(ascii: "["):
      position += 1
      if take(UInt8(ascii: "]")) { return }
      repeat { try skip(depth: depth + 1) } while take(UInt8(ascii: ","))
      try expect(UInt8(ascii: "]"))
    case UInt8(ascii: "\""): try skipString()
    case UInt8(ascii: "1")...UInt8(ascii: "9"): try skipNumber()
    default: _ = try value(depth: depth)
    }
  }

  /// A number that begins with no zero: mostly digits alone, with no need to know which.
  private mutating func skipNumber() throws(JSONError) {
    var end = position
    while end < bytes.count, bytes[end] &- 48 < 10 { end += 1 }
    guard end < bytes.count, bytes[end] == UInt8(ascii: ",") || bytes[end] == UInt8(ascii: "}") else {
      _ = try number()
      return
    }
    position = end
  }

  private mutating func skipString() throws(JSONError) { if try plainString() == nil { _ = try string() } }

  private mutating func object(depth: Int) throws(JSONError) -> [(key: String, value: Value)] {
    try expect(UInt8(ascii: "{"))
    var entries: [(key: String, value: Value)] = []
    if take(UInt8(ascii: "}")) { return entries }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw error("expected a name") }
      let key = try string()
      try expect(UInt8(ascii: ":"))
      entries.append((key, try value(depth: depth + 1)))
    } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
    return entries
  }

  private mutating func array(depth: Int) throws(JSONError) -> [Value] {
    try expect(UInt8(ascii: "["))
    var values: [Value] = []
    if take(UInt8(ascii: "]")) { return values }
    repeat { values.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return values
  }

  private mutating func literal(_ word: StaticString, _ value: Value) throws(JSONError) -> Value {
    let length = word.utf8CodeUnitCount
    guard position + length <= bytes.count else { throw error("unexpected end") }
    for index in 0..<length where bytes[position + index] != word.utf8Start[index] { throw error("expected \(word)") }
    position += length
    return value
  }

  /// The bytes of a string without escapes; nil where it has some (the position is then unchanged).
  mutating func plainString() throws(JSONError) -> UnsafeBufferPointer<UInt8>? {
    let start = position + 1
    let index = endOfPlain(start)
    if index < bytes.count, bytes[index] == UInt8(ascii: "\\") { return nil }
    position = index
    guard index < bytes.count else { throw error("unterminated string") }
    guard bytes[index] == UInt8(ascii: "\"") else { throw error("a control character in a string") }
    position = index + 1
    return UnsafeBufferPointer(rebasing: bytes[start..<index])
  }

  mutating func string() throws(JSONError) -> String {
    if let plain = try plainString() { return String(decoding: plain, as: UTF8.self) }
    position += 1
    var text: [UInt8] = []
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &text)
      case 0..<32: throw error("a control character in a string")
      default: text.append(byte)
      }
    }
    throw error("unterminated string")
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard position < bytes.count else { throw error("unterminated string") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var unit = try hexUnit()
      if unit >= 0xd800, unit < 0xdc00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexUnit()
        unit = low >= 0xdc00 && low < 0xe000 ? 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00) : 0xfffd
      }
      text += Array(String(UnicodeScalar(unit) ?? "\u{fffd}").utf8)
    default: throw error("unknown escape")
    }
  }

  private mutating func hexUnit() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw error("unterminated escape") }
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue else { throw error("no hexadecimal digit") }
      unit = unit << 4 | UInt32(digit)
      position += 1
    }
    return unit
  }

  mutating func number() throws(JSONError) -> Value {
    let start = position
    let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let firstDigit = position
    var magnitude: UInt64 = 0
    var fits = true
    // So many digits fit in any case.
    let plain = min(bytes.count, firstDigit + 18)
    while position < plain, bytes[position] &- 48 < 10 {
      magnitude = magnitude &* 10 &+ UInt64(bytes[position] &- 48)
      position += 1
    }
    while position < bytes.count, bytes[position] &- 48 < 10 {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[position] - 48))
      magnitude = sum
      if overflow || carry { fits = false }
      position += 1
    }
    guard position > firstDigit else { throw error("expected a value") }
    if bytes[firstDigit] == 48, position > firstDigit + 1 { throw error("a number with a leading zero") }
    if position == bytes.count || (bytes[position] != 46 && bytes[position] | 32 != 101) {
      if fits, magnitude <= UInt64(Int64.max) { return .int(isNegative ? -Int64(magnitude) : Int64(magnitude)) }
      if fits, isNegative, magnitude == UInt64(Int64.max) + 1 { return .int(.min) }
    }
    return .double(try double(from: start))
  }

  private mutating func double(from start: Int) throws(JSONError) -> Double {
    if position < bytes.count, bytes[position] == 46 {
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 32 == 101 {
      position += 1
      if position < bytes.count, bytes[position] == 43 || bytes[position] == 45 { position += 1 }
      try digits()
    }
    guard let number = Double(String(decoding: bytes[start..<position], as: UTF8.self)) else { throw error("no number") }
    return number
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while position < bytes.count, bytes[position] &- 48 < 10 { position += 1 }
    if position == start { throw error("expected a digit") }
  }
}
