import Engine
import EventModel
import Testing

/// Many statements over one stream are asked together: each gives what it gives alone.
@Suite struct ManyStatementsTests {
  /// Selective filters of every kind that is looked up, several of each, some the same, and some that are not looked up.
  private static let statements: [String] = {
    var conditions: [String] = []
    for number in 0..<8 {
      conditions += [
        "p = \(number)", "k = 'key\(number)'", "s = '10.0.0.\(number)'", "v in (\(number), \(number + 2), \(number + 40))",
        "v between \(number) and \(number - 2)", "v in [\(number):\(number + 2))",
        "u = '\(["/login.php", "", "relative", "ö"][number % 4])'",
        "k in ('key\(number)', 'key\(number + 1)', 'nobody')", "s in ('10.0.0.\(number)', 'nowhere', '::1')", "p = \(number % 3), d > 0.5",
        "k = 'key\(number % 2)' and (v > 3 or u like '%login%')", "p = 1 and s = '10.0.0.\(number)' and v != 2",
      ]
    }
    conditions += [
      "p != 1", "not (k = 'key1')", "v = 2.0", "p = BOUND", "d = 0.5", "v in (1, null)", "k = s", "u is null", "p = 1 and p = 2",
    ]
    let plain = conditions.enumerated().map { number, condition in
      number % 4 == 3
        ? "select k, count(*) as c from E(\(condition)).win:time_batch(1 sec) group by k"
        : "select t, k, v from E(\(condition))"
    }
    return plain + [
      "select p, count(*) as c from E.win:time_batch(1 sec) where k = 'key1' group by p",
      "select p, count(*) as c from E.win:time_batch(1 sec) where k = 'key2' group by p",
      "select k, count(*) as c from E(p = 2).win:length(3) group by k",
    ]
  }()

  /// The rows of each statement, by its number.
  private static func byStatement(_ rows: [String]) -> [String: [String]] {
    Dictionary(grouping: rows) { String($0.split(separator: " ")[1]) }
  }

  private static let alone: [EngineOptions.ClockMode: [[String]]] = Dictionary(
    uniqueKeysWithValues: [EngineOptions.ClockMode.compat, .watermark].map { clock in
      let answers = statements.map { statement in
        (0..<2).flatMap { variant in
          (try? TiersTests.run([statement], clock: clock, size: 1, rewrites: false, count: 200, variant: variant)) ?? ["failed"]
        }
      }
      return (clock, answers)
    })

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark], [7, 2048])
  func eachGivesWhatItGivesAlone(clock: EngineOptions.ClockMode, size: Int) throws {
    let alone = try #require(Self.alone[clock])
    #expect(alone.count { !$0.isEmpty } > Self.statements.count / 2)
    for choosing in [false, true] {
      let together = try (0..<2).map { variant in
        Self.byStatement(
          try TiersTests.run(
            Self.statements, clock: clock, size: size, rewrites: true, count: 200, variant: variant, choosing: choosing))
      }
      for (number, statement) in Self.statements.enumerated() {
        let rows = together.flatMap { $0["s\(number)"] ?? [] }.map { $0.replacing(" s\(number) ", with: " s0 ") }
        #expect(TiersTests.difference(rows, alone[number]) == nil, "\(statement), batches of \(size)")
      }
    }
  }

  /// One that takes every event stands among them; rows come in the order of deployment.
  @Test func theirOrderIsThatOfDeployment() throws {
    let statements = Array(Self.statements.prefix(30)) + ["select t from E"] + Array(Self.statements.suffix(20))
    let expected = try TiersTests.run(statements, clock: .watermark, size: 1, rewrites: false, count: 300, variant: 1)
    let rows = try TiersTests.run(statements, clock: .watermark, size: 2048, rewrites: true, count: 300, variant: 1)
    #expect(TiersTests.difference(rows, expected) == nil)
  }

  /// Ranges that all lie over one another are too many for a table of them.
  @Test func rangesOverOneAnother() throws {
    let statements = (0..<1200).map { "select v from E(v in [\(3 - $0):\(3 + $0)])" }
    let rows = Self.byStatement(try TiersTests.run(statements, clock: .watermark, size: 2048, rewrites: true, count: 20, variant: 0))
    let alone = try TiersTests.run([statements[0]], clock: .watermark, size: 2048, rewrites: false, count: 20, variant: 0)
    let all = try TiersTests.run([statements[1199]], clock: .watermark, size: 2048, rewrites: false, count: 20, variant: 0)
    #expect(rows["s0"] ?? [] == alone)
    #expect(rows["s1199"]?.count == all.count && all.count > alone.count)
  }
}
