import Configuration
import Diagnostics
import InformationElements
import Testing

private func parse(_ xml: String) -> (root: XMLElement?, lines: [String]) {
  var diagnostics = DiagnosticList()
  let root = XMLReader.read(text: Array(xml.utf8), name: "x.xml", folder: "/", into: &diagnostics)
  return (root, diagnostics.all.map(\.line))
}

@Suite struct XMLReaderTests {
  @Test func placesAreLineAndColumn() throws {
    let xml = """
      <?xml version="1.0"?>
      <!-- <no> -->
      <a x="1>2">
        <b/>  <ü>é <![CDATA[<c>]]></ü><d>
          text</d>
      </a>
      """
    let root = try #require(parse(xml).root)
    #expect(root.children.map(\.name) == ["b", "ü", "d"])
    #expect(root.attribute("x") == "1>2")
    #expect(root.place.position == SourcePosition(line: 3, column: 1))
    #expect(root.children[0].place.position == SourcePosition(line: 4, column: 3))
    #expect(root.children[1].place.position == SourcePosition(line: 4, column: 9))
    #expect(root.children[1].valuePlace.position == SourcePosition(line: 4, column: 12))
    #expect(root.children[1].text == "é <c>")
    #expect(root.children[2].place.position == SourcePosition(line: 4, column: 33))
    #expect(root.children[2].valuePlace.position == SourcePosition(line: 5, column: 5))
  }

  @Test func syntaxErrorsHavePlaces() {
    let lines = parse("<a>\n  <b></c>\n  <d x=1/>\n</a>").lines
    #expect(lines.count >= 2)
    #expect(lines.first?.hasPrefix("x.xml:2:") == true)
    #expect(lines.contains { $0.hasPrefix("x.xml:3:") })
  }

  @Test(arguments: [
    "<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>", "<!DOCTYPE a SYSTEM \"/etc/passwd\"><a/>", "", "   ",
    String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100),
  ])
  func refuses(_ xml: String) {
    let (root, lines) = parse(xml)
    #expect(root == nil && !lines.isEmpty)
  }

  @Test func survivesTruncationAtEveryByte() {
    let xml = Array("<?xml version='1.0'?><!-- c --><a b=\"1\"><c>t<![CDATA[d]]></c><e/></a>".utf8)
    for count in 0..<xml.count {
      var diagnostics = DiagnosticList()
      #expect(XMLReader.read(text: Array(xml[..<count]), name: "x.xml", folder: "/", into: &diagnostics) == nil)
      #expect(diagnostics.hasErrors)
    }
  }

  @Test func boundsAttributes() {
    func element(_ count: Int) -> String { "<a>\n  <b " + (0..<count).map { "x\($0)='=>'" }.joined(separator: " ") + "/></a>" }
    #expect(parse(element(1000)).root?.children.first?.attribute("x999") == "=>")
    let (root, lines) = parse(element(50_000))
    #expect(root == nil && lines.first?.hasPrefix("x.xml:2:3: error: the element has more than 1000 attributes") == true, "\(lines)")
  }
}
