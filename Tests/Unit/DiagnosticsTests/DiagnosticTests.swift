import Diagnostics
import Testing

@Suite struct DiagnosticTests {
  let source = SourceText(name: "startup.xml", text: "<ipfix>\n  <prot>1</prot>\n</ipfix>\n")

  @Test func positionsCountFromOne() {
    #expect(source.position(at: 0) == SourcePosition(line: 1, column: 1))
    #expect(source.position(at: 10) == SourcePosition(line: 2, column: 3))
    #expect(source.position(at: 9999).line == 4)
    #expect(source.line(2) == "  <prot>1</prot>")
  }

  @Test func columnsCountCharacters() {
    let text = SourceText(name: "q.epl", text: "'ä' x")
    #expect(text.position(at: 5) == SourcePosition(line: 1, column: 5))
  }

  /// A file may be one line, with a mistake at every word.
  @Test func longLinesAreNotShownAgainAndAgain() {
    let text = SourceText(name: "startup.xml", text: String(repeating: "<prot/>", count: 100_000))
    let all = (0..<100_000).map { Diagnostic(.error, in: text, at: SourceRange($0 * 7 + 1, $0 * 7 + 5), message: "unknown") }
    #expect(all.last?.text == "startup.xml:1:699995: error: unknown")
    #expect(text.line(1) == "")
  }

  @Test func lineNamesPlaceAndSuggestion() {
    let d = Diagnostic(
      .error, in: source, at: SourceRange(11, 15), message: "unknown option \"prot\"",
      suggestion: didYouMean("prot", among: ["host", "port"]))
    #expect(d.line == "startup.xml:2:4: error: unknown option \"prot\" (did you mean \"port\"?)")
    #expect(d.text == d.line + "\n    <prot>1</prot>\n     ^^^^")
  }

  @Test func nearest() {
    #expect(nearestName(to: "ipfix.sourceIPv4Adress", among: ["ipfix.sourceIPv4Address", "ipfix.x"]) == "ipfix.sourceIPv4Address")
    #expect(nearestName(to: "xyz", among: ["port", "host"]) == nil)
  }

  @Test func sortedByPlaceWithinFile() {
    var list = DiagnosticList()
    list.add(Diagnostic(.error, file: "b", start: SourcePosition(line: 9, column: 1), message: "late"))
    list.add(Diagnostic(.warning, file: "a", start: SourcePosition(line: 1, column: 1), message: "other"))
    list.add(Diagnostic(.error, file: "b", start: SourcePosition(line: 2, column: 1), message: "early"))
    #expect(list.sorted.map(\.message) == ["early", "late", "other"])
    #expect(list.hasErrors)
  }
}
