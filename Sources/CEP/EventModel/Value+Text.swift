extension Value {
  /// The value's text: what `||`, LIKE and ordering see of an address, and what a cast to string gives. Nil for null.
  public var text: String? {
    switch self {
    case .null: nil
    case .bool(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .double(let value): Value.text(of: value)
    case .string(let value): value
    case .ip4(let value): AddressText.ip4(value)
    case .mac(let value): AddressText.mac(value)
    case .octets(let octets): octets.kind == .ip6 ? AddressText.ip6(octets.bytes) : AddressText.hex(octets.bytes)
    case .array(let array): "[" + array.values.map { $0.text ?? "null" }.joined(separator: ", ") + "]"
    case .event(let event):
      "{" + zip(event.type.properties, event.values).map { "\($0.name)=\($1.text ?? "null")" }.joined(separator: ", ") + "}"
    case .map(let map): "{" + map.entries.map { "\($0.key)=\($0.value.text ?? "null")" }.joined(separator: ", ") + "}"
    }
  }

  /// A double as the original writes it: `6.0`, `1.0E10`, `Infinity`.
  public static func text(of value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    let magnitude = abs(value)
    var (digits, exponent) = decimalDigits(magnitude)
    let sign = value.sign == .minus ? "-" : ""
    if magnitude == 0 { return sign + "0.0" }
    if magnitude >= 1e-3, magnitude < 1e7 {
      if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
      if digits.count <= exponent + 1 {
        return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
      }
      let point = digits.index(digits.startIndex, offsetBy: exponent + 1)
      return sign + digits[..<point] + "." + digits[point...]
    }
    let first = digits.removeFirst()
    return "\(sign)\(first).\(digits.isEmpty ? "0" : digits)E\(exponent)"
  }

  /// The shortest digits that give the value back, and the power of ten of the first.
  private static func decimalDigits(_ value: Double) -> (String, Int) {
    let text = "\(value)"
    let parts = text.split(separator: "e")
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    var digits = String(halves[0])
    exponent += digits.count - 1
    if halves.count > 1, halves[1] != "0" { digits += halves[1] }
    while digits.hasPrefix("0"), digits.count > 1 {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    return (digits, exponent)
  }

  /// Order of two values: -1, 0, 1; nil where one is null or they cannot be ordered. Text orders by UTF-16 units.
  public static func order(_ a: Value, _ b: Value) -> Int? {
    switch (a, b) {
    case (.int(let x), .int(let y)): return x < y ? -1 : x > y ? 1 : 0
    case (.null, _), (_, .null): return nil
    case (.bool(let x), .bool(let y)): return x == y ? 0 : y ? -1 : 1
    default: break
    }
    if let x = a.number, let y = b.number { return x < y ? -1 : x > y ? 1 : 0 }
    guard let x = a.text, let y = b.text else { return nil }
    if x.utf8.elementsEqual(y.utf8) { return 0 }
    return x.utf16.lexicographicallyPrecedes(y.utf16) ? -1 : 1
  }
}
