import Engine
import EventModel
import Testing

/// What a statement need not keep goes: its state stays flat while keys come that never come again.
@Suite struct FlatStateTests {
  private static let schema = "@Tag(name='timestamp', value='t') create schema E(t long, k string, v int);\n"
  private static let context = "create context C partition by k from E;\n"

  private final class Rows { var texts: [String] = [] }

  private func engine(_ epl: String) throws -> Engine {
    var options = EngineOptions()
    options.clock = .compat
    options.seed = 7
    return try Engine(modules: [EngineModule(name: "m.epl", text: Self.schema + epl)], options: options)
  }

  /// An event every 10 ms.
  private func send(_ numbers: Range<Int>, _ key: (Int) -> Int, to engine: Engine) throws {
    let input = try #require(engine.input(named: "E"))
    for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 1000) {
      let part = start..<min(start + 1000, numbers.upperBound)
      let times = part.map { 1_600_000_000_000 + Int64($0) * 10 }
      let columns = input.properties.map { property -> Column in
        switch property {
        case 0: Column(.ints(times))
        case 1: Column(.strings(part.map { "key\(key($0))" }))
        default: Column(.ints(part.map { Int64($0 % 1000) }))
        }
      }
      engine.send(EventBatch(type: input.type, count: part.count, properties: input.properties, columns: columns, times: times))
    }
  }

  private func entries(_ engine: Engine, at time: Int64) -> Int {
    engine.checkState(at: time)
    return engine.statementCounts.reduce(0) { $0 + $1.entries }
  }

  /// A window of 10 s holds 1000 events.
  @Test(arguments: [
    "select prior(1, v) from E#time(10 sec)",
    "select prior(3, v), prior(v % 5, k) from E#length(1000)",
    "select prior(1, v) from E",
    "select k, count(*) from E#time(10 sec) group by k",
    "select k, count(*) from E#time(10 sec) group by k output first every 10 sec",
    "select k, count(*) from E#time(10 sec) group by k having count(*) > 1 output first every 10 sec",
    "select k, v, count(*) from E#time(10 sec) group by k output last every 5 sec",
    "select k, count(*) from E#time(10 sec) group by k output snapshot every 5 sec",
    "select k, v, count(*) from E#time(10 sec) group by rollup(k, v) output last every 5 sec",
    "select a.k, count(*) from E#time(10 sec) as a, E#time(10 sec) as b where a.k = b.k group by a.k output first every 10 sec",
    "select k, v from E.std:groupwin(k).win:time(10 sec)",
    "select * from E match_recognize (partition by k measures A.v as a pattern (A B) define A as A.v < 0)",
    "select a.k from pattern [every-distinct(a.k, 10 sec) a=E]",
    "select a.k from pattern [every a=E -> (timer:interval(10 sec) and not E(k = a.k))]",
    context + "context C select context.key1, count(*), sum(v), max(v) from E#time(10 sec)",
    context + "context C select k, count(distinct v) from E#time(10 sec) group by k",
    context + "context C select a.k from pattern [every a=E(v < 0) -> b=E]",
    context + "context C select (select count(*) from E#time(10 sec)) as c from E",
    "create context C context A partition by k from E, context B start E(v < 0) end after 1 sec;\ncontext C select count(*) from E",
  ])
  func stateStaysFlat(_ epl: String) throws { try checkFlat(epl, 6000) }

  @Test(arguments: [
    "select prior(1, v) from E#time(10 sec)", "select k, count(*) from E#time(10 sec) group by k output first every 10 sec",
  ])
  func stateStaysFlatOverManyEvents(_ epl: String) throws { try checkFlat(epl, 100_000) }

  private func checkFlat(_ epl: String, _ count: Int) throws {
    let engine = try engine(epl + ";")
    try send(0..<2000, { $0 }, to: engine)
    let early = entries(engine, at: 0)
    try send(2000..<count, { $0 }, to: engine)
    let late = entries(engine, at: .max / 2)
    #expect(late < early * 2 + 500, "\(early), \(late)")
  }

  /// Every group that ever was has its row, as in the original; of one that is empty nothing but its last event is kept.
  @Test func outputAllKeepsGroupsAndNotTheirAggregates() throws {
    let engine = try engine("select k, count(*), count(distinct v) from E#time(10 sec) group by k output all every 20 sec;")
    try send(0..<6000, { $0 }, to: engine)
    let entries = entries(engine, at: .max / 2)
    #expect(entries >= 6000 && entries < 10_000, "\(entries)")
  }

  /// A partition that was forgotten and begins anew gives the rows of one that stayed; where its number is read, it stays.
  @Test(arguments: [
    "count(*), sum(v), avg(v), max(v), count(distinct v), stddev(v) from E#time(30 sec)",
    "count(*) from E#time(30 sec)#length(3)", "prev(1, v) from E#time(30 sec)", "countever(*), min(v) from E#time(30 sec)",
    "a.v from pattern [every a=E(v % 3 = 0) -> b=E(v % 3 = 1)]", "v from E#time_batch(20 sec)",
    "count(*) from E#time(30 sec) output last every 10 sec",
  ])
  func forgottenPartitionsChangeNoAnswer(_ select: String) throws {
    func rows(_ epl: String) throws -> (texts: [String], entries: Int) {
      let (engine, rows) = (try engine(Self.context + epl), Rows())
      engine.onRows = { given in
        guard given.statement.name == "s" else { return }
        for row in given.new { rows.texts.append("\(given.time) " + row.values.map { $0.text ?? "null" }.joined(separator: "=")) }
      }
      try send(0..<3000, { $0 % 3 == 0 ? $0 % 17 : ($0 &* 2_654_435_761 >> 7) % 1000 }, to: engine)
      return (rows.texts, entries(engine, at: .max / 2))
    }
    let plain = try rows("@Name('s') context C select context.key1, \(select);")
    let kept = try rows("@Name('s') context C select context.key1, \(select);\n@Name('i') context C select context.id from E(v < 0);")
    #expect(plain.texts == kept.texts && plain.texts.count > 200)
    #expect(plain.entries <= kept.entries)
  }
}
