import Configuration
import Diagnostics
import InformationElements
import TestSupport
import Testing

/// A user's own element file: what it says, and what is said of its mistakes.
@Suite struct ElementFileTests {
  private func read(_ text: String) throws -> (elements: [Element], mistakes: [Diagnostic]) {
    let folder = try TemporaryFolder()
    var diagnostics = DiagnosticList()
    let elements = ElementFiles.read([try folder.write(text, to: "own.xml")], into: &diagnostics)
    return (elements, diagnostics.sorted)
  }

  @Test(arguments: ["octets", "a &amp; b"]) func faultless(units: String) throws {
    let (elements, mistakes) = try read(
      """
      <elements enterprise="4242" scope="mine">
        <element id="7" name="seven" alias="sept sieben" type="unsigned16" semantics="identifier" units="\(units)"/>
        <element id="8" name="eight" type="string"/>
      </elements>
      """)
    #expect(mistakes.isEmpty)
    #expect(
      elements == [
        Element(
          enterprise: 4242, id: 7, scope: "mine", name: "seven", aliases: ["sept", "sieben"], type: .unsigned16, semantics: .identifier,
          units: units == "octets" ? units : "a & b"),
        Element(enterprise: 4242, id: 8, scope: "mine", name: "eight", type: .string),
      ])
  }

  @Test func allMistakesAtOnceWithTheirPlaces() throws {
    let (elements, mistakes) = try read(
      """
      <elements enterprise="4242">
        <element id="1" name="one" type="unsigned15"/>
        <element id="99999" name="two" type="string"/>
        <element id="3" name="three" tpye="string"/>
        <element id="4" name="four" type="string"/>
      </elements>
      """)
    #expect(elements.map(\.name) == ["four"])
    #expect(Set(mistakes.compactMap { $0.start?.line }) == [2, 3, 4])
    #expect(mistakes.first?.suggestion == "did you mean \"unsigned16\"?")
    #expect(mistakes.allSatisfy { $0.file?.hasSuffix("own.xml") == true && ($0.start?.column ?? 0) > 1 })
  }

  @Test(arguments: ["<elements>", "<elements><element</elements>", "<!DOCTYPE x><elements/>", "nothing", ""])
  func whatIsNoXMLIsRefused(text: String) throws {
    #expect(try !read(text).mistakes.isEmpty)
  }
}
