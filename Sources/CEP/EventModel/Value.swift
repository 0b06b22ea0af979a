/// One value of an event: 16 bytes, no allocation for numbers, IPv4 and MAC addresses and short strings.
///
/// Integers of every width are `int`, floats and doubles `double`; the declared type of the column or expression says which.
/// An address in a column that is declared as string stays bytes: equality, hashing and grouping take it for its text.
/// Unchecked, because an `Event` is a tail-allocated buffer; it is not changed once handed on.
public enum Value: @unchecked Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  /// In host order.
  case ip4(UInt32)
  /// The lower 48 bits.
  case mac(UInt64)
  /// An IPv6 address or an octet array.
  case octets(Octets)
  case array(ValueArray)
  case event(Event)
  /// A map without declared properties.
  case map(ValueMap)

  @inlinable public var isNull: Bool {
    if case .null = self { return true }
    return false
  }

  /// The boolean, nil for null and for anything else.
  @inlinable public var boolean: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }

  /// True only for `bool(true)`: what a WHERE clause lets through.
  @inlinable public var isTrue: Bool {
    if case .bool(true) = self { return true }
    return false
  }

  /// The number as an integer; a double is truncated and clamped. Nil for null and for what is no number.
  @inlinable public var integer: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): value.isNaN ? 0 : value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
    default: nil
    }
  }

  /// The number as a double. Nil for null and for what is no number.
  @inlinable public var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  @inlinable public var event: Event? {
    if case .event(let event) = self { return event }
    return nil
  }

  @inlinable public var array: [Value]? {
    if case .array(let array) = self { return array.values }
    return nil
  }

  @inlinable public static func array(_ values: [Value]) -> Value { .array(ValueArray(values)) }
  @inlinable public init(_ event: Event?) { self = event.map(Value.event) ?? .null }
}

public final class ValueArray: Sendable {
  public let values: [Value]
  public init(_ values: [Value]) { self.values = values }
}

/// Keys keep their order.
public final class ValueMap: Sendable {
  public let entries: [(key: String, value: Value)]
  public init(_ entries: [(key: String, value: Value)]) { self.entries = entries }
  public subscript(key: String) -> Value { entries.first { $0.key == key }?.value ?? .null }
}

/// Bytes from the wire that are neither a number nor text.
public final class Octets: Sendable, Hashable {
  public enum Kind: Sendable { case ip6, octets }
  public let kind: Kind
  public let bytes: [UInt8]

  public init(_ kind: Kind, _ bytes: [UInt8]) {
    self.kind = kind
    self.bytes = bytes
  }

  public static func == (a: Octets, b: Octets) -> Bool { a === b || (a.kind == b.kind && a.bytes == b.bytes) }
  public func hash(into hasher: inout Hasher) { bytes.hash(into: &hasher) }
}
