import InformationElements

/// The elements that an exporter has described (RFC 5610): known in its session alone, and only where no element file knows better.
struct DescribedElements {
  private var elements: [UInt64: Element] = [:]
  /// Grows with each: templates resolved before may be resolved better.
  private(set) var generation: UInt32 = 0

  static let longestName = 128

  var count: Int { elements.count }

  func element(enterprise: UInt32, id: UInt16) -> Element? {
    elements.isEmpty ? nil : elements[Self.key(enterprise, id)]
  }

  /// False where it is nothing new, or nothing that can be used: IANA's elements are IANA's to describe (§3), and a name must be a word.
  mutating func add(_ described: ElementDescription, limit: Int) -> Bool {
    guard let id = described.id.flatMap(UInt16.init(exactly:)), id < 0x8000,
      let enterprise = UInt32(exactly: described.enterprise), enterprise != 0,
      let type = described.type.flatMap(UInt16.init(exactly:)).flatMap(AbstractType.init(rawValue:)), Self.isWord(described.name)
    else { return false }
    let element = Element(
      enterprise: enterprise, id: id, scope: "exporter", name: described.name, type: type,
      semantics: UInt8(exactly: described.semantics).flatMap(Semantics.init(rawValue:)) ?? .default)
    let key = Self.key(enterprise, id)
    guard elements[key] != element, elements[key] != nil || elements.count < limit else { return false }
    elements[key] = element
    generation &+= 1
    return true
  }

  mutating func removeAll() {
    elements.removeAll()
    generation &+= 1
  }

  private static func key(_ enterprise: UInt32, _ id: UInt16) -> UInt64 { UInt64(enterprise) << 16 | UInt64(id) }

  private static func isWord(_ name: String) -> Bool {
    (1...longestName).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
      }
  }
}
