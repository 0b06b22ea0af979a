import Foundation
import Testing

@Suite struct TidinessTests {
  /// Files that are long for a reason.
  static let mayBeLong: [String: String] = [:]

  @Test func filesAreShort() {
    let sources = Repository.files(in: ["Sources", "Plugins", "Tests", "Benchmarks"], endings: [".swift", ".c", ".h"])
    let long = sources.map { ($0.path, $0.lines.count) }.filter { $0.1 > 300 }.sorted { $0.1 > $1.1 }
    for (path, count) in long where count > 500 {
      #expect(Self.mayBeLong[path] != nil, "\(path) has \(count) lines; over 500 needs a reason")
    }
    if !long.isEmpty { print("Files over 300 lines: " + long.map { "\($0.0) (\($0.1))" }.joined(separator: ", ")) }
  }

  /// Paths of somebody's machine, and package registries: nothing in the tree may depend on either.
  @Test func namesNoMachine() {
    // Put together from parts, so that this file does not name them.
    let forbidden = ["/" + "root/", "/" + "home/", "/" + "work/", "npmjs" + ".", "pypi" + ".", "crates" + ".io", "rubygems" + "."]
    for file in Repository.files(in: Repository.everything) {
      guard let bytes = try? Data(contentsOf: Repository.root.appendingPathComponent(file.path)) else { continue }
      for part in forbidden where bytes.range(of: Data(part.utf8)) != nil { Issue.record("\(file.path) names \(part)") }
    }
  }

  @Test func resolvedVersionsAreNotKept() throws {
    let ignored = try String(contentsOf: Repository.root.appendingPathComponent(".gitignore"), encoding: .utf8)
    for entry in ["Package.resolved", ".build/"] { #expect(ignored.split(separator: "\n").contains(Substring(entry))) }
  }

  @Test func nothingIsPutOff() {
    let marks = ["TO" + "DO", "FIX" + "ME"].map { Data($0.utf8) }
    for file in Repository.files(in: ["Sources", "Plugins", "Benchmarks", "scripts", "queries"]) {
      guard let bytes = try? Data(contentsOf: Repository.root.appendingPathComponent(file.path)) else { continue }
      for mark in marks where bytes.range(of: mark) != nil { Issue.record("\(file.path) is unfinished") }
    }
  }
}
