/// What `in` looks a value up in: a list of the module, whose contents a file gives and may give anew, or prefixes that the statement
/// itself names.
///
/// Plans refer to the object. The contents are replaced as a whole, by the thread that owns the engine, between two batches.
public final class MemberList: Hashable, @unchecked Sendable {
  public enum Kind: String, Sendable { case addresses, texts }

  public enum Contents: Sendable {
    case addresses(AddressSet)
    case texts(TextSet)

    public var count: Int {
      switch self {
      case .addresses(let set): set.count
      case .texts(let set): set.count
      }
    }
  }

  /// As declared, or the prefixes as written.
  public let name: String
  public let kind: Kind
  public var contents: Contents
  private let isLiteral: Bool

  /// A declared list; empty until it is loaded.
  public init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
    contents = kind == .addresses ? .addresses(AddressSet()) : .texts(TextSet())
    isLiteral = false
  }

  /// Prefixes that the statement names.
  public init(_ prefixes: [AddressPrefix]) {
    name = prefixes.map(\.text).joined(separator: ", ")
    kind = .addresses
    contents = .addresses(AddressSet(prefixes))
    isLiteral = true
  }

  /// Nil for null. A value that is no address is in no list of addresses.
  public func contains(_ value: Value) -> Bool? {
    if value.isNull { return nil }
    switch contents {
    case .addresses(let set):
      if case .ip4(let address) = value { return set.contains(ip4: address) }
      return Address(value).map { set.contains($0) } ?? false
    case .texts(let set): return value.text.map { set.contains($0) } ?? false
    }
  }

  /// Literals of the same prefixes are one; declared lists are told apart.
  public static func == (a: MemberList, b: MemberList) -> Bool { a === b || (a.isLiteral && b.isLiteral && a.name == b.name) }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
