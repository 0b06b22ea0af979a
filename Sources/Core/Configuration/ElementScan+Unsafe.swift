import CLibXML2
import InformationElements

/// Reads a file of elements straight from libxml2's events, without a tree: the program starts with some 1,700 of them.
///
/// Knows only what a faultless file has. Whatever else it meets, it gives up, and `ElementFiles` reads the file again through the
/// tree, which knows places and says what is wrong.
final class ElementScan {
  private var elements: [Element] = []
  private var enterprise: UInt32 = 0
  private var scope = ""
  private var depth = 0
  private var isFaultless = true

  /// The file's elements; nil where it is not faultless.
  static func read(_ bytes: [UInt8]) -> [Element]? {
    let scan = ElementScan()
    var handler = xmlSAXHandler()
    handler.initialized = UInt32(XML_SAX2_MAGIC)
    handler.startElementNs = { data, name, _, _, _, _, count, _, attributes in
      guard let data, let name else { return }
      Unmanaged<ElementScan>.fromOpaque(data).takeUnretainedValue().start(Text(name), Int(count), attributes)
    }
    handler.endElementNs = { data, _, _, _ in
      guard let data else { return }
      Unmanaged<ElementScan>.fromOpaque(data).takeUnretainedValue().depth -= 1
    }
    handler.internalSubset = { data, _, _, _ in
      guard let data else { return }
      Unmanaged<ElementScan>.fromOpaque(data).takeUnretainedValue().isFaultless = false
    }
    handler.serror = { data, _ in
      guard let data else { return }
      Unmanaged<ElementScan>.fromOpaque(data).takeUnretainedValue().isFaultless = false
    }
    let status = bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        xmlSAXUserParseMemory(&handler, Unmanaged.passUnretained(scan).toOpaque(), $0.baseAddress, Int32(clamping: $0.count))
      }
    }
    return status == 0 && scan.isFaultless ? scan.elements : nil
  }

  /// Bytes of the parser's own, for the length of a call.
  private struct Text {
    let bytes: UnsafeBufferPointer<xmlChar>

    init(_ start: UnsafePointer<xmlChar>) {
      var count = 0
      while start[count] != 0 { count += 1 }
      bytes = UnsafeBufferPointer(start: start, count: count)
    }

    init(_ start: UnsafePointer<xmlChar>, _ end: UnsafePointer<xmlChar>) {
      bytes = UnsafeBufferPointer(start: start, count: end - start)
    }

    static func ~= (word: StaticString, text: Text) -> Bool {
      word.utf8CodeUnitCount == text.bytes.count
        && word.withUTF8Buffer { word in !zip(word, text.bytes).contains { $0 != $1 } }
    }

    var string: String { String(decoding: bytes, as: UTF8.self) }

    var number: UInt32? {
      var number: UInt64 = 0
      for digit in bytes {
        guard (48...57).contains(digit), number <= UInt64(UInt32.max) else { return nil }
        number = number * 10 + UInt64(digit - 48)
      }
      return bytes.isEmpty ? nil : UInt32(exactly: number)
    }

    /// The parser leaves a reference in some values as it stood.
    var hasReference: Bool { bytes.contains(UInt8(ascii: "&")) }
  }

  private func start(_ name: Text, _ count: Int, _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?) {
    depth += 1
    guard isFaultless else { return }
    switch (depth, name) {
    case (1, "elements"): readRoot(count, attributes)
    case (2, "element"): readElement(count, attributes)
    default: isFaultless = false
    }
  }

  /// Calls `body` with each attribute's name and value; false gives up.
  private func forEach(
    _ count: Int, _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?, _ body: (Text, Text) -> Bool
  ) {
    guard let attributes else { return }
    for i in 0..<count {
      guard let name = attributes[i * 5], let start = attributes[i * 5 + 3], let end = attributes[i * 5 + 4] else { return }
      let value = Text(start, end)
      if value.hasReference || !body(Text(name), value) { isFaultless = false }
    }
  }

  private func readRoot(_ count: Int, _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?) {
    var scope: String?
    forEach(count, attributes) { name, value in
      switch name {
      case "enterprise":
        guard let number = value.number else { return false }
        enterprise = number
      case "scope": scope = value.string
      default: return false
      }
      return true
    }
    self.scope = scope ?? (enterprise == 0 ? "iana" : "e\(enterprise)")
  }

  private func readElement(_ count: Int, _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?) {
    var element = Element(enterprise: enterprise, id: 0, scope: scope, name: "", type: .octetArray)
    var (id, type): (UInt32?, AbstractType?) = (nil, nil)
    forEach(count, attributes) { name, value in
      switch name {
      case "id": id = value.number
      case "name": element.name = value.string
      case "alias": element.aliases = value.string.split(separator: " ").map(String.init)
      case "type": type = AbstractType(name: value.string)
      case "semantics":
        guard let semantics = Semantics(name: value.string) else { return false }
        element.semantics = semantics
      case "units": element.units = value.string
      default: return false
      }
      return true
    }
    guard let id, id < 32768, let type, !element.name.isEmpty else { return isFaultless = false }
    element.id = UInt16(id)
    element.type = type
    elements.append(element)
  }
}
