import Foundation
import TestSupport
import Testing

/// What the documents name is there: files behind links, headings behind `#`, subcommands and options in backquotes.
@Suite struct DocumentLinkTests {
  /// Every Markdown file of the tree, below the repository.
  static let documents: [String] = {
    let top = SharedFolder.repository.standardizedFileURL
    let files = FileManager.default.enumerator(at: top, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    let found = files?.compactMap { ($0 as? URL)?.standardizedFileURL.path } ?? []
    return found.filter { $0.hasSuffix(".md") }.map { String($0.dropFirst(top.path.count + 1)) }.sorted()
  }()

  @Test(arguments: documents) func linksLeadToFiles(_ document: String) throws {
    let folder = SharedFolder.repository.appendingPathComponent(document).deletingLastPathComponent()
    for target in try Self.links(in: document) where !target.contains("://") && !target.hasPrefix("mailto:") {
      let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let file = parts[0].isEmpty ? SharedFolder.repository.appendingPathComponent(document) : folder.appendingPathComponent(parts[0])
      guard FileManager.default.fileExists(atPath: file.path) else {
        Issue.record("\(document) links to \(target), which is not there")
        continue
      }
      if parts.count == 2, file.pathExtension == "md" {
        #expect(try Self.anchors(of: file).contains(parts[1]), "\(document): no heading for \(target)")
      }
    }
  }

  /// The targets of links outside of code.
  private static func links(in document: String) throws -> [String] {
    var targets: [String] = []
    for line in try prose(of: SharedFolder.repository.appendingPathComponent(document)) {
      var rest = line[...]
      while let start = rest.range(of: "](") {
        rest = rest[start.upperBound...]
        guard let end = rest.firstIndex(of: ")") else { break }
        targets.append(String(rest[..<end]))
      }
    }
    return targets
  }

  private static func prose(of file: URL) throws -> [String] {
    var isCode = false
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return lines.filter { line in
      if line.hasPrefix("```") { isCode.toggle() }
      return !isCode
    }
  }

  /// As the forges make them of headings.
  private static func anchors(of file: URL) throws -> Set<String> {
    let headings = try prose(of: file).filter { $0.hasPrefix("#") }
    return Set(
      headings.map { heading in
        let text = heading.drop { $0 == "#" || $0 == " " }.lowercased()
        return String(text.compactMap { $0 == " " ? "-" : $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" ? $0 : nil })
      })
  }

  /// `flowcep check -c FILE` in the text, and every line of a block that begins with `flowcep`.
  @Test func commandsAndOptionsExist() throws {
    var helps: [String: String] = [:]
    for document in Self.documents {
      for words in try Self.commands(in: document) {
        guard let name = words.first, name.allSatisfy({ $0.isLowercase }) else { continue }
        let help = try helps[name] ?? Self.help(name)
        helps[name] = help
        #expect(!help.isEmpty, "\(document): there is no flowcep \(name)")
        for word in words.dropFirst() where word.hasPrefix("-") && word.count > 1 {
          let option = word.split(separator: "=")[0]
          let isKnown = help.split(whereSeparator: { " ,\n()|[]".contains($0) }).contains { $0 == option || $0.hasPrefix(option + "=") }
          #expect(isKnown, "\(document): flowcep \(name) has no option \(option)")
        }
      }
    }
    #expect(!helps.isEmpty)
  }

  private static func help(_ name: String) throws -> String {
    let result = try Program.run([name, "--help"])
    return result.code == 0 && result.output.contains("flowcep \(name)") ? result.output : ""
  }

  /// The words behind `flowcep`, up to what the shell makes of the line.
  private static func commands(in document: String) throws -> [[String]] {
    let text = try String(contentsOf: SharedFolder.repository.appendingPathComponent(document), encoding: .utf8)
    var found: [String] = []
    for line in try prose(of: SharedFolder.repository.appendingPathComponent(document)) {
      for (number, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated() where number % 2 == 1 {
        if part.hasPrefix("flowcep ") { found.append(String(part)) }
      }
    }
    for line in text.split(separator: "\n") where line.hasPrefix("flowcep ") || line.hasPrefix("sudo flowcep ") {
      found.append(String(line))
    }
    return found.map { command in
      let words = command.split(separator: " ").map(String.init)
      let own = words.drop { $0 != "flowcep" }.dropFirst()
      return Array(own.prefix { !["|", ">", "2>", "<", "&", "&&", ";", "||"].contains($0) })
    }
  }
}
