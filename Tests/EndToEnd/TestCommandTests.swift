import Foundation
import FoundationXML
import TestSupport
import Testing

/// `flowcep test` as an analyst uses it.
@Suite struct TestCommandTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private static let module = """
    create schema E(k string, v int);
    @Name('Sums') select k, sum(v) as total, count(*) as n from E.win:length_batch(2) group by k order by k;
    """

  private func write(_ name: String, expected: String, module: String = "\"module\": \"sums.epl\"", extra: String = "") throws {
    try folder.write(Self.module, to: "sums.epl")
    try folder.write(
      """
      {
       "name": "\(name)", "feature": "sums <of> pairs", \(module),
       "outputs": ["Sums"],\(extra)
       "events": [
        {"t": 1000, "type": "E", "e": {"k": "a", "v": 1}},
        {"t": 2000, "type": "E", "e": {"k": "a", "v": 2}}
       ],
       "expected": \(expected)
      }

      """, to: "\(name).json")
  }

  private func test(_ arguments: String...) throws -> (code: Int32, output: String) {
    let result = try Program.run(["test"] + arguments.map { $0.hasSuffix(".json") || $0 == "." ? folder.path + "/" + $0 : $0 })
    #expect(result.error.isEmpty, "\(result.error)")
    return (result.code, result.output.replacingOccurrences(of: folder.path + "/", with: ""))
  }

  private static let right = #"{"updates": [{"t": 2000, "statement": "Sums", "new": [{"k": "a", "total": 3, "n": 2}]}]}"#

  // MARK: differences

  @Test func differingColumnsAreNamed() throws {
    try write("wrong", expected: #"{"updates": [{"t": 2000, "statement": "Sums", "new": [{"k": "a", "total": 4, "m": 2}]}]}"#)
    let result = try test("wrong.json")
    #expect(result.code == 1)
    #expect(
      result.output == """
        wrong.json: failed
          at 2000, statement Sums:
            row {"k":"a","total":3,"n":2}
              total: 3, expected 4
              m: no such column, expected 2
              n: 2, a column that is not expected
        0 passed, 1 failed, 0 skipped

        """)
  }

  @Test func whatIsMissingAndWhatIsTooMuch() throws {
    let expected = """
      {"updates": [
        {"t": 1523546564000, "statement": "Other", "new": [{"k": "x"}]},
        {"t": 2000, "statement": "Sums", "new": [{"k": "a", "total": 3, "n": 2}, {"k": "b", "total": 9, "n": 7}]}
      ]}
      """
    try write("wrong", expected: expected)
    let result = try test("wrong.json")
    #expect(
      result.output == """
        wrong.json: failed
          at 1523546564000 (2018-04-12T15:22:44Z), statement Other: expected, but did not come
            - {"k":"x"}
          at 2000, statement Sums:
            - {"k":"b","total":9,"n":7}
          2 updates are expected, 1 came
        0 passed, 1 failed, 0 skipped

        """)
  }

  @Test func mistakesOfTheModuleHaveTheirPlace() throws {
    try write("wrong", expected: Self.right)
    try folder.write(Self.module.replacingOccurrences(of: "sum(v)", with: "sum(w)"), to: "sums.epl")
    let result = try test("wrong.json")
    #expect(result.output.contains("sums.epl:2:29: error: "), "\(result.output)")
    #expect(result.output.contains("^"))
  }

  // MARK: recording answers

  @Test func blessRecordsAnswersAndLeavesTheRest() throws {
    try write("wrong", expected: #"{"updates": [], "types": {"Sums": {"k": "String"}}}"#, extra: "\n \"note\": [1,  2],")
    let before = folder.text(of: "wrong.json")
    #expect(try test("--bless", "wrong.json").output == "wrong.json: recorded\n0 passed, 0 failed, 0 skipped, 1 recorded\n")
    let after = folder.text(of: "wrong.json")
    let kept = try #require(before.range(of: "\"expected\": "))
    #expect(after.hasPrefix(String(before[..<kept.upperBound])))
    #expect(
      after.dropFirst(before.distance(from: before.startIndex, to: kept.upperBound)) == """
        {
          "updates": [
           {"t":2000,"statement":"Sums","new":[{"k":"a","total":3,"n":2}]}
          ],
          "types": {"Sums":{"k":"String"}}
         }
        }

        """)
    #expect(try test("wrong.json").output == "1 passed, 0 failed, 0 skipped\n")
    #expect(try test("--bless", "wrong.json").output == "1 passed, 0 failed, 0 skipped\n")
    #expect(folder.text(of: "wrong.json") == after)
  }

  @Test func blessOfACaseWithoutAnswers() throws {
    try folder.write(Self.module, to: "sums.epl")
    try folder.write(
      #"{"module": "sums.epl", "outputs": ["Sums"], "events": [{"t": 5, "type": "E", "e": {"k": "b"}}, {"t": 6, "type": "E", "e": {}}]}"#,
      to: "new.json")
    #expect(
      try test("new.json").output
        == "new.json: skipped, no answers are \"expected\": --bless records those that come\n0 passed, 0 failed, 1 skipped\n")
    #expect(try test("--bless", "new.json").code == 0)
    #expect(try test("new.json").output == "1 passed, 0 failed, 0 skipped\n")
    #expect(
      folder.text(of: "new.json").contains(
        #"{"t":6,"statement":"Sums","new":[{"k":null,"total":null,"n":1},{"k":"b","total":null,"n":1}]}"#))
  }

  @Test func blessKeepsTheColumnsThatACaseNames() throws {
    try write(
      "wrong", expected: #"{"updates": [{"t": 2000, "statement": "Sums", "new": [{"total": 4}]}]}"#, extra: "\n \"compare\": \"columns\",")
    _ = try test("--bless", "wrong.json")
    #expect(folder.text(of: "wrong.json").contains(#""new":[{"total":3}]"#))
  }

  @Test func aRefusedModuleIsNotBlessed() throws {
    try write("wrong", expected: Self.right)
    try folder.write("select nonsense;", to: "sums.epl")
    let before = folder.text(of: "wrong.json")
    #expect(try test("--bless", "wrong.json").code == 1)
    #expect(folder.text(of: "wrong.json") == before)
  }

  // MARK: reports

  @Test func junitReport() throws {
    try write("right", expected: Self.right)
    try write("wrong", expected: #"{"updates": []}"#)
    try folder.write("{}", to: "none.json")
    let report = folder.path + "/report.xml"
    #expect(try test("-q", "--junit", report, ".").code == 1)
    let document = try XMLDocument(contentsOf: URL(fileURLWithPath: report))
    let suites = try document.nodes(forXPath: "/testsuites/testsuite")
    #expect(suites.compactMap { ($0 as? XMLElement)?.attribute(forName: "name")?.stringValue } == ["cases", "sums <of> pairs"])
    let root = try #require(document.rootElement())
    #expect(root.attribute(forName: "tests")?.stringValue == "3")
    #expect(root.attribute(forName: "failures")?.stringValue == "1")
    #expect(root.attribute(forName: "skipped")?.stringValue == "1")
    let failure = try #require(document.nodes(forXPath: "//testcase[@name='wrong']/failure").first as? XMLElement)
    #expect(failure.stringValue?.contains(#"+ {"k":"a","total":3,"n":2}"#) == true)
    #expect(try document.nodes(forXPath: "//testcase[@name='right']/*").isEmpty)
    #expect(try document.nodes(forXPath: "//testcase/skipped").count == 1)
  }

  // MARK: watching

  @Test func watchRunsAgainWhatHasChanged() throws {
    try write("right", expected: Self.right)
    try write(
      "list", expected: #"{"updates": []}"#,
      module: #""epl": "create schema E(k string); create string list L from 'l.txt'; @Name('Sums') select k from E(k in L);""#)
    try folder.write("b\n", to: "l.txt")
    let process = try Program.start(["test", "--watch", folder.path])
    defer { process.signal(SIGKILL) }
    _ = try process.waitForOutputLine("2 passed, 0 failed, 0 skipped")
    try folder.write(Self.module.replacingOccurrences(of: "sum(v)", with: "max(v)"), to: "sums.epl")
    _ = try process.waitForOutputLine("of all: 1 passed, 1 failed, 0 skipped")
    _ = try process.waitForOutputLine("      total: 2, expected 3")
    try folder.write(Self.module, to: "sums.epl")
    try folder.write("a\n", to: "l.txt")
    _ = try process.waitForOutputLine("list.json: failed")
    try write("another", expected: Self.right)
    _ = try process.waitForOutputLine("of all: 2 passed, 1 failed, 0 skipped")
  }

  // MARK: captures

  @Test func aCaptureInPlaceOfEvents() throws {
    let made = try Program.run(["generate", "-o", folder.path + "/capture.ipfix", "--seed", "11"])
    #expect(made.code == 0, "\(made.error)")
    let module = SharedFolder.repository.path + "/queries/http-attack.epl"
    try folder.write(
      #"{"name": "capture", "module": "\#(module)", "capture": "capture.ipfix", "compare": "columns", "outputs": ["MultiStageHTTP"], "#
        + #""expected": {"updates": [{"t": 1, "statement": "MultiStageHTTP", "new": [{"source": "x", "severity": "high"}]}]}}"#,
      to: "capture.json")
    #expect(try test("capture.json").code == 1)
    #expect(try test("--bless", "capture.json").code == 0)
    let text = folder.text(of: "capture.json")
    #expect(text.contains(#"{"source":"203.0.113.10","severity":"high"}"#), "\(text)")
    for size in ["1", "2048"] { #expect(try test("--batch-size", size, "capture.json").code == 0) }
    try folder.write(text.replacingOccurrences(of: "capture.ipfix", with: "other.ipfix"), to: "other.json")
    #expect(try test("other.json").output.contains("cannot read the capture other.ipfix: No such file"))
  }
}
