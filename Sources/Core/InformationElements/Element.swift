/// An information element: what a field of a template means.
public struct Element: Sendable, Hashable {
  /// Private enterprise number; 0 is IANA.
  public var enterprise: UInt32
  /// 0…32767.
  public var id: UInt16
  /// The name space of its names: `iana`, `flowmon`.
  public var scope: String
  public var name: String
  /// Other names that it answers to.
  public var aliases: [String]
  public var type: AbstractType
  public var semantics: Semantics
  /// As in the registry (`octets`); empty where there are none.
  public var units: String
  /// True for the reverse direction of a biflow (RFC 5103).
  public var isReverse: Bool

  public init(
    enterprise: UInt32 = 0, id: UInt16, scope: String = "iana", name: String, aliases: [String] = [], type: AbstractType,
    semantics: Semantics = .default, units: String = "", isReverse: Bool = false
  ) {
    self.enterprise = enterprise
    self.id = id
    self.scope = scope
    self.name = name
    self.aliases = aliases
    self.type = type
    self.semantics = semantics
    self.units = units
    self.isReverse = isReverse
  }

  /// The name that stands for an element that nobody knows: `e39499id2`.
  public static func unknownName(enterprise: UInt32, id: UInt16) -> String { "e\(enterprise)id\(id)" }
}

/// RFC 5103: where the reverse direction's elements have their numbers.
enum Reverse {
  /// Reverse elements of IANA's have their forward element's id under this enterprise number (§6.1).
  static let enterprise: UInt32 = 29305
  /// CERT marks them by a bit of the id (§6.2 leaves it to the enterprise).
  static let certEnterprise: UInt32 = 6871
  static let certBit: UInt16 = 0x4000

  /// `octetDeltaCount` → `reverseOctetDeltaCount`.
  static func name(of forward: String) -> String { "reverse" + forward.prefix(1).uppercased() + forward.dropFirst() }

  /// The name of the forward element; nil where `name` is not that of a reverse one.
  static func forwardName(of name: Substring) -> String? {
    if name.hasSuffix("@reverse") { return String(name.dropLast(8)) }
    guard name.hasPrefix("reverse"), name.count > 7 else { return nil }
    let rest = name.dropFirst(7)
    return rest.prefix(1).lowercased() + rest.dropFirst()
  }

  /// The element of the reverse direction.
  static func element(of forward: Element) -> Element? {
    guard !forward.isReverse else { return nil }
    var reverse = forward
    switch forward.enterprise {
    case 0: reverse.enterprise = enterprise
    case certEnterprise where forward.id < certBit: reverse.id |= certBit
    default: return nil
    }
    reverse.name = name(of: forward.name)
    reverse.aliases = ["\(forward.name)@reverse"] + forward.aliases.flatMap { [name(of: $0), "\($0)@reverse"] }
    reverse.isReverse = true
    return reverse
  }
}
