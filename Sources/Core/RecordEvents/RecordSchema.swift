public import EventModel
import PluginABI

/// An information element, as far as events are concerned. The collector's registry gives the rows.
public struct ElementRow: Sendable {
  public var enterprise: UInt32
  public var element: UInt16
  /// An abstract data type by its number in RFC 5610.
  public var type: UInt16
  public var name: String
  public var aliases: [String]

  public init(enterprise: UInt32, element: UInt16, type: UInt16, name: String, aliases: [String]) {
    self.enterprise = enterprise
    self.element = element
    self.type = type
    self.name = name
    self.aliases = aliases
  }
}

/// A property that records can fill: `ipfix.<element>`, by any of the element's names.
public struct RecordProperty: Sendable {
  /// The elements that it stands for, in the order in which they are looked for; the first that a record has counts.
  public var elements: [ElementKey]
  public var shape: ColumnShape
}

public struct ElementKey: Hashable, Sendable {
  public var enterprise: UInt32
  public var element: UInt16

  public init(_ enterprise: UInt32, _ element: UInt16) {
    self.enterprise = enterprise
    self.element = element
  }
}

/// What a property's column holds.
public enum ColumnShape: Sendable {
  /// Integers, and times in ms since 1970.
  case integer
  case double
  case boolean
  case address
  case mac
  case text
  case octets

  /// For messages.
  public var name: String {
    switch self {
    case .integer: "a number"
    case .double: "a floating-point number"
    case .boolean: "a boolean"
    case .address: "an address"
    case .mac: "a MAC address"
    case .text: "text"
    case .octets: "octets"
    }
  }

  init(dataType: Int) {
    switch dataType {
    case FLOWCEP_UNSIGNED8...FLOWCEP_SIGNED64, FLOWCEP_DATE_TIME_SECONDS...FLOWCEP_DATE_TIME_NANOSECONDS: self = .integer
    case FLOWCEP_FLOAT32, FLOWCEP_FLOAT64: self = .double
    case FLOWCEP_BOOLEAN: self = .boolean
    case FLOWCEP_IPV4_ADDRESS, FLOWCEP_IPV6_ADDRESS: self = .address
    case FLOWCEP_MAC_ADDRESS: self = .mac
    case FLOWCEP_STRING: self = .text
    default: self = .octets
    }
  }
}

/// The properties that flow records can fill, and the built-in `IPFIX` schema made of them.
///
/// Addresses, MAC addresses and octet arrays are strings there, as their JSON is: `ipfix.sourceAddress` and
/// `ipfix.destinationAddress` are whichever address family the record has.
public struct RecordSchema: Sendable {
  /// Before every property's name.
  public static let prefix = "ipfix."

  /// The built-in schema: all elements under all their names, in the order of the rows.
  public let eventType: EventType
  /// The first element that bears each property's name, and the others of the few names that several bear.
  private let first: [Bearer]
  private let others: [Int: [Bearer]]

  private struct Bearer {
    let key: ElementKey
    let dataType: UInt16
    var shape: ColumnShape { ColumnShape(dataType: Int(dataType)) }
  }

  /// Some thousand names, at every start: each is looked up once.
  public init(elements rows: some Sequence<ElementRow>) {
    var (names, first, others) = ([String](), [Bearer](), [Int: [Bearer]]())
    var indices = [String: Int](minimumCapacity: 4096)
    func add(_ name: String, _ bearer: Bearer) -> Int {
      let index = Self.place(&indices[name, default: -1], names.count)
      if index == names.count {
        names.append(name)
        first.append(bearer)
      } else {
        others[index, default: []].append(bearer)
      }
      return index
    }
    func addresses(_ name: String, _ ipv4: UInt16, _ ipv6: UInt16) {
      _ = add(Self.prefix + name, Bearer(key: ElementKey(0, ipv4), dataType: UInt16(FLOWCEP_IPV4_ADDRESS)))
      _ = add(Self.prefix + name, Bearer(key: ElementKey(0, ipv6), dataType: UInt16(FLOWCEP_IPV6_ADDRESS)))
    }
    addresses("sourceAddress", 8, 27)
    addresses("destinationAddress", 12, 28)
    let reserved = others
    for row in rows {
      let bearer = Bearer(key: ElementKey(row.enterprise, row.element), dataType: row.type)
      _ = add(Self.prefix + row.name, bearer)
      for alias in row.aliases { _ = add(Self.prefix + alias, bearer) }
    }
    // An element cannot take these two names.
    others.merge(reserved) { $1 }
    (self.first, self.others) = (first, others)
    let properties = names.enumerated().map { index, name in
      let bearer = others[index].map { Self.chosen([first[index]] + $0)[0] } ?? first[index]
      return EventType.Property(name, Self.valueType(Int(bearer.dataType)))
    }
    eventType = EventType(name: "IPFIX", kind: .map, properties: properties, indices: indices)
  }

  /// The place that a name has, or now gets.
  private static func place(_ known: inout Int, _ next: Int) -> Int {
    if known < 0 { known = next }
    return known
  }

  /// Of the elements (there are some) that bear one name those that one column can hold: IANA's shape where IANA has the name, else the shape
  /// that most of them have.
  private static func chosen(_ bearers: [Bearer]) -> [Bearer] {
    let ordered = bearers.filter { $0.key.enterprise == 0 } + bearers.filter { $0.key.enterprise != 0 }
    func count(_ shape: ColumnShape) -> Int { ordered.count { $0.shape == shape } }
    let best = ordered.reduce(ordered[0].shape) { count($1.shape) > count($0) ? $1.shape : $0 }
    let shape = ordered[0].key.enterprise == 0 ? ordered[0].shape : best
    return ordered.filter { $0.shape == shape }
  }

  /// What fills a property; nil where no element has that name.
  public func property(named name: String) -> RecordProperty? {
    guard let index = eventType.index(of: name) else { return nil }
    let bearers = Self.chosen([first[index]] + (others[index] ?? []))
    return RecordProperty(elements: bearers.map(\.key), shape: bearers[0].shape)
  }

  /// Every property's name, for suggestions.
  public var propertyNames: some Sequence<String> { eventType.properties.lazy.map(\.name) }

  /// Whether a declared type can hold what the property gives.
  public static func fits(_ shape: ColumnShape, _ declared: ValueType) -> Bool {
    switch shape {
    case .integer: declared.isNumeric
    case .double: declared.isFloating
    case .boolean: declared == .boolean
    case .address: declared == .string || declared == .address
    case .mac, .text: declared == .string
    case .octets: declared == .string || declared == .octets
    }
  }

  private static func valueType(_ dataType: Int) -> ValueType {
    switch dataType {
    case FLOWCEP_UNSIGNED8, FLOWCEP_UNSIGNED16, FLOWCEP_SIGNED8, FLOWCEP_SIGNED16, FLOWCEP_SIGNED32: return .int
    default: break
    }
    switch ColumnShape(dataType: dataType) {
    case .integer: return .long
    case .double: return .double
    case .boolean: return .boolean
    case .address, .mac, .text, .octets: return .string
    }
  }
}
