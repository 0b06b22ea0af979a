import Engine
import EventModel
import Foundation
import JSONLines
import Testing

/// The reference statements on the shared capture, in compat mode: the original's answers, row for row.
@Suite struct AnswersTests {
  static let lines = Capture.lines()

  struct Update: Hashable {
    var time: Int64
    var statement: String
    /// Sorted, since the order within a grouped update is an accident of hashing in the original.
    var rows: [String]
  }

  @Test(
    .enabled(if: Capture.lines() != nil, "the shared capture is not beside the repository"),
    arguments: [
      ("port-scan", 1), ("http-scan", 1), ("brute-force", 1), ("multi-stage", 1), ("multi-stage-joined.8-loops", 8),
    ])
  func moduleGivesRecordedAnswers(_ name: String, loops: Int64) throws {
    let recorded = try AnswersTests.recorded(name)
    let given = try AnswersTests.given(name, loops: loops)
    for statement in Set(recorded.map(\.statement)) {
      let wanted = recorded.filter { $0.statement == statement }
      let got = given.filter { $0.statement == statement }
      #expect(wanted.count == got.count, "\(name), \(statement)")
      for (a, b) in zip(wanted, got) where a != b {
        Issue.record("\(name), \(statement): \(a) is recorded, \(b) given")
        break
      }
    }
    if recorded.isEmpty { #expect(given.isEmpty) }
  }

  private static func recorded(_ name: String) throws -> [Update] {
    let text = try String(contentsOfFile: Capture.shared + "/data/answers/\(name).jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      guard case .map(let map) = try JSONReader.parse(String(line)) else { throw CocoaError(.fileReadCorruptFile) }
      return Update(
        time: map["t"].integer ?? 0, statement: map["statement"].text ?? "", rows: (map["new"].array ?? []).map(described).sorted())
    }
  }

  private static func described(_ row: Value) -> String {
    guard case .map(let map) = row else { return "" }
    return map.entries.sorted { $0.key < $1.key }.map { "\($0.key)=\(JSONText.text($0.value))" }.joined(separator: " ")
  }

  private static func given(_ name: String, loops: Int64) throws -> [Update] {
    let module = try String(
      contentsOf: ConformanceTests.folder.appendingPathComponent("answers/\(name).epl"), encoding: .utf8)
    var options = EngineOptions()
    options.clock = .compat
    let engine = try Engine(modules: [EngineModule(name: name, text: module)], options: options)
    let input = try #require(engine.input(named: "IPFIX"))
    var updates: [Update] = []
    engine.onRows = { rows in
      let texts = rows.new.map { row in
        zip(row.type.properties.map(\.name), row.values).sorted { $0.0 < $1.0 }
          .map { "\($0)=\(JSONText.text($1))" }.joined(separator: " ")
      }
      updates.append(Update(time: rows.time, statement: rows.statement.name, rows: texts.sorted()))
    }
    var reader = EventReader(type: input.type, properties: input.properties)
    for loop in 0..<loops {
      for line in lines ?? [] {
        var text = loops > 1 ? Capture.shifted(line, loop: loop) : line
        text.withUTF8 { reader.read($0) }
        if reader.count == 2048, let batch = reader.takeBatch() { engine.send(batch) }
      }
    }
    if let batch = reader.takeBatch() { engine.send(batch) }
    #expect(reader.badLines == 0)
    return updates
  }
}
