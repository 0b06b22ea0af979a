import Foundation
import TestSupport
import Testing

/// What the documents tell people to type works: the blocks marked `sh` of each document are run, one after the other, in a shell of
/// their own that stops at the first failure. A block marked `sh not-run: reason` is not.
@Suite(.serialized) struct DocumentTests {
  static let documents: [String] = {
    let guides = (try? FileManager.default.contentsOfDirectory(atPath: SharedFolder.repository.path + "/docs/guides")) ?? []
    return ["README.md", "CONTRIBUTING.md"] + guides.filter { $0.hasSuffix(".md") }.sorted().map { "docs/guides/\($0)" }
  }()

  struct Block {
    var mark: String
    var text: String
  }

  static func blocks(_ document: String) throws -> [Block] {
    let text = try String(contentsOf: SharedFolder.repository.appendingPathComponent(document), encoding: .utf8)
    var blocks: [Block] = []
    var open: Block?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let block = open {
        if line == "```" {
          blocks.append(block)
          open = nil
        } else {
          open?.text += line + "\n"
        }
      } else if line.hasPrefix("```") {
        open = Block(mark: line.dropFirst(3).trimmingCharacters(in: .whitespaces), text: "")
      }
    }
    return blocks
  }

  /// A folder that looks like the repository and can be written to.
  func workplace() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in try FileManager.default.contentsOfDirectory(atPath: SharedFolder.repository.path) where !name.hasPrefix(".") {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/" + name, withDestinationPath: SharedFolder.repository.path + "/" + name)
    }
    return folder
  }

  @Test(arguments: documents) func commandsWork(_ document: String) throws {
    let blocks = try Self.blocks(document).filter { $0.mark == "sh" }
    guard !blocks.isEmpty else { return }
    let folder = try workplace()
    let script = "set -e\ncd '\(folder.path)'\n" + blocks.map(\.text).joined(separator: "\n")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let result = try Program.run(
      ["-c", script], executable: "bash",
      environment: ["PATH": Program.folder + ":" + path, "FLOWCEP_BUILD": Program.folder, "MAKEFLAGS": ""], seconds: 300)
    #expect(result.code == 0, "\(document)\n\(result.output.suffix(4000))\n\(result.error.suffix(4000))")
  }

  @Test(arguments: documents) func whatIsNotRunSaysWhy(_ document: String) throws {
    for block in try Self.blocks(document) where block.mark.hasPrefix("sh") && block.mark != "sh" {
      #expect(block.mark.hasPrefix("sh not-run: "), "\(document): \(block.mark)")
    }
  }

  /// A path between backquotes that begins with one of the tree's folders leads to something.
  @Test(arguments: documents + ["ARCHITECTURE.md", "CHANGELOG.md"]) func namedFilesExist(_ document: String) throws {
    let text = try String(contentsOf: SharedFolder.repository.appendingPathComponent(document), encoding: .utf8)
    let top = ["Sources/", "Plugins/", "Tests/", "config/", "queries/", "docs/", "scripts/", "Benchmarks/"]
    for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() where index % 2 == 1 {
      guard top.contains(where: { part.hasPrefix($0) }), !part.contains(where: { " *<>{}…X".contains($0) }) else { continue }
      let path = SharedFolder.repository.appendingPathComponent(String(part)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(document) names \(part)")
    }
  }
}
