import Cases
import Engine
import Foundation
import Testing

/// The engine against one that is simple enough to trust, over random modules and events.
///
/// `FLOWCEP_NAIVE_RUNS` says how many (2,000), `FLOWCEP_NAIVE_SEED` where to begin (1).
@Suite struct NaiveTests {
  private static func setting(_ name: String, _ standard: Int) -> Int {
    ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
  }

  @Test func randomModulesGiveTheNaiveAnswers() throws {
    let first = Self.setting("FLOWCEP_NAIVE_SEED", 1)
    var failures = 0
    for seed in first..<(first + Self.setting("FLOWCEP_NAIVE_RUNS", 2000)) where failures < 5 {
      let json = try Self.caseText(seed)
      let test = try TestCase(json: [UInt8](json))
      var differences = CaseRunner(batchSize: [1, 7, 2048][seed % 3]).run(test)
      if differences.isEmpty {
        var options = EngineOptions()
        options.rewrites = false
        differences = CaseRunner(batchSize: 5, options: options).run(test)
      }
      if differences.isEmpty { continue }
      failures += 1
      Issue.record("seed \(seed): \(test.epl)\n\(differences.joined(separator: "\n"))")
    }
  }

  /// The case of a seed, with the naive engine's answers.
  private static func caseText(_ seed: Int) throws -> Data {
    var random = RandomStatements(seed: UInt64(seed))
    let module = random.module()
    let events = random.events()
    let naive = NaiveEngine(module)
    for event in events { naive.send(at: event.time, "E", event.values) }
    let updates = naive.updates.map { update -> [String: Any] in
      var result: [String: Any] = ["t": update.time, "statement": update.statement, "new": update.new.map(object)]
      if !update.old.isEmpty { result["old"] = update.old.map(object) }
      return result
    }
    return try JSONSerialization.data(withJSONObject: [
      "compare": "per_statement", "feature": "naive", "name": "\(seed)",
      "epl": "create schema E(k string, v int, d double);\n" + module.map(\.text).joined(separator: ";\n") + ";",
      "outputs": module.map(\.name),
      "events": events.map { event -> [String: Any] in
        guard let values = event.values else { return ["t": event.time] }
        return ["t": event.time, "type": "E", "e": values.mapValues(plain)]
      },
      "expected": ["updates": updates, "types": [String: Any]()],
    ])
  }

  private static func object(_ row: [(String, NaiveValue)]) -> [String: Any] {
    Dictionary(row.map { ($0.0, plain($0.1)) }, uniquingKeysWith: { first, _ in first })
  }

  private static func plain(_ value: NaiveValue) -> Any {
    switch value {
    case .null: NSNull()
    case .int(let value): value
    case .real(let value): value
    case .text(let value): value
    }
  }
}
