public import Diagnostics
public import InformationElements

/// Reads information elements from files such as `config/elements/iana.xml`:
///
///     <elements enterprise="39499" scope="flowmon">
///       <element id="2" name="HTTPRequestURL" alias="httpUrl" type="string"/>
///     </elements>
public enum ElementFiles {
  /// The elements of all files in order (a later one replaces an earlier one of the same number), and every mistake in them.
  public static func read(_ paths: [String], into diagnostics: inout DiagnosticList) -> [Element] {
    var elements: [Element] = []
    elements.reserveCapacity(2048)
    for path in paths {
      if let bytes = XMLReader.bytes(of: path), let found = ElementScan.read(bytes) {
        elements += found
        continue
      }
      guard let root = XMLReader.read(file: path, into: &diagnostics) else { continue }
      read(root, &elements, &diagnostics)
    }
    return elements
  }

  /// The `.xml` files of a folder: IANA's first, then by name.
  public static func files(in folder: String) -> [String] {
    let names = FileSearch.entries(of: folder).filter { $0.hasSuffix(".xml") }
    return (names.filter { $0 == "iana.xml" } + names.filter { $0 != "iana.xml" }).map { "\(folder)/\($0)" }
  }

  private static func read(_ root: XMLElement, _ elements: inout [Element], _ diagnostics: inout DiagnosticList) {
    guard root.name == "elements" else {
      diagnostics.add(root.place.diagnostic(.error, "expected the root element \"elements\", found \"\(root.name)\""))
      return
    }
    check(root, ["enterprise", "scope"], &diagnostics)
    let number = root.attribute("enterprise") ?? "0"
    guard let enterprise = UInt32(number) else {
      diagnostics.add(root.place.diagnostic(.error, "\"enterprise\": expected a number up to 4294967295, found \"\(number)\""))
      return
    }
    let scope = root.attribute("scope") ?? (enterprise == 0 ? "iana" : "e\(enterprise)")
    for child in root.children {
      guard child.name == "element" else {
        let guess = didYouMean(child.name, among: ["element"])
        diagnostics.add(child.place.diagnostic(.error, "unknown element \"\(child.name)\" in \"elements\"", suggestion: guess))
        continue
      }
      check(child, ["id", "name", "alias", "type", "semantics", "units"], &diagnostics)
      switch element(child, enterprise, scope) {
      case .success(let element): elements.append(element)
      case .failure(let problem): diagnostics.add(problem.diagnostic)
      }
    }
  }

  private static func check(_ element: XMLElement, _ known: [String], _ diagnostics: inout DiagnosticList) {
    for attribute in element.attributes where !known.contains(attribute.name) {
      diagnostics.add(
        element.place.diagnostic(
          .error, "unknown attribute \"\(attribute.name)\" of \"\(element.name)\"",
          suggestion: didYouMean(attribute.name, among: known)))
    }
  }

  private struct Problem: Error { var diagnostic: Diagnostic }

  private static func element(_ xml: XMLElement, _ enterprise: UInt32, _ scope: String) -> Result<Element, Problem> {
    func problem(_ message: String, _ suggestion: String? = nil) -> Result<Element, Problem> {
      .failure(Problem(diagnostic: xml.place.diagnostic(.error, message, suggestion: suggestion)))
    }
    guard let id = xml.attribute("id").flatMap({ UInt16($0) }), id < 32768 else {
      return problem("\"id\": expected a number up to 32767, found \"\(xml.attribute("id") ?? "")\"")
    }
    guard let name = xml.attribute("name"), !name.isEmpty else { return problem("element \(id) has no name") }
    let typeName = xml.attribute("type") ?? ""
    guard let type = AbstractType(name: typeName) else {
      return problem("unknown type \"\(typeName)\" of element \"\(name)\"", didYouMean(typeName, among: AbstractType.names))
    }
    let semanticsName = xml.attribute("semantics") ?? "default"
    guard let semantics = Semantics(name: semanticsName) else {
      return problem("unknown semantics \"\(semanticsName)\" of element \"\(name)\"", didYouMean(semanticsName, among: Semantics.names))
    }
    return .success(
      Element(
        enterprise: enterprise, id: id, scope: scope, name: name,
        aliases: (xml.attribute("alias") ?? "").split(separator: " ").map(String.init), type: type, semantics: semantics,
        units: xml.attribute("units") ?? ""))
  }
}
