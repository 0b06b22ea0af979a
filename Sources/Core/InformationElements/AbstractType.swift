/// The abstract data types of RFC 7012 §3.1, numbered as RFC 5610 does.
public enum AbstractType: UInt16, Sendable, CaseIterable {
  case octetArray = 0
  case unsigned8 = 1
  case unsigned16 = 2
  case unsigned32 = 3
  case unsigned64 = 4
  case signed8 = 5
  case signed16 = 6
  case signed32 = 7
  case signed64 = 8
  case float32 = 9
  case float64 = 10
  case boolean = 11
  case macAddress = 12
  case string = 13
  case dateTimeSeconds = 14
  case dateTimeMilliseconds = 15
  case dateTimeMicroseconds = 16
  case dateTimeNanoseconds = 17
  case ipv4Address = 18
  case ipv6Address = 19
  case basicList = 20
  case subTemplateList = 21
  case subTemplateMultiList = 22

  /// The name as in the registry: `unsigned8`.
  public var name: String { Self.names[Int(rawValue)] }

  /// The type of that name, compared without case (some registries write `ipv6address`).
  public init?(name: String) {
    if let found = Self.byName[name] {
      self = found
    } else if let found = Self.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) {
      self = found
    } else {
      return nil
    }
  }

  // In the order of the numbers. Written out: to ask Swift for the names of cases costs a start-up a tenth of a millisecond a type.
  public static let names = [
    "octetArray", "unsigned8", "unsigned16", "unsigned32", "unsigned64", "signed8", "signed16", "signed32", "signed64", "float32",
    "float64",
    "boolean", "macAddress", "string", "dateTimeSeconds", "dateTimeMilliseconds", "dateTimeMicroseconds", "dateTimeNanoseconds",
    "ipv4Address",
    "ipv6Address", "basicList", "subTemplateList", "subTemplateMultiList",
  ]
  private static let byName = Dictionary(uniqueKeysWithValues: zip(names, allCases))

  /// Bytes of a full value; nil where the length is the exporter's choice.
  public var fullLength: Int? {
    switch self {
    case .unsigned8, .signed8, .boolean: 1
    case .unsigned16, .signed16: 2
    case .unsigned32, .signed32, .float32, .dateTimeSeconds, .ipv4Address: 4
    case .macAddress: 6
    case .unsigned64, .signed64, .float64, .dateTimeMilliseconds, .dateTimeMicroseconds, .dateTimeNanoseconds: 8
    case .ipv6Address: 16
    case .octetArray, .string, .basicList, .subTemplateList, .subTemplateMultiList: nil
    }
  }

  public var isUnsigned: Bool { (1...4).contains(rawValue) }
  public var isSigned: Bool { (5...8).contains(rawValue) }
  public var isFloat: Bool { self == .float32 || self == .float64 }
  public var isTime: Bool { (14...17).contains(rawValue) }
  public var isAddress: Bool { self == .ipv4Address || self == .ipv6Address }
  public var isList: Bool { rawValue >= 20 }
}

/// What a value means, RFC 7012 §3.2; numbered as RFC 5610 does.
public enum Semantics: UInt8, Sendable, CaseIterable {
  case `default` = 0
  case quantity = 1
  case totalCounter = 2
  case deltaCounter = 3
  case identifier = 4
  case flags = 5
  case list = 6
  case snmpCounter = 7
  case snmpGauge = 8

  public var name: String { Self.names[Int(rawValue)] }

  public init?(name: String) {
    guard let index = Self.names.firstIndex(of: name), let found = Self(rawValue: UInt8(index)) else { return nil }
    self = found
  }

  public static let names = [
    "default", "quantity", "totalCounter", "deltaCounter", "identifier", "flags", "list", "snmpCounter", "snmpGauge",
  ]
}
