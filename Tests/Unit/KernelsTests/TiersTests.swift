import Engine
import EventModel
import Testing

/// The kernels against the general operators: the same rows at the same times, however a stream is cut into batches.
@Suite struct TiersTests {
  static let schema = """
    @Tag(name='timestamp', value='t')
    create schema E (t long, k string, s string, p int, v int, d double, u string);
    create variable int BOUND = 3;

    """

  static let statements = [
    "select k, count(*) as c from E.win:time_batch(1 sec) group by k",
    "select k, p, count(*) as c, sum(v) as s, avg(v) as a, min(v) as lo, max(v) as hi from E.win:time_batch(1 sec) group by k, p",
    "select k, count(distinct s) as c, count(s) as n, first(s) as f, last(s) as l from E.win:time_batch(2 sec) group by k having count(distinct s) >= BOUND",
    "select k, count(*) as c from E(p = 2, v <= BOUND).win:time_batch(1 sec) group by k having count(*) < 3",
    "select s, u, count(*) from E(u like '%login%' or u like '%admin' or u not like '/%').win:time_batch(1500 msec) group by s, u",
    "select k, sum(d) as x, max(d) as y, k || ' ' || cast(count(*), string) as text from E.win:time_batch(1 sec) where v > 2 group by k order by k limit 3",
    "select count(*) as c, sum(v) as s from E.win:time_batch(1 sec)",
    "select count(*) as c from E(p in (1, 3), v between 2 and 5).win:time_batch(1 sec) where s is not null having count(*) > 1",
    "select p, v, count(*) as c from E(not (p = 1 or v = BOUND), s != '10.0.0.1').win:time_batch(700 msec) group by p, v",
    "select u, max(t) as latest from E(s = '10.0.0.2' or u is null).win:time_batch(1 sec) group by u having max(t) > 0 and count(*) >= 2",
    // Events of a batch that pass WHERE.
    "select k, s, p, count(*) as c, sum(v) as total from E.win:time_batch(1 sec) where p = 2 or s = '10.0.0.1' group by k",
    "select * from E(v > 1).win:time_batch(900 msec) where d > 0.7",
    "select k, t from E.win:time_batch(1 sec) where v = BOUND order by t desc limit 2",
    // WHERE before a sliding window, where the clock goes on.
    "select k, count(*) as c, max(t) as m from E.win:time(500 msec) where p = 2 group by k having count(*) > 1",
    "select k, s from E where v = 5",
    // A row for each event of a sliding window, with the aggregates of its group.
    "select k, s, p, count(*) as c, sum(v) as total, avg(d) as a from E.win:time(500 msec) group by k having count(*) > 2",
    "select t, count(*) as c from E(p = 2).win:time(700 msec)",
    "select s, v, count(s) as c, sum(d) as x, sum(p) as y from E(v > 1, v < 6).win:time(1 sec) group by s, u having count(s) >= BOUND",
    "select u, k || ' ' || cast(count(*), string) as text from E.win:time(300 msec) where p = 2 or d > 0.7 group by u order by k limit 1",
    // What no kernel runs, beside what one does: events of rows that pass a filter over columns.
    "select k, v from E(p = 1, d > 0.5)",
    "select k, count(*) as c from E(v = 1).win:length(3) group by k",
    "select a.k as x, b.v as y from pattern [every a=E(p = 1, d > 0.2) -> b=E(u like '%login%', k = a.k) where timer:within(400 msec)]",
    "select a.k as x, b.v as y from E(p = 1).std:lastevent() as a, E(p = 2).win:time(1 sec) as b where a.k = b.k",
  ]

  /// Sums of doubles from which others were taken away differ in their last digits.
  private static func text(_ row: Event) -> String {
    let values = row.values.map { value in
      if case .double(let number) = value { String((number * 1e9).rounded()) } else { value.text ?? "null" }
    }
    return "(" + values.joined(separator: ", ") + ")"
  }

  /// The first row in which two answers differ.
  static func difference(_ a: [String], _ b: [String]) -> String? {
    for index in 0..<max(a.count, b.count) {
      let (x, y) = (index < a.count ? a[index] : "nothing", index < b.count ? b[index] : "nothing")
      if x != y { return "row \(index): \(x) instead of \(y)" }
    }
    return nil
  }

  /// Rows of a stream under one way of running it, as text.
  /// - Parameters:
  ///   - choosing: what no statement wants is left out of batches.
  ///   - restoring: the state is saved behind every third batch and restored into another engine.
  ///   - declarations: stand before the statements.
  static func run(
    _ statements: [String], clock: EngineOptions.ClockMode, size: Int, rewrites: Bool, count: Int, variant: Int, choosing: Bool = false,
    restoring: Bool = false, declarations: String = ""
  ) throws -> [String] {
    let text = schema + declarations + statements.enumerated().map { "@Name('s\($0.offset)') \($0.element);" }.joined(separator: "\n")
    var options = EngineOptions()
    options.clock = clock
    options.rewrites = rewrites
    options.lateness = 500
    options.maxSkew = 1_000_000_000
    options.seed = 7
    options.keepsCurrentRows = false
    var rows: [String] = []
    func makeEngine() throws -> Engine {
      let engine = try Engine(modules: [EngineModule(name: "test", text: text)], options: options)
      engine.onRows = { rows.append("\($0.time) \($0.statement.name) " + $0.new.map { Self.text($0) }.joined(separator: " ")) }
      engine.onFailure = { statement, reason in rows.append("failed: \(statement?.name ?? "?") \(reason)") }
      return engine
    }
    var engine = try makeEngine()
    let stream = RandomStream(seed: UInt64(variant + 1), count: count)
    for (number, start) in stride(from: 0, to: count, by: size).enumerated() {
      let input = try #require(engine.input(named: "E"))
      let batch = stream.batch(input.type, start..<min(start + size, count), asText: variant % 2 == 1)
      engine.send(choosing ? engine.wanted(batch).map { batch.choosing($0) } ?? batch : batch)
      if restoring, number % 3 == 2 {
        let state = try engine.saveState()
        engine = try makeEngine()
        #expect(try engine.restoreState(state).empty.isEmpty)
      }
    }
    engine.finish()
    return rows
  }

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark, .system])
  func bothTiersAgree(clock: EngineOptions.ClockMode) throws {
    for (number, statement) in Self.statements.enumerated() {
      for variant in 0..<2 {
        let expected = try Self.run([statement], clock: clock, size: 1, rewrites: false, count: 200, variant: number * 2 + variant)
        if clock != .system { #expect(!expected.isEmpty, "\(statement) gives nothing") }
        for size in [1, 7, 2048] {
          let rows = try Self.run([statement], clock: clock, size: size, rewrites: true, count: 200, variant: number * 2 + variant)
          #expect(Self.difference(rows, expected) == nil, "\(statement), batches of \(size)")
        }
      }
    }
  }

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func statementsTogetherAgree(clock: EngineOptions.ClockMode) throws {
    for variant in 0..<4 {
      let expected = try Self.run(Self.statements, clock: clock, size: 1, rewrites: false, count: 500, variant: variant)
      for size in [1, 7, 2048] {
        let rows = try Self.run(Self.statements, clock: clock, size: size, rewrites: true, count: 500, variant: variant)
        #expect(Self.difference(rows, expected) == nil, "variant \(variant), batches of \(size)")
      }
    }
  }

  /// What no statement wants may be left out of a batch but for its times.
  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func unwantedEventsNeedNoValues(clock: EngineOptions.ClockMode) throws {
    let filtered = Self.statements.filter { $0.contains("E(") || $0.contains("where ") }
    for statements in filtered.map({ [$0] }) + [filtered] {
      for variant in 0..<2 {
        let expected = try Self.run(statements, clock: clock, size: 1, rewrites: false, count: 500, variant: variant)
        for size in [1, 7, 2048] {
          let rows = try Self.run(statements, clock: clock, size: size, rewrites: true, count: 500, variant: variant, choosing: true)
          #expect(Self.difference(rows, expected) == nil, "\(statements), variant \(variant), batches of \(size)")
        }
      }
    }
  }

  /// Rows that one statement inserts are gathered by another that counts them over its own batches.
  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func insertedRowsAreGathered(clock: EngineOptions.ClockMode) throws {
    let statements = [
      "insert into U select k as a, u as b, s as c, count(*) as n from E.win:time_batch(1 sec) where u not like '' group by k, u, s",
      "select a, b, count(*) as n, sum(n) as m, first(c) as f from U.win:time_batch(2 sec) group by a, b having count(*) > 1",
      "select a, count(distinct b) as n from U(n < 3).win:time_batch(1500 msec) group by a",
    ]
    let expected = try Self.run(statements, clock: clock, size: 1, rewrites: false, count: 2500, variant: 0)
    #expect(expected.contains { $0.contains("s1") } && expected.contains { $0.contains("s2") })
    for size in [1, 7, 2048] {
      let rows = try Self.run(statements, clock: clock, size: size, rewrites: true, count: 2500, variant: 0)
      #expect(Self.difference(rows, expected) == nil, "batches of \(size)")
    }
  }

  /// Events have times here, but the wall's counts: a window ends when that says so, not when the events do.
  @Test(arguments: [true, false])
  func systemClockGoesByTheWall(rewrites: Bool) throws {
    var options = EngineOptions()
    options.clock = .system
    options.rewrites = rewrites
    let engine = try Engine(modules: [EngineModule(name: "test", text: Self.schema + Self.statements[6] + ";")], options: options)
    var rows: [String] = []
    engine.onRows = { rows.append("\($0.time) \($0.new.count)") }
    let input = try #require(engine.input(named: "E"))
    engine.advance(to: 5_000_250)
    engine.send(RandomStream(seed: 1, count: 10).batch(input.type, 0..<10, asText: false))
    for time in stride(from: Int64(5_000_300), through: 5_002_000, by: 50) { engine.advance(to: time) }
    #expect(rows == ["5001250 1"])
  }

  @Test func planTellsOfTheKernel() throws {
    let engine = try Engine(modules: [EngineModule(name: "test", text: Self.schema + Self.statements[0] + ";")])
    #expect(engine.explain().contains("column kernel"))
    var options = EngineOptions()
    options.rewrites = false
    let plain = try Engine(modules: [EngineModule(name: "test", text: Self.schema + Self.statements[0] + ";")], options: options)
    #expect(!plain.explain().contains("column kernel"))
  }
}

/// Events from a seed: few keys, nulls, times that step back and sometimes leap.
struct RandomStream {
  struct Row {
    var t: Int64
    var k, s, u: String?
    var p, v: Int64?
    var d: Double?
  }
  var rows: [Row] = []

  init(seed: UInt64, count: Int) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func random(_ limit: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return (state >> 11) % limit
    }
    let urls = ["/login.php", "/a/admin", "/index", "relative", "", "/x/login/y"]
    var now: Int64 = 1_000_000
    for _ in 0..<count {
      now += random(40) == 0 ? Int64(random(5000)) : Int64(random(30))
      rows.append(
        Row(
          t: now - Int64(random(300)), k: random(20) == 0 ? nil : "key\(random(6))", s: random(10) == 0 ? nil : "10.0.0.\(random(5))",
          u: random(5) == 0 ? nil : urls[Int(random(6))], p: random(15) == 0 ? nil : Int64(random(4)),
          v: random(12) == 0 ? nil : Int64(random(8)),
          d: random(9) == 0 ? nil : Double(random(1000)) / 1000))
    }
  }

  func batch(_ type: EventType, _ range: Range<Int>, asText: Bool) -> EventBatch {
    let part = rows[range]
    func column<T>(_ values: [T?], _ zero: T, _ storage: ([T]) -> Column.Storage) -> Column {
      Column(storage(values.map { $0 ?? zero }), nulls: values.contains { $0 == nil } ? values.map { $0 == nil } : [])
    }
    func text(_ values: [String?]) -> Column {
      if asText { return column(values, "", Column.Storage.strings) }
      var (bytes, slices) = ([UInt8](), [Slice]())
      for value in values {
        slices.append(Slice(offset: Int32(bytes.count), length: Int32(value?.utf8.count ?? 0)))
        bytes += Array((value ?? "").utf8)
      }
      return Column(.utf8(SliceMemory(copying: bytes), slices), nulls: values.map { $0 == nil })
    }
    let addresses =
      asText
      ? text(part.map(\.s))
      : column(part.map { $0.s.flatMap { AddressText.parseIP4($0) } }, 0, Column.Storage.ip4)
    return EventBatch(
      type: type, count: part.count, properties: Array(0..<7),
      columns: [
        Column(.ints(part.map(\.t))), text(part.map(\.k)), addresses, column(part.map(\.p), 0, Column.Storage.ints),
        column(part.map(\.v), 0, Column.Storage.ints), column(part.map(\.d), 0, Column.Storage.doubles), text(part.map(\.u)),
      ], times: part.map(\.t))
  }
}
