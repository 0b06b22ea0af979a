import Builtins
import Foundation
import TestSupport
import Testing

/// The documents say of the corpus what the lists beside it say, and leave nothing out.
@Suite struct DeviationTests {
  static let page = "docs/epl/deviations.md"

  /// The tables of the page are made from the lists. With FLOWCEP_RECORD_EXAMPLES=1 they are written.
  @Test(arguments: ["deviations", "extensions"]) func tableIsThatOfTheList(_ list: String) throws {
    if ExampleTests.isRecording { ExampleDocument.writing.lock() }
    defer { if ExampleTests.isRecording { ExampleDocument.writing.unlock() } }
    var document = try ExampleDocument(Self.page)
    let start = try #require(document.lines.firstIndex { $0.hasPrefix("<!-- \(list):") }, "\(Self.page) has no place for the \(list)")
    let end = try #require(document.lines[start...].firstIndex(of: "<!-- end -->"))
    let head = list == "deviations" ? "there, and here" : "syntax"
    let table = ["| \(head) | cases |", "|---|---|"] + (try Self.rows(of: list))
    if ExampleTests.isRecording {
      document.lines.replaceSubrange(start + 1..<end, with: table)
      try document.save()
    } else {
      #expect(
        Array(document.lines[start + 1..<end]) == table, "\(Self.page): run the tests with FLOWCEP_RECORD_EXAMPLES=1, and read what came")
    }
  }

  /// A row per reason, with its cases.
  private static func rows(of list: String) throws -> [String] {
    let text = try String(contentsOf: ConformanceTests.folder.appendingPathComponent(list), encoding: .utf8)
    var reasons: [(reason: String, cases: [String])] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2 else { continue }
      let name = parts[0].hasPrefix("epl/") ? String(parts[0].dropFirst(4)) : parts[0]
      if let index = reasons.firstIndex(where: { $0.reason == parts[1] }) {
        reasons[index].cases.append(name)
      } else {
        reasons.append((parts[1], [name]))
      }
    }
    return reasons.map { "| \($0.reason) | \($0.cases.sorted().joined(separator: ", ")) |" }
  }

  @Test func everyChapterOfTheCorpusHasOneHere() throws {
    let corpus = ConformanceTests.folder.appendingPathComponent("epl")
    let index = try ExampleDocument("docs/epl/README.md").lines.joined(separator: "\n")
    for chapter in try FileManager.default.contentsOfDirectory(atPath: corpus.path) where !chapter.contains(".") {
      #expect(ExampleDocument.all.contains("docs/epl/\(chapter).md"), "docs/epl has no chapter \(chapter)")
    }
    for path in ExampleDocument.all where path != "docs/epl/README.md" {
      let name = path.split(separator: "/").last.map(String.init) ?? ""
      #expect(index.contains("](\(name))"), "docs/epl/README.md does not lead to \(name)")
    }
  }

  /// Functions, methods and aggregates of the catalogs stand in some chapter.
  @Test func everyNameOfTheCatalogsIsTold() throws {
    let text = try ExampleDocument.all.map { try ExampleDocument($0).lines.joined(separator: "\n") }.joined(separator: "\n")
    // What the engine puts there itself, and what Java calls the same.
    let untold: Set<String> = [".sortKey", ".parseDate", ".shifted", "rateby", ".toString", ".equals"]
    for name in Builtins.functionList.map(\.name) + Builtins.aggregateList.map(\.name) where !untold.contains(name) {
      let call = name.drop { $0 == "." } + "("
      let known = text.contains(call) || text.contains("`\(call.dropLast())`")
      #expect(known, "no chapter of docs/epl tells of \(name)")
    }
  }
}
