import Engine
import EventModel
import Testing

/// The kernel for keyed sequences against the general operators.
@Suite struct SequenceTests {
  static let patterns = [
    "select a.k as x, b.v as y from pattern [every a=E(p = 1, d > 0.2) -> b=E(u like '%login%', k = a.k) where timer:within(400 msec)]",
    // No guard, no condition of its own, the same event both.
    "select a.t as t1, b.t as t2, a.s as s from pattern [every a=E -> b=E(k = a.k)]",
    "select a.t as t1, b.t as t2 from pattern [every a=E(v > 3) -> b=E(v > 3, s = a.s) where timer:within(2 sec)]",
    // Keys of several columns, further comparisons, mirrored and with nulls.
    "select a.d as x, a.u as u, b.p as y from pattern [every a=E(p != 2) -> b=E(a.k = k, s = a.s, v > a.v) where timer:within(3 sec)]",
    "select a.v as x, b.v as y, a.t as t from pattern [every a=E -> b=E(k = a.k, p != a.p, v <= a.v) where timer:within(1 sec)]",
    "select a.u as x, b.u as y from pattern [every a=E(d < 0.5) -> b=E(u = a.u, v >= BOUND) where timer:within(1500 milliseconds)]",
    // No key at all: what waits ends with the first that comes.
    "select a.t as x, b.t as y from pattern [every a=E(p = 3) -> b=E(v = 7) where timer:within(1 sec)]",
    // Keys of different columns.
    "select a.t as x, b.t as y from pattern [every a=E(p = 1) -> b=E(u = a.k or u is null, v = a.p, p = a.v) where timer:within(5 sec)]",
    "select a.t as x, b.t as y from pattern [every a=E -> b=E(v = a.p, p = a.v) where timer:within(5 sec)]",
    // Three and four steps.
    "select a.t as x, b.t as y, c.t as z from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(2 sec) -> c=E(p = 3, s = b.s) where timer:within(1 sec)]",
    "select a.t as w, b.d as x, c.t as y, e.t as z from pattern [every a=E(v < 4) -> b=E(k = a.k) -> c=E(s = a.s, v > b.v) -> e=E(u = b.u) where timer:within(4 sec)]",
    "select a.k as x, c.v as y from pattern [every a=E(p = 1) -> E(p = 2, k = a.k) where timer:within(2 sec) -> c=E(v = 5, k = a.k)]",
    // The rest of the statement is any.
    "select a.k as k, count(*) as c, sum(b.v) as s from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(1 sec)] group by a.k having count(*) > 1",
    "select a, b from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(1 sec)]",
    "select * from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(1 sec)] where a.v < b.v",
    "select a.d as x, b.d as y from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(1 sec)].win:time(2 sec) order by a.d",
    "select irstream count(*) as c, max(a.d) as m from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k)].win:length(4)",
    "select a.k as k from pattern [every a=E(p = 1) -> b=E(p = 2, k = a.k) where timer:within(1 sec)] output every 1 sec",
    // What no kernel runs.
    "select a.k as k from pattern [every (a=E(p = 1) -> b=E(p = 2, k = a.k)) where timer:within(1 sec)]",
    "select a.k as k, b.d as d from pattern [every a=E(p = 1) -> b=E(d = a.d) where timer:within(1 sec)]",
  ]
  /// How many of them a kernel runs.
  static let general = 3

  static let others = [
    "select k, count(*) as c from E.win:time_batch(1 sec) group by k",
    "select k, v from E(p = 1, d > 0.5)",
  ]

  @Test func theKernelIsChosen() throws {
    let text = TiersTests.schema + Self.patterns.map { $0 + ";" }.joined(separator: "\n")
    let engine = try Engine(modules: [EngineModule(name: "test", text: text)])
    let chosen = engine.explain().split(separator: "\n").count { $0.contains("column kernel keyed sequence") }
    #expect(chosen == Self.patterns.count - Self.general)
  }

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark, .system])
  func bothTiersAgree(clock: EngineOptions.ClockMode) throws {
    for (number, statement) in Self.patterns.enumerated() {
      for variant in 0..<2 {
        let expected = try TiersTests.run([statement], clock: clock, size: 1, rewrites: false, count: 300, variant: number * 3 + variant)
        for size in [1, 7, 2048] {
          let rows = try TiersTests.run(
            [statement], clock: clock, size: size, rewrites: true, count: 300, variant: number * 3 + variant, choosing: variant == 1)
          #expect(TiersTests.difference(rows, expected) == nil, "\(statement), batches of \(size)")
        }
      }
    }
  }

  @Test func patternsGiveRows() throws {
    for (number, statement) in Self.patterns.enumerated() {
      let rows = try (0..<3).map {
        try TiersTests.run([statement], clock: .watermark, size: 7, rewrites: true, count: 400, variant: number * 3 + $0).count
      }
      #expect(rows.reduce(0, +) > 0, "\(statement) gives nothing")
    }
  }

  @Test(arguments: [EngineOptions.ClockMode.watermark, .system])
  func statementsTogetherAgree(clock: EngineOptions.ClockMode) throws {
    for variant in 0..<3 {
      let all = Self.patterns + Self.others
      let expected = try TiersTests.run(all, clock: clock, size: 1, rewrites: false, count: 500, variant: variant)
      for size in [1, 7, 2048] {
        let rows = try TiersTests.run(all, clock: clock, size: size, rewrites: true, count: 500, variant: variant)
        #expect(TiersTests.difference(rows, expected) == nil, "variant \(variant), batches of \(size)")
      }
    }
  }

  /// A batch as wide as a real one, so that rings and tables grow, are swept and shrink again.
  @Test func manyWaitAtOnce() throws {
    let statement = "select a.t as x, b.t as y from pattern [every a=E -> b=E(p = 3, k = a.k, s = a.s) where timer:within(20 sec)]"
    let expected = try TiersTests.run([statement], clock: .watermark, size: 1, rewrites: false, count: 4000, variant: 0)
    #expect(expected.count > 100)
    for size in [7, 2048] {
      let rows = try TiersTests.run([statement], clock: .watermark, size: size, rewrites: true, count: 4000, variant: 0)
      #expect(TiersTests.difference(rows, expected) == nil, "batches of \(size)")
    }
  }

  // MARK: Two streams, the wall's clock, state

  private static let two = """
    create schema A (k string, v int, x double);
    create schema B (k string, v int);
    @Name('out') insert into C select a.k as k, a.x as x, b.v as v
      from pattern [every a=A(v > 0) -> b=B(k = a.k, v >= a.v) where timer:within(10 sec)];
    @Name('again') select k, count(*) as c from C.win:length(3) group by k;

    """

  private func engine(_ rewrites: Bool, _ rows: Rows) throws -> Engine {
    var options = EngineOptions()
    options.clock = .system
    options.rewrites = rewrites
    let engine = try Engine(modules: [EngineModule(name: "test", text: Self.two)], options: options)
    engine.onRows = {
      rows.texts.append("\($0.time) \($0.statement.name) " + $0.new.map { "\($0.values.map { $0.text ?? "null" })" }.joined())
    }
    return engine
  }

  private final class Rows { var texts: [String] = [] }

  private func send(_ name: String, _ rows: [(k: String?, v: Int64)], to engine: Engine) throws {
    let input = try #require(engine.input(named: name))
    var columns = [
      Column(.strings(rows.map { $0.k ?? "" }), nulls: rows.map { $0.k == nil }), Column(.ints(rows.map(\.v))),
    ]
    if name == "A" { columns.append(Column(.doubles(rows.map { $0.v % 3 == 0 ? -0.0 : Double($0.v) / 8 }))) }
    engine.send(EventBatch(type: input.type, count: rows.count, properties: Array(0..<columns.count), columns: columns))
  }

  /// Batches of both types at times that also go back; the state is saved and restored, and some of it shed, on the way.
  private func play(_ rewrites: Bool, size: Int, restarts: Bool) throws -> (rows: [String], counts: [UInt64]) {
    let rows = Rows()
    var engine = try engine(rewrites, rows)
    var (state, time): (UInt64, Int64) = (88172645463325252, 5_000_000)
    func random(_ limit: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return (state >> 11) % limit
    }
    for round in 0..<300 {
      time += random(9) == 0 ? -Int64(random(15_000)) : Int64(random(2_000))
      engine.advance(to: time)
      let sent = (0..<8).map { _ in
        (k: random(12) == 0 ? nil : random(3) == 0 ? "10.0.0.\(random(4))" : "k\(random(5))", v: Int64(random(9)) - 1)
      }
      for start in stride(from: 0, to: 8, by: size) {
        try send(random(3) == 0 ? "B" : "A", Array(sent[start..<min(start + size, 8)]), to: engine)
      }
      guard restarts, round % 50 == 49 else { continue }
      let saved = try engine.saveState()
      engine = try self.engine(rewrites, rows)
      #expect(try engine.restoreState(saved).empty.isEmpty)
    }
    engine.finish(flush: true)
    rows.texts.append("ended at \(engine.now)")
    return (rows.texts, engine.statementCounts.map(\.eventsIn))
  }

  @Test func twoStreamsByTheWallsClock() throws {
    let expected = try play(false, size: 8, restarts: false)
    #expect(expected.rows.count > 100)
    let rows = try play(true, size: 8, restarts: false)
    #expect(TiersTests.difference(rows.rows, expected.rows) == nil)
    #expect(rows.counts == expected.counts)
  }

  @Test func aRestartChangesNoAnswer() throws {
    let expected = try play(true, size: 8, restarts: false)
    let rows = try play(true, size: 8, restarts: true)
    #expect(TiersTests.difference(rows.rows, expected.rows) == nil)
  }

  /// Without a guard what waits has no bound but the limit: the oldest is given up, and its memory.
  @Test func theOldestIsGivenUp() throws {
    let text = "create schema E (k int); select a.k as k from pattern [every a=E -> b=E(k = a.k)];"
    var options = EngineOptions()
    options.clock = .system
    options.stateLimit = 400_000
    let engine = try Engine(modules: [EngineModule(name: "test", text: text)], options: options)
    let input = try #require(engine.input(named: "E"))
    var found: [Int64] = []
    engine.onRows = { found += $0.new.compactMap { $0[0].integer } }
    func send(_ keys: [Int64]) {
      engine.send(EventBatch(type: input.type, count: keys.count, properties: [0], columns: [Column(.ints(keys))]))
    }
    for start in stride(from: Int64(0), to: 40_000, by: 500) {
      send(Array(start..<(start + 500)))
      engine.checkState(at: start * 1000)
    }
    engine.checkState(at: .max / 2)
    let counts = try #require(engine.statementCounts.last)
    #expect(counts.shed > 10_000 && counts.bytes <= 400_000, "\(counts)")
    send([0, 39_999])
    #expect(found == [39_999])
  }
}
