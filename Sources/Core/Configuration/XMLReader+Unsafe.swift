import CLibXML2
public import Diagnostics
import Glibc

/// Reads an XML file into a tree in which every element has its line and column.
///
/// No network, no external files, no entities of one's own (a document with a DTD is refused); size and depth are bounded.
public enum XMLReader {
  static let maximumBytes = 8 << 20
  static let maximumDepth = 64
  /// libxml2 compares each attribute of an element with each.
  static let maximumAttributes = 1000

  /// The root element, or nil after errors have been added to `diagnostics`.
  ///
  /// - Parameter place: where the file was named, for the message when it cannot be read.
  public static func read(file path: String, namedAt place: Place? = nil, into diagnostics: inout DiagnosticList) -> XMLElement? {
    switch readBytes(path) {
    case .failure(let problem):
      let message = "cannot read \(path): \(problem.reason)"
      diagnostics.add(place?.diagnostic(.error, message) ?? Diagnostic(.error, message: message))
      return nil
    case .success(let bytes):
      return read(text: bytes, name: path, folder: folder(of: path), into: &diagnostics)
    }
  }

  /// As `read(file:)`, of a text in memory.
  public static func read(text bytes: [UInt8], name: String, folder: String, into diagnostics: inout DiagnosticList) -> XMLElement? {
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      diagnostics.add(Diagnostic(.error, file: name, message: "the file is UTF-16, expected UTF-8"))
      return nil
    }
    let source = XMLSource(SourceText(name: name, text: String(decoding: bytes, as: UTF8.self)), folder: folder)
    var scanner = TagScanner(source.text.text)
    let tags = scanner.scan()
    if let crowded = tags.first(where: { $0.attributeCount > maximumAttributes }) {
      diagnostics.add(
        Diagnostic(.error, in: source.text, at: crowded.start, message: "the element has more than \(maximumAttributes) attributes"))
      return nil
    }
    guard let context = xmlNewParserCtxt() else {
      diagnostics.add(Diagnostic(.error, file: name, message: "out of memory"))
      return nil
    }
    defer { xmlFreeParserCtxt(context) }
    let found = Found(source)
    context.pointee._private = Unmanaged.passUnretained(found).toOpaque()
    context.pointee.sax.pointee.serror = { data, error in
      guard let data, let error else { return }
      let context = data.assumingMemoryBound(to: xmlParserCtxt.self)
      Unmanaged<Found>.fromOpaque(context.pointee._private).takeUnretainedValue().add(error.pointee)
    }
    let flags = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOCDATA.rawValue)
    let document = bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        xmlCtxtReadMemory(context, $0.baseAddress, Int32($0.count), name, nil, flags)
      }
    }
    defer { xmlFreeDoc(document) }
    if let document, document.pointee.intSubset != nil { found.refuseDocumentType() }
    guard found.diagnostics.isEmpty, let document, let root = xmlDocGetRootElement(document) else {
      if found.diagnostics.isEmpty { found.diagnostics.append(Diagnostic(.error, file: name, message: "the file has no element")) }
      found.diagnostics.forEach { diagnostics.add($0) }
      return nil
    }
    var builder = TreeBuilder(source: source, tags: tags)
    let tree = builder.build(root, depth: 1)
    builder.problems.forEach { diagnostics.add($0) }
    return builder.problems.isEmpty ? tree : nil
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A file's bytes; nil where it cannot be read.
  static func bytes(of path: String) -> [UInt8]? { try? readBytes(path).get() }

  struct Problem: Error { var reason: String }

  private static func readBytes(_ path: String) -> Result<[UInt8], Problem> {
    guard let file = fopen(path, "re") else { return .failure(Problem(reason: String(cString: strerror(errno)))) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > maximumBytes { return .failure(Problem(reason: "larger than \(maximumBytes >> 20) MiB")) }
    }
    if ferror(file) != 0 { return .failure(Problem(reason: String(cString: strerror(errno)))) }
    return .success(bytes)
  }
}

/// What libxml2 complains of, while it parses.
private final class Found {
  let source: XMLSource
  var diagnostics: [Diagnostic] = []

  init(_ source: XMLSource) {
    self.source = source
  }

  func add(_ error: xmlError) {
    guard error.level.rawValue >= XML_ERR_ERROR.rawValue, diagnostics.count < 100 else { return }
    let text = error.message.map { String(cString: $0) } ?? "unknown error"
    let line = max(1, Int(error.line))
    diagnostics.append(
      Diagnostic(
        .error, file: source.name, start: SourcePosition(line: line, column: max(1, Int(error.int2))),
        message: String(text.prefix { $0 != "\n" }), excerpt: source.text.line(line)))
  }

  func refuseDocumentType() {
    diagnostics.append(Diagnostic(.error, file: source.name, message: "a document type (DTD) is not allowed here"))
  }
}

/// From libxml2's tree to ours, taking each start tag's place from the scanner.
private struct TreeBuilder {
  let source: XMLSource
  let tags: [TagScanner.Tag]
  var next = 0
  var problems: [Diagnostic] = []

  init(source: XMLSource, tags: [TagScanner.Tag]) {
    self.source = source
    self.tags = tags
  }

  mutating func build(_ node: UnsafeMutablePointer<xmlNode>, depth: Int) -> XMLElement {
    let tag = next < tags.count ? tags[next] : TagScanner.Tag(start: SourceRange(0, 0), content: nil)
    next += 1
    var element = XMLElement(
      name: String(cString: node.pointee.name), text: "", children: [], attributes: attributes(of: node), source: source, tag: tag.start,
      content: tag.content ?? tag.start)
    guard depth < XMLReader.maximumDepth else {
      problems.append(element.place.diagnostic(.error, "elements are nested more than \(XMLReader.maximumDepth) deep"))
      return element
    }
    var text = ""
    var child = node.pointee.children
    while let current = child {
      if current.pointee.type == XML_ELEMENT_NODE {
        element.children.append(build(current, depth: depth + 1))
      } else if current.pointee.type == XML_TEXT_NODE || current.pointee.type == XML_CDATA_SECTION_NODE {
        if let bytes = current.pointee.content { text += String(cString: bytes) }
      }
      child = current.pointee.next
    }
    element.text = trimmed(text)
    return element
  }
}

private func attributes(of node: UnsafeMutablePointer<xmlNode>) -> [(name: String, value: String)] {
  var found: [(name: String, value: String)] = []
  var next = node.pointee.properties
  while let attribute = next {
    next = attribute.pointee.next
    // Those of another name space (xsi:schemaLocation) are for other readers.
    if attribute.pointee.ns != nil { continue }
    // Without entities of one's own, an attribute's value is one text node.
    let value = attribute.pointee.children.flatMap { $0.pointee.content }.map { String(cString: $0) } ?? ""
    found.append((String(cString: attribute.pointee.name), value))
  }
  return found
}

/// Without leading and trailing white space.
func trimmed(_ text: some StringProtocol) -> String {
  let start = text.drop { $0.isWhitespace }
  guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
  return String(start[...last])
}
