/// A schema: the names and types of an event's properties, in order.
///
/// Identity is the object: two modules may each have a type of the same name.
public final class EventType: Hashable, Sendable {
  public enum Kind: String, Sendable {
    case map
    case objectArray
    case plain
    /// Made by the engine for a statement's rows, a pattern's tags, a context's properties.
    case derived
    /// Accepts events of several types; its properties are those that it declares or that all members share.
    case variant
  }

  public struct Property: Hashable, Sendable {
    /// May contain dots: `ipfix.sourceIPv4Address` is one property.
    public let name: String
    public let type: ValueType
    public init(_ name: String, _ type: ValueType) {
      self.name = name
      self.type = type
    }
  }

  public let name: String
  public let kind: Kind
  public let properties: [Property]
  /// Direct supertypes; a statement over a supertype sees the subtype's events.
  public let supertypes: [EventType]
  /// A variant's member types; empty for `variant schema X as *`.
  public let members: [EventType]
  /// The property that `@Tag(name='timestamp', value=…)` names: the event's time in ms.
  public let timestampProperty: Int?
  /// The properties of `starttimestamp` and `endtimestamp`, for interval methods such as `before`.
  public let startTimestamp: Int?
  public let endTimestamp: Int?
  private let indices: [String: Int]

  /// - Parameter indices: the place of each property by its name, where the caller has made that already.
  public init(
    name: String, kind: Kind = .map, properties: [Property], supertypes: [EventType] = [], members: [EventType] = [],
    timestampProperty: Int? = nil, startTimestamp: Int? = nil, endTimestamp: Int? = nil, indices: [String: Int]? = nil
  ) {
    self.name = name
    self.kind = kind
    self.properties = properties
    self.supertypes = supertypes
    self.members = members
    self.timestampProperty = timestampProperty
    self.startTimestamp = startTimestamp
    self.endTimestamp = endTimestamp
    self.indices =
      indices ?? Dictionary(properties.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The index of a property by its exact (dotted) name.
  public func index(of property: String) -> Int? { indices[property] }

  /// Whether an event of this type is an event of `other`: the same, a subtype, or a member of a variant.
  public func isKind(of other: EventType) -> Bool {
    if self === other { return true }
    if other.kind == .variant { return other.members.isEmpty || other.members.contains { isKind(of: $0) } }
    return supertypes.contains { $0.isKind(of: other) }
  }

  public static func == (a: EventType, b: EventType) -> Bool { a === b }
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
