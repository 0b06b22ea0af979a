import Foundation
import TestSupport
import Testing

/// The tables in docs/specs name a test for each thing that a standard asks; those tests exist.
@Suite struct SpecificationTests {
  static let documents = ["rfc7011", "rfc5103", "rfc6313", "rfc3954"]

  /// The functions of each suite, read from the tests' sources.
  static let suites: [String: Set<String>] = {
    var suites: [String: Set<String>] = [:]
    let root = SharedFolder.repository.appendingPathComponent("Tests")
    let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    for file in files where file.pathExtension == "swift" && !file.path.contains("/.build/") {
      var suite = ""
      for line in (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? [] {
        let words = line.split { " ({:<".contains($0) }
        if let place = words.firstIndex(of: "struct"), place + 1 < words.count, !line.hasPrefix(" ") { suite = String(words[place + 1]) }
        if let place = words.firstIndex(of: "func"), place + 1 < words.count { suites[suite, default: []].insert(String(words[place + 1])) }
      }
    }
    return suites
  }()

  @Test(arguments: documents) func everyRowIsShown(document: String) throws {
    let url = SharedFolder.repository.appendingPathComponent("docs/specs/\(document).md")
    let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst()
    #expect(rows.count > 5)
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(cells.count == 4, "\(row)")
      if cells[3] == "not done" {
        #expect(cells[2].contains("Not done: "), "\(row) says why")
        continue
      }
      let names = cells[3].split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
      for name in names {
        let parts = name.split(separator: ".").map(String.init)
        try #require(parts.count == 2, "\(name) is no Suite.function")
        #expect(Self.suites[parts[0]]?.contains(parts[1]) == true, "\(document): there is no test \(name)")
      }
    }
  }
}
