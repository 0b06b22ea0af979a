/// The type of a property, column or expression, as EPL declares it.
///
/// A declared type governs arithmetic; a value keeps its own width (`flowEndMilliseconds int` holds 64 bits).
public indirect enum ValueType: Hashable, Sendable {
  /// The type of the literal `null`.
  case null
  case boolean
  case byte
  case short
  case int
  case long
  case float
  case double
  case bigInteger
  case bigDecimal
  case character
  case string
  /// An IPv4 or IPv6 address.
  case address
  /// An octet array.
  case octets
  case array(ValueType)
  /// A row of another event type.
  case event(EventType)
  /// A map or object without declared properties.
  case map
  /// Anything else, with the name that the declaration gave it.
  case object(String)

  public var isNumeric: Bool {
    switch self {
    case .byte, .short, .int, .long, .float, .double, .bigInteger, .bigDecimal: true
    default: false
    }
  }

  /// Whether values are held as 64-bit integers.
  public var isInteger: Bool {
    switch self {
    case .byte, .short, .int, .long, .bigInteger: true
    default: false
    }
  }

  public var isFloating: Bool { self == .float || self == .double || self == .bigDecimal }
  public var isText: Bool { self == .string || self == .character }

  public var eventType: EventType? {
    if case .event(let type) = self { return type }
    return nil
  }

  public var element: ValueType? {
    if case .array(let element) = self { return element }
    return nil
  }

  /// The type of `a op b` for `+ - * %`: int for the small integers, else the wider of both. Nil unless both are numeric.
  public static func promoted(_ a: ValueType, _ b: ValueType) -> ValueType? {
    guard a.isNumeric, b.isNumeric else { return nil }
    let order: [ValueType] = [.bigDecimal, .double, .float, .bigInteger, .long]
    for type in order where a == type || b == type {
      if type == .bigInteger, a.isFloating || b.isFloating { return .bigDecimal }
      if type == .float, a == .long || b == .long { return .double }
      return type
    }
    return .int
  }

  /// The name that EPL gives the type, for messages and plans.
  public var name: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .byte: "byte"
    case .short: "short"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bigInteger: "biginteger"
    case .bigDecimal: "bigdecimal"
    case .character: "char"
    case .string: "string"
    case .address: "address"
    case .octets: "octets"
    case .array(let element): element.name + "[]"
    case .event(let type): type.name
    case .map: "map"
    case .object(let name): name
    }
  }

  /// The name that the original gives the type (`Integer`, `String`, `Long`), for comparison with recorded answers.
  public var javaName: String {
    switch self {
    case .null: "null"
    case .boolean: "Boolean"
    case .byte: "Byte"
    case .short: "Short"
    case .int: "Integer"
    case .long: "Long"
    case .float: "Float"
    case .double: "Double"
    case .bigInteger: "BigInteger"
    case .bigDecimal: "BigDecimal"
    case .character: "Character"
    case .string, .address: "String"
    case .octets: "byte[]"
    case .array(let element): element.javaName + "[]"
    case .event: "Map"
    case .map: "Map"
    case .object(let name): name.split(separator: ".").last.map(String.init) ?? name
    }
  }
}
