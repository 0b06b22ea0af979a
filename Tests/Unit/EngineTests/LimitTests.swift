import Engine
import EventModel
import Testing

/// What statements keep is counted and bounded: by kind, the oldest goes first, and rows say that something may be missing.
@Suite struct LimitTests {
  private static let schema = "create schema E(k string, v int);\n"

  private func run(_ epl: String, _ count: Int, limit: Int? = nil, clock: EngineOptions.ClockMode = .system) throws -> (
    Engine, rows: [EngineRows]
  ) {
    var options = EngineOptions()
    options.clock = clock
    options.stateLimit = limit
    let engine = try Engine(modules: [EngineModule(name: "m", text: Self.schema + epl)], options: options)
    let gathered = Gathered()
    engine.onRows = { gathered.rows.append($0) }
    let input = try #require(engine.input(named: "E"))
    for start in stride(from: 0, to: count, by: 500) {
      let part = start..<min(start + 500, count)
      let columns = input.properties.map { property in
        property == 0 ? Column(.strings(part.map { "key\($0)" })) : Column(.ints(part.map { Int64($0) }))
      }
      engine.send(EventBatch(type: input.type, count: part.count, properties: input.properties, columns: columns))
      engine.checkState(at: Int64(start) * 1000)
    }
    return (engine, gathered.rows)
  }
  private final class Gathered { var rows: [EngineRows] = [] }

  @Test func statementsAreCounted() throws {
    let (engine, _) = try run(
      "@Name('w') select v from E(v >= 100).win:length(50);\n@Name('g') select k, count(*) from E group by k;", 1000)
    engine.checkState(at: .max / 2)
    let counts = Dictionary(uniqueKeysWithValues: zip(engine.statements.map(\.name), engine.statementCounts))
    #expect(counts["w"]?.eventsIn == 900 && counts["w"]?.rowsOut == 900 && counts["w"]?.entries == 50)
    #expect(counts["g"]?.eventsIn == 1000 && counts["g"]?.entries == 1000 && (counts["g"]?.bytes ?? 0) > 100_000)
    #expect(counts["g"]?.shed == 0)
  }

  @Test(arguments: [
    "select v from E.win:keepall()", "select k, count(*) from E group by k", "select a.k from pattern [every a=E -> b=E(k = a.k, v < 0)]",
    "select * from E.std:unique(k)",
    "select * from E match_recognize (partition by k measures A.v as a pattern (A B) define A as A.v > 0, B as B.v < 0)",
    "select a.k from E.win:keepall() as a, E.win:keepall() as b where a.k = b.k and a.v > b.v",
    "select k from E.win:time(1 hour)", "select k, count(*) from E.win:time_batch(1 hour) group by k",
    "create window W.win:keepall() as E;\ninsert into W select * from E",
    "select exists (select * from E.win:keepall() as s where s.k = x.k and s.v > x.v) from E as x",
    "create context C partition by k from E;\ncontext C select count(*) from E",
    "select k, count(*) from E.win:length(10) group by k output all every 500 events",
    "select k, count(*) from E group by k output first every 500 events",
    "create window W.win:time_batch(1 hour) as E;\ninsert into W select * from E",
    "select prior(1, v) from E.win:keepall()", "select k, v from E.std:groupwin(k).win:length(1)",
    "select * from pattern [every-distinct(a.k) a=E]",
  ])
  func aStatementThatKeepsTooMuchGivesUpTheOldest(_ epl: String) throws {
    let limit = 400_000
    let (free, _) = try run("@Name('s') " + epl + ";", 6000)
    free.checkState(at: .max / 2)
    #expect((free.statementCounts.map(\.bytes).max() ?? 0) > limit * 5 / 4)
    let (engine, _) = try run("@Name('s') " + epl + ";", 6000, limit: limit)
    engine.checkState(at: .max / 2)
    // A kernel's empty tables keep memory for the next batch.
    #expect((engine.statementCounts.map(\.bytes).max() ?? 0) <= limit * 9 / 8)
    #expect((engine.statementCounts.map(\.shed).max() ?? 0) > 0)
  }

  @Test func rowsOfASheddingStatementAndOfItsReadersAreMarked() throws {
    let epl =
      "@Name('a') insert into S select k, count(*) as c from E group by k;\n@Name('b') select c from S;\n@Name('c') select v from E;"
    let (_, rows) = try run(epl, 6000, limit: 300_000)
    for (name, marked) in [("a", true), ("b", true), ("c", false)] {
      let own = rows.filter { $0.statement.name == name }
      #expect(own.first?.isIncomplete == false && own.last?.isIncomplete == marked, "\(name)")
    }
  }

  /// Partitions are given up for all statements of the context; those that begin anew give rows again.
  @Test func partitionsAreGivenUpTogether() throws {
    let epl =
      "create context C partition by k from E;\n@Name('a') context C select count(*) as c from E;\n@Name('b') context C select sum(v) as s from E;"
    let (engine, rows) = try run(epl, 6000, limit: 1_000_000)
    #expect(rows.filter { $0.statement.name == "b" }.last?.isIncomplete == true)
    engine.checkState(at: .max / 2)
    let entries = engine.statementCounts.map(\.entries)
    #expect(entries.allSatisfy { $0 < 6000 } && engine.statementCounts.contains { $0.shed > 0 }, "\(entries)")
  }

  /// What metrics and logs call a statement is its own, whatever others are called.
  @Test func labelsTellStatementsOfOneNameApart() throws {
    func module(_ name: String, _ epl: String) -> EngineModule { EngineModule(name: name, text: Self.schema + epl) }
    let one = "@Name('same') select k from E;\n@Name('own') select v from E;"
    let engine = try Engine(modules: [
      module("a/x.epl", one), module("b/x.epl", "@Name('same') select k from E;"),
      module("y.epl", "module m;\n@Name('same') select k from E;"),
    ])
    let labels = engine.statements.filter { $0.rowType != nil }.map(\.label)
    #expect(labels == ["x.epl/same", "own", "x.epl/same (2)", "m/same"])
  }

  /// The answers of compat mode are the original's, which knows no bound.
  @Test func compatModeHasNoBound() throws {
    let (engine, _) = try run("@Name('s') select k, count(*) from E group by k;", 6000, limit: 300_000, clock: .compat)
    #expect(engine.statementCounts.map(\.shed) == [0, 0] && engine.statementCounts.contains { $0.bytes > 300_000 })
  }
}
