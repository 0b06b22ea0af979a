/// The information elements that are known, by number and by name. Immutable: a change is a new registry.
public struct ElementRegistry: Sendable {
  /// In the order in which they were given; an overriding element stands in the place of the one it replaces.
  public let elements: [Element]
  private let byNumber: [UInt64: Int32]
  /// The first entry of each name's chain.
  private let byName: [String: Int32]
  private let entries: [NameEntry]

  /// One name of one element, and the next element of the same name.
  private struct NameEntry: Sendable {
    var element: Int32
    var next: Int32
  }

  public static let empty = ElementRegistry([])

  /// A later element of the same number replaces the earlier one, whose names stay as aliases, so that what was written for
  /// them goes on working.
  public init(_ given: [Element]) {
    var elements: [Element] = []
    elements.reserveCapacity(given.count)
    var byNumber = [UInt64: Int32](minimumCapacity: given.count)
    for element in given {
      let key = Self.key(element.enterprise, element.id)
      if let index = byNumber[key] {
        elements[Int(index)] = element.replacing(elements[Int(index)])
      } else {
        byNumber[key] = Int32(elements.count)
        elements.append(element)
      }
    }
    self.elements = elements
    self.byNumber = byNumber
    var names = NameTable(capacity: elements.count + elements.count / 2)
    // IANA's names go first, so that a bare name never changes its meaning because an enterprise uses it too.
    for pass in [true, false] {
      for (index, element) in elements.enumerated() where (element.enterprise == 0) == pass {
        names.add(element.name, Int32(index))
        for alias in element.aliases { names.add(alias, Int32(index)) }
      }
    }
    byName = names.first
    entries = names.entries
  }

  private struct NameTable {
    var first: [String: Int32]
    var entries: [NameEntry] = []

    init(capacity: Int) {
      first = .init(minimumCapacity: capacity)
      entries.reserveCapacity(capacity)
    }

    mutating func add(_ name: String, _ element: Int32) {
      let entry = Int32(entries.count)
      entries.append(NameEntry(element: element, next: -1))
      guard var last = first[name] else {
        first[name] = entry
        return
      }
      while entries[Int(last)].next >= 0 { last = entries[Int(last)].next }
      entries[Int(last)].next = entry
    }
  }

  private static func key(_ enterprise: UInt32, _ id: UInt16) -> UInt64 { UInt64(enterprise) << 16 | UInt64(id) }

  /// The element of that number; a reverse one (RFC 5103) derives from its forward element unless it is registered itself.
  public func element(enterprise: UInt32, id: UInt16) -> Element? {
    if let index = byNumber[Self.key(enterprise, id)] { return elements[Int(index)] }
    var forward: Int32?
    if enterprise == Reverse.enterprise {
      forward = byNumber[Self.key(0, id)]
    } else if enterprise == Reverse.certEnterprise, id & Reverse.certBit != 0 {
      forward = byNumber[Self.key(enterprise, id & ~Reverse.certBit)]
    }
    return forward.flatMap { Reverse.element(of: elements[Int($0)]) }
  }

  /// The element of that name or alias, with or without its scope: `sourceIPv4Address`, `iana:sourceIPv4Address`,
  /// `flowmon:httpUrl`, `reverseOctetDeltaCount`, `octetDeltaCount@reverse`. Of several, IANA's, then the first given.
  public func element(named written: String) -> Element? {
    let (scope, name) = Self.split(written)
    if let element = find(String(name), scope) { return element }
    guard let forward = Reverse.forwardName(of: name), let element = find(forward, scope) else { return nil }
    return Reverse.element(of: element)
  }

  private func find(_ name: String, _ scope: Substring?) -> Element? {
    guard var entry = byName[name] else { return nil }
    while true {
      let element = elements[Int(entries[Int(entry)].element)]
      if scope.map({ $0 == element.scope }) ?? true { return element }
      entry = entries[Int(entry)].next
      if entry < 0 { return nil }
    }
  }

  /// `iana:octetDeltaCount` → `iana`, `octetDeltaCount`.
  public static func split(_ written: String) -> (scope: Substring?, name: Substring) {
    guard let colon = written.firstIndex(of: ":") else { return (nil, written[...]) }
    return (written[..<colon], written[written.index(after: colon)...])
  }

  /// All names and aliases, without scopes; for "did you mean".
  public var names: some Sequence<String> { byName.keys }
}

extension Element {
  /// This element in the place of another: the other's names stay as aliases.
  fileprivate func replacing(_ old: Element) -> Element {
    var new = self
    for name in [old.name] + old.aliases where name != new.name && !new.aliases.contains(name) { new.aliases.append(name) }
    return new
  }
}
