/// Builds messages as exporters write them, for tests that read like a template's description.
enum Export {
  struct Field {
    var enterprise: UInt32 = 0
    var element: UInt16
    var length: UInt16
    init(_ element: UInt16, _ length: UInt16, of enterprise: UInt32 = 0) {
      (self.enterprise, self.element, self.length) = (enterprise, element, length)
    }
  }

  static let variable: UInt16 = 65535

  static func number(_ value: UInt64, _ bytes: Int) -> [UInt8] {
    (0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  /// A string in a field of fixed length.
  static func text(_ text: String, _ length: Int) -> [UInt8] { Array(text.utf8) + [UInt8](repeating: 0, count: length - text.utf8.count) }

  /// A value of variable length, with one length byte or three.
  static func value(_ bytes: [UInt8], long: Bool = false) -> [UInt8] {
    long || bytes.count > 254 ? [255] + number(UInt64(bytes.count), 2) + bytes : [UInt8(bytes.count)] + bytes
  }

  static func value(_ text: String, long: Bool = false) -> [UInt8] { value(Array(text.utf8), long: long) }

  static func set(_ id: UInt16, padded: Bool = false, _ body: [UInt8]...) -> [UInt8] {
    let body = body.flatMap { $0 }
    let padding = padded ? (4 - body.count % 4) % 4 : 0
    return number(UInt64(id), 2) + number(UInt64(4 + body.count + padding), 2) + body + [UInt8](repeating: 0, count: padding)
  }

  static func template(_ id: UInt16, _ fields: [Field]) -> [UInt8] {
    number(UInt64(id), 2) + number(UInt64(fields.count), 2) + fields.flatMap(wire)
  }

  /// An IPFIX options template.
  static func options(_ id: UInt16, scopes: [Field], _ fields: [Field]) -> [UInt8] {
    number(UInt64(id), 2) + number(UInt64(scopes.count + fields.count), 2) + number(UInt64(scopes.count), 2)
      + (scopes + fields).flatMap(wire)
  }

  /// One of NetFlow 9: scopes are types of its own, counts are in bytes.
  static func options9(_ id: UInt16, scopes: [Field], _ fields: [Field]) -> [UInt8] {
    number(UInt64(id), 2) + number(UInt64(4 * scopes.count), 2) + number(UInt64(4 * fields.count), 2) + (scopes + fields).flatMap(wire)
  }

  private static func wire(_ field: Field) -> [UInt8] {
    number(UInt64(field.element) | (field.enterprise == 0 ? 0 : 0x8000), 2) + number(UInt64(field.length), 2)
      + (field.enterprise == 0 ? [] : number(UInt64(field.enterprise), 4))
  }

  /// An IPFIX message of domain 7.
  static func ipfix(_ sets: [UInt8]...) -> [UInt8] { HostileShapesTests.message(sets.flatMap { $0 }) }

  /// A message of NetFlow 9.
  static func version9(_ sets: [UInt8]...) -> [UInt8] { NetFlowTests.message9(sets.flatMap { $0 }) }
}
