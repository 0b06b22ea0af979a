import Foundation
import TestSupport

/// An example of `docs/epl`: a block of EPL and, right behind it, a block of text that says what comes of it.
struct Example {
  /// The line of the document at which the EPL starts, from 1.
  var line: Int
  var epl: String
  /// The lines of the text block in the document, from 0; nil where none follows: then the module need but compile.
  var answer: Range<Int>?
}

/// A document, and the examples in it.
struct ExampleDocument {
  /// Below the repository: `docs/epl/pattern.md`.
  let path: String
  var lines: [String]
  private(set) var examples: [Example] = []
  /// The schemas that all examples share: the block marked `epl streams` of the README.
  private(set) var streams = ""

  static let folder = "docs/epl"
  /// One test at a time writes.
  static let writing = NSLock()
  static let all: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: SharedFolder.repository.path + "/" + folder)) ?? []
    return files.filter { $0.hasSuffix(".md") }.sorted().map { "\(folder)/\($0)" }
  }()

  init(_ path: String) throws {
    self.path = path
    let text = try String(contentsOf: SharedFolder.repository.appendingPathComponent(path), encoding: .utf8)
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    readBlocks()
  }

  private mutating func readBlocks() {
    var open: (mark: String, start: Int)?
    var waiting: Example?
    for (number, line) in lines.enumerated() {
      if let block = open {
        guard line == "```" else { continue }
        open = nil
        let body = block.start..<number
        if block.mark == "epl" {
          waiting = Example(line: block.start + 1, epl: text(body), answer: nil)
        } else if block.mark == "epl streams" {
          streams = text(body)
        } else if block.mark == "text", var example = waiting {
          example.answer = body
          examples.append(example)
          waiting = nil
        }
      } else if line.hasPrefix("```") {
        let mark = String(line.dropFirst(3))
        if mark != "text", let example = waiting {
          examples.append(example)
          waiting = nil
        }
        open = (mark, number + 1)
      } else if !line.isEmpty, let example = waiting {
        // Something stands between: what follows does not belong to it.
        examples.append(example)
        waiting = nil
      }
    }
    if let example = waiting { examples.append(example) }
  }

  private func text(_ body: Range<Int>) -> String { lines[body].map { $0 + "\n" }.joined() }

  func save() throws {
    let text = lines.joined(separator: "\n")
    try text.write(to: SharedFolder.repository.appendingPathComponent(path), atomically: true, encoding: .utf8)
  }
}
