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

  private let properties: [String: RecordProperty]
  /// The built-in schema: all elements under all their names, in the order of the rows.
  public let eventType: EventType

  public init(elements rows: some Sequence<ElementRow>) {
    var properties = [String: RecordProperty](minimumCapacity: 2048)
    var columns: [(name: String, type: ValueType)] = []
    for name in ["source", "destination"] {
      let keys = name == "source" ? [ElementKey(0, 8), ElementKey(0, 27)] : [ElementKey(0, 12), ElementKey(0, 28)]
      let full = "\(Self.prefix)\(name)Address"
      properties[full] = RecordProperty(elements: keys, shape: .address)
      columns.append((full, .string))
    }
    // Few names are borne by several elements.
    var (order, bearers, others) = ([String](), [String: ElementRow](), [String: [ElementRow]]())
    for row in rows {
      for name in [row.name] + row.aliases {
        let full = Self.prefix + name
        guard let first = bearers.updateValue(row, forKey: full) else {
          order.append(full)
          continue
        }
        bearers[full] = first
        others[full, default: []].append(row)
      }
    }
    for name in order where properties[name] == nil {
      guard let bearer = bearers[name] else { continue }
      let chosen = others[name].map { Self.chosen([bearer] + $0) } ?? [bearer]
      properties[name] = RecordProperty(
        elements: chosen.map { ElementKey($0.enterprise, $0.element) }, shape: ColumnShape(dataType: Int(chosen[0].type)))
      columns.append((name, Self.valueType(Int(chosen[0].type))))
    }
    self.properties = properties
    eventType = EventType(name: "IPFIX", kind: .map, properties: columns.map { EventType.Property($0.name, $0.type) })
  }

  /// Of the elements (there are some) that bear one name those that one column can hold: IANA's shape where IANA has the name, else the shape
  /// that most of them have.
  private static func chosen(_ rows: [ElementRow]) -> [ElementRow] {
    let ordered = rows.filter { $0.enterprise == 0 } + rows.filter { $0.enterprise != 0 }
    let shapes = ordered.map { ColumnShape(dataType: Int($0.type)) }
    func count(_ shape: ColumnShape) -> Int { shapes.count { $0 == shape } }
    let best = shapes.reduce(shapes[0]) { count($1) > count($0) ? $1 : $0 }
    let shape = ordered[0].enterprise == 0 ? shapes[0] : best
    return zip(ordered, shapes).filter { $0.1 == shape }.map(\.0)
  }

  /// What fills a property; nil where no element has that name.
  public func property(named name: String) -> RecordProperty? { properties[name] }

  /// Every property's name, for suggestions.
  public var propertyNames: some Sequence<String> { properties.keys }

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
