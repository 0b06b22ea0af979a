import Engine
import EventModel
import Testing

/// Statements that read what kernels give: rows that stay columns from one to the next give the answers of rows that go one by one.
@Suite struct ChainsTests {
  /// The same, however the stream is cut, and with the state saved and restored on the way.
  private func expectAgreement(
    _ statements: [String], clock: EngineOptions.ClockMode, count: Int = 1500, variants: Int = 2, declarations: String = "",
    restoring: Bool = true, in place: SourceLocation = #_sourceLocation
  ) throws {
    for variant in 0..<variants {
      func run(_ size: Int, rewrites: Bool, restoring: Bool = false) throws -> [String] {
        try TiersTests.run(
          statements, clock: clock, size: size, rewrites: rewrites, count: count, variant: variant, restoring: restoring,
          declarations: declarations)
      }
      let expected = try run(1, rewrites: false)
      for number in statements.indices where statements[number].hasPrefix("select") {
        #expect(expected.contains { $0.contains(" s\(number) ") }, "s\(number) gives nothing: \(statements)", sourceLocation: place)
      }
      for size in [1, 7, 2048] {
        let difference = TiersTests.difference(try run(size, rewrites: true), expected)
        #expect(difference == nil, "\(statements), variant \(variant), batches of \(size)", sourceLocation: place)
      }
      if restoring {
        let difference = TiersTests.difference(try run(97, rewrites: true, restoring: true), expected)
        #expect(difference == nil, "\(statements), variant \(variant), restored", sourceLocation: place)
      }
    }
  }

  /// Groups that have vanished are given with a count of 0; consumers of every kind read them.
  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func vanishedGroupsReachAllConsumers(clock: EngineOptions.ClockMode) throws {
    try expectAgreement(
      [
        """
        insert into U select k as a, u as b, s as c, count(*) as n from E.win:time_batch(1 sec) where u not like ''
        group by k, u, s having count(*) < 3
        """,
        "select a, b, count(*) as n, sum(n) as m, first(c) as f from U.win:time_batch(2 sec) group by a, b having count(*) > 1",
        "select * from U(n = 0)",
        "select c, count(*) as x from U.win:length(5) group by c",
        "select x.a as p, y.b as q from pattern [every x=U(n = 0) -> y=U(n = 1, a = x.a)]",
        "insert into V select a, n from U(n > 0)",
        "insert into V select c as a, 7L as n from U(b like '%login%')",
        "select a, n, count(*) as z from V.win:time_batch(3 sec) group by a, n having count(*) < 20",
        "select b, a from U(n < 2).win:time_batch(1 sec) where c = '10.0.0.1' or b like '/%'",
      ], clock: clock)
  }

  /// What HAVING may ask, of rows of all the aggregates that there are.
  @Test(arguments: [
    "", "having sum(v) > 5", "having avg(d) < 0.6 and count(*) > BOUND - 2", "having max(v) is not null",
    "having k like 'key%' or count(*) = 0",
    "having p in (1, 2)", "having not (count(*) between 1 and 2)", "having s = '10.0.0.1'", "having sum(v) > 2.5",
    "having count(*) < BOUND",
    "having p < count(*)", "having last(s) != '10.0.0.2'", "having count(*) + 1 > 2",
  ])
  func formsOfHaving(_ having: String) throws {
    for clock in [EngineOptions.ClockMode.compat, .watermark] {
      try expectAgreement(
        [
          """
          insert into U select k as a, p as b, s as c, count(*) as n, sum(v) as w, avg(d) as x, min(v) as lo, max(d) as hi, first(u) as f,
            last(s) as l, BOUND as y, 'c' as z
          from E.win:time_batch(1 sec) group by k, p, s \(having)
          """,
          """
          select a, c, count(*) as n, sum(w) as w, avg(x) as x, min(lo) as lo, max(hi) as hi, first(f) as f, count(distinct l) as l,
            last(z) as z
          from U.win:time_batch(2 sec) where y > 2 group by a, c
          """,
          "select * from U",
        ], clock: clock, count: 800)
    }
  }

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func supertypesAndOtherTargets(clock: EngineOptions.ClockMode) throws {
    let declarations = """
      create schema Base(a string, n long);
      create schema Sub(more int) inherits Base;
      create schema Other(a string, n long);
      create variant schema Both as Base, Other;

      """
    try expectAgreement(
      [
        "insert into Sub select k as a, count(*) as n from E.win:time_batch(1 sec) group by k",
        "select a, count(*) as c, sum(n) as m from Base.win:time_batch(2 sec) group by a",
        "select * from Base(n > 1)",
        "select a, more, count(*) as c from Sub.win:time_batch(2 sec) group by a, more",
        "insert into Other select s as a, count(*) as n from E.win:time_batch(1 sec) group by s",
        "insert into Both select * from Other(n > 2)",
        "select a, count(*) as c from Both.win:time_batch(2 sec) group by a",
      ], clock: clock, declarations: declarations)
  }

  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func namedWindowsTakeRows(clock: EngineOptions.ClockMode) throws {
    try expectAgreement(
      [
        "insert into W select k as a, count(*) as n from E.win:time_batch(1 sec) group by k",
        "select a, sum(n) as m from W group by a",
        "insert into X select k as a, u as b, count(*) as n from E.win:time_batch(1 sec) group by k, u having count(*) < 2",
        "on X(n = 0) as x delete from W where W.a = x.a",
        "select a, b, count(*) as c from X.win:time_batch(2 sec) group by a, b",
      ], clock: clock, declarations: "create window W.win:length(20) (a string, n long);\n", restoring: false)
  }

  /// What a statement's filter asks for must be asked at the event's turn, where that may change from one to the next.
  @Test(arguments: [EngineOptions.ClockMode.compat, .watermark])
  func filtersThatChangeWithTime(clock: EngineOptions.ClockMode) throws {
    try expectAgreement(
      [
        "on E(p = 1) set BOUND = v", "select k, count(*) as c from E(v > BOUND).win:time_batch(1 sec) group by k",
        "select k, count(*) as c from E.win:time_batch(1 sec) where v < BOUND group by k",
        "insert into U select k as a, p as b, count(*) as n from E.win:time_batch(1 sec) group by k, p",
        "on U(b = 2) set BOUND = 2", "select a, count(*) as c from U(n > BOUND).win:time_batch(2 sec) group by a",
      ], clock: clock)
    try expectAgreement(
      ["select k, count(*) as c from E(t >= current_timestamp() - 100).win:time_batch(1 sec) group by k"], clock: clock)
  }

  /// Sliding windows among them: what they insert goes row by row.
  @Test func slidingWindowsKeepTheirState() throws {
    try expectAgreement(
      [
        "insert into U select k as a, s as b, count(*) as n, sum(d) as x from E.win:time(400 msec) where p > 0 group by k having count(*) > 1",
        "select k, u, count(v) as c, avg(v) as m from E(u not like '').win:time(2 sec) group by u, k having count(v) < 9",
        "select a, count(*) as c, max(n) as m from U.win:time_batch(1 sec) group by a",
        "select a, b, n from U.win:time(100 msec) group by a having count(*) > 1",
      ], clock: .watermark, count: 4000)
  }

  /// Many groups, of which most are soon empty: the table is made anew now and then.
  @Test func emptyGroupsOfSlidingWindowsGo() throws {
    func run(rewrites: Bool) throws -> [String] {
      var options = EngineOptions()
      options.clock = .system
      options.rewrites = rewrites
      options.keepsCurrentRows = false
      let text = "select k, t, count(*) as c, sum(v) as s from E.win:time(10 msec) group by k, u having count(*) > 1;"
      let engine = try Engine(modules: [EngineModule(name: "test", text: TiersTests.schema + text)], options: options)
      var rows: [String] = []
      engine.onRows = { given in rows += given.new.map { $0.values.map { $0.text ?? "null" }.joined(separator: " ") } }
      let input = try #require(engine.input(named: "E"))
      for step in 0..<60 {
        engine.advance(to: 1_000 + Int64(step) * 7)
        let keys = (0..<500).map { index in "key\(index % 97 == 0 ? 7 : step * 500 + index)" }
        engine.send(
          EventBatch(
            type: input.type, count: 500, properties: [0, 1, 4],
            columns: [Column(.ints((0..<500).map { Int64($0) })), Column(.strings(keys)), Column(.ints((0..<500).map { Int64($0) }))]))
      }
      engine.checkState(at: 0)
      if rewrites { #expect(engine.statementCounts.last.map { $0.entries > 400 && $0.entries <= 1000 && $0.bytes < 2_000_000 } == true) }
      return rows
    }
    let rows = try run(rewrites: true)
    #expect(rows.count > 300)
    #expect(TiersTests.difference(rows, try run(rewrites: false)) == nil)
  }

  /// Rows that are columns have a number that costs nothing, and events in their place.
  @Test func listenersGetRowsOfColumns() throws {
    var options = EngineOptions()
    options.clock = .compat
    let text = "select k, u, count(*) as c, 5 as five from E.win:time_batch(1 sec) group by k, u having count(*) < 9;"
    let engine = try Engine(modules: [EngineModule(name: "test", text: TiersTests.schema + text)], options: options)
    var counts: [Int] = []
    var rows: [String] = []
    engine.onRows = { given in
      counts.append(given.new.count)
      rows += given.new.map { "\($0.time == given.time) \($0[0].text ?? "null") \($0[2].text ?? "null") \($0[3].text ?? "null")" }
      #expect(given.new.last?[0].text == given.new[given.new.count - 1][0].text)
    }
    let input = try #require(engine.input(named: "E"))
    engine.send(RandomStream(seed: 3, count: 300).batch(input.type, 0..<300, asText: false))
    #expect(counts.reduce(0, +) == rows.count && rows.count > 50)
    #expect(rows.allSatisfy { $0.hasPrefix("true ") && $0.hasSuffix(" 5") } && rows.contains { $0.contains(" 0 ") })
    #expect(engine.statementCounts.last?.rowsOut == UInt64(rows.count))
  }
}
