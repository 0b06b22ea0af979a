import Engine
import EventModel
import Testing

/// Windows and look-ups that find their rows by an index or an order give what a search through all of them gives.
@Suite struct WindowModelTests {
  private struct Sent {
    let time: Int64
    let key: String
    /// Null where it is nil.
    let value: Int64?
    var text: String { key + "," + (value.map { "\($0)" } ?? "null") }
  }

  /// Some 40 values, one in nine null, up to a second apart; every key is of its own.
  private static func events(_ count: Int, seed: UInt64) -> [Sent] {
    var state = seed
    var time: Int64 = 1_600_000_000_000
    func next(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    return (0..<count).map { number in
      time += Int64(next(1000))
      let value = next(9) == 0 ? nil : Int64(next(40))
      return Sent(time: time, key: "k\(number)", value: value)
    }
  }

  /// What the statement "Output" gives: `+key,value` for each row that enters, `-key,value` for each that leaves.
  private func rows(_ epl: String, _ events: [Sent]) throws -> [String] {
    var options = EngineOptions()
    options.clock = .compat
    let schema = "@Tag(name='timestamp', value='t') create schema E(t long, k string, v long);\n"
    let engine = try Engine(modules: [EngineModule(name: "m", text: schema + epl)], options: options)
    let input = try #require(engine.input(named: "E"))
    var rows: [String] = []
    func text(_ row: Event) -> String { row.values.map { $0.text ?? "null" }.joined(separator: ",") }
    engine.onRows = { given in
      guard given.statement.name == "Output" else { return }
      rows += given.new.map { "+" + text($0) } + given.old.map { "-" + text($0) }
    }
    for event in events {
      let columns = input.properties.map { property -> Column in
        switch property {
        case 0: Column(.ints([event.time]))
        case 1: Column(.strings([event.key]))
        default: Column(.ints([event.value ?? 0]), nulls: [event.value == nil])
        }
      }
      engine.send(EventBatch(type: input.type, count: 1, properties: input.properties, columns: columns, times: [event.time]))
    }
    return rows
  }

  // MARK: Rows that a trigger looks up

  private static let windows = [
    "win:keepall()", "win:time(20 sec)", "win:length(30)", "std:unique(v)", "win:length_batch(7)", "ext:sort(10, v)",
  ]

  /// `{}` stands for the equality, which one side writes so that no index serves it.
  private static let actions = [
    "@Name('Output') on E(k like '%3') as t select w.k as k, w.v as v from W as w where {};",
    "@Name('Output') on E(k like '%3') as t select and delete w.k as k, w.v as v from W as w where {} and w.k != t.k;",
    "on E(k like '%3') as t delete from W as w where {}; @Name('Output') select irstream k, v from W;",
    "on E(k like '%3') as t update W as w set k = t.k where {}; @Name('Output') select irstream k, v from W;",
    """
    on E(k like '%3') as t merge W as w where {} when matched and w.v > 20 then delete when matched then update set v = w.v + 1
    when not matched then insert select t.k as k, t.v as v; @Name('Output') select irstream k, v from W;
    """,
  ]

  @Test(arguments: windows, actions) func lookUps(_ window: String, _ action: String) throws {
    let events = Self.events(400, seed: 11)
    func rows(_ condition: String) throws -> [String] {
      let declared = "create window W.\(window) as (k string, v long); insert into W select k, v from E(k not like '%3');\n"
      return try self.rows(declared + action.replacing("{}", with: condition), events)
    }
    let found = try rows("w.v = t.v")
    #expect(found == (try rows("w.v >= t.v and w.v <= t.v")))
    #expect(!found.isEmpty)
  }

  @Test func aTableIsLookedUpByItsKey() throws {
    func rows(_ condition: String) throws -> [String] {
      try self.rows(
        """
        create table T(v long primary key, k string);
        on E as e merge T as t where \(condition) when not matched then insert select e.v as v, e.k as k
        when matched then update set k = e.k;
        @Name('Output') on E(k like '%3') as e select t.v as v, t.k as k from T as t where \(condition);
        """, Self.events(300, seed: 5).filter { $0.value != nil })
    }
    let found = try rows("t.v = e.v")
    #expect(found == (try rows("t.v >= e.v and t.v <= e.v")))
    #expect(found.count > 20)
  }

  @Test func aTableIsJoinedByItsKey() throws {
    func rows(_ condition: String) throws -> [String] {
      try self.rows(
        """
        create table T(v long primary key, flows count(*));
        into table T select count(*) as flows from E group by v;
        @Name('Output') select e.k as k, t.v as v, t.flows as f from E(k like '%3') as e unidirectional, T as t where \(condition);
        @Name('All') select e.k as k, t.v as v from E(k like '%3')#lastevent as e, T as t where \(condition);
        """, Self.events(300, seed: 5))
    }
    let found = try rows("t.v = e.v")
    #expect(found == (try rows("t.v >= e.v and t.v <= e.v")))
    #expect(found.count > 20)
  }

  // MARK: Rows that a subquery looks up

  private static let sources = ["E(k not like '%3')#time(20 sec)", "E#length(30)", "E#keepall", "E#unique(v)", "E#sort(9, v)", "W"]
  private static let selections = [
    "exists (select * from {source} as w where {})", "not exists (select * from {source} as w where {} and w.k != e.k)",
    "e.k in (select w.k from {source} as w where {})", "(select w.k from {source} as w where {})",
    "(select count(*) from {source} as w where {})", "(select last(w.k) from {source} as w where {})",
    "(select window(w.k) from {source} as w where {})",
  ]

  @Test(arguments: sources, selections) func subqueries(_ source: String, _ selection: String) throws {
    let events = Self.events(300, seed: 17)
    func rows(_ condition: String) throws -> [String] {
      let select = selection.replacing("{source}", with: source).replacing("{}", with: condition)
      return try self.rows(
        "create window W#time(30 sec) as (k string, v long); insert into W select k, v from E;\n"
          + "@Name('Output') select e.k as k, \(select) as found from E as e;", events)
    }
    let found = try rows("w.v = e.v")
    #expect(found == (try rows("w.v >= e.v and w.v <= e.v")))
    #expect(found.count == events.count)
  }

  @Test(arguments: sources) func membership(_ source: String) throws {
    let events = Self.events(300, seed: 23)
    func rows(_ select: String) throws -> [String] {
      try self.rows(
        "create window W#time(30 sec) as (k string, v long); insert into W select k, v from E;\n"
          + "@Name('Output') select e.k as k, \(select.replacing("{source}", with: source)) as found from E as e;", events)
    }
    for filter in ["w.k != e.k", "w.v = e.v and w.k != e.k", "w.v > 5 and w.k != e.k"] {
      let found = try rows("e.v + 1 in (select w.v from {source} as w where \(filter))")
      #expect(found == (try rows("e.v + 1 = any (select w.v from {source} as w where \(filter))")))
      #expect(found.count == events.count)
    }
  }

  // MARK: Partitions that a filter names

  private static let contexts = [
    "initiated by E(k like '%3') as s terminated after 20 sec", "initiated by distinct(s.v) E(k like '%3') as s terminated after 20 sec",
    "initiated by E(k like '%3') as s terminated by E(v = 7)", "initiated by distinct(s.v) E as s terminated by E(v = s.v, k like '%9')",
  ]

  @Test(arguments: contexts) func partitions(_ context: String) throws {
    let events = Self.events(500, seed: 29)
    func rows(_ condition: String) throws -> [String] {
      try self.rows(
        """
        create context C \(context);
        @Name('Output') context C select context.s.k as s, k, count(*) as c from E(\(condition));
        """, events)
    }
    let found = try rows("v = context.s.v")
    #expect(found == (try rows("v >= context.s.v and v <= context.s.v")))
    #expect(found.count > 20)
  }

  // MARK: Windows that keep an order

  /// Runs a model beside a window: `change` takes an event in and gives what leaves.
  private func compare(_ window: String, _ change: (Sent) -> [Sent]) throws {
    let events = Self.events(600, seed: 3).filter { $0.value != nil }
    var expected: [String] = []
    for event in events { expected += ["+" + event.text] + change(event).map { "-" + $0.text } }
    let given = try rows("@Name('Output') select irstream k, v from E.\(window);", events)
    let place = zip(given, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? min(given.count, expected.count)
    #expect(given.dropFirst(place).prefix(4) == expected.dropFirst(place).prefix(4), "from \(place), of \(expected.count)")
  }

  @Test func sortedWindow() throws {
    var held: [Sent] = []
    try compare("ext:sort(12, v desc)") { event in
      held.insert(event, at: held.firstIndex { ($0.value ?? 0) <= (event.value ?? 0) } ?? held.count)
      return held.count > 12 ? [held.removeLast()] : []
    }
  }

  @Test func rankedWindow() throws {
    var held: [Sent] = []
    try compare("ext:rank(v, 12, v asc)") { event in
      var leaving: [Sent] = []
      if let index = held.firstIndex(where: { $0.value == event.value }) { leaving.append(held.remove(at: index)) }
      held.insert(event, at: held.firstIndex { ($0.value ?? 0) > (event.value ?? 0) } ?? held.count)
      if held.count > 12 { leaving.append(held.removeLast()) }
      return leaving
    }
  }

  /// Of a window of the last of each value and one of the last 25, what both hold; and what either does.
  @Test func windowsTogether() throws {
    var both: [Sent] = []
    try compare("std:unique(v).win:length(25)") { event in
      // Both look at what was held before: also where one makes room, the other does.
      let oldest = both.count == 25 ? both.first : nil
      var leaving = both.filter { $0.value == event.value }
      if let oldest, !leaving.contains(where: { $0.key == oldest.key }) { leaving.append(oldest) }
      both.removeAll { old in leaving.contains { $0.key == old.key } }
      both.append(event)
      return leaving
    }
    var (latest, last, either): ([Sent], [Sent], [Sent]) = ([], [], [])
    try compare("std:unique(v).win:length(25) retain-union") { event in
      latest.removeAll { $0.value == event.value }
      latest.append(event)
      last = (last + [event]).suffix(25)
      either.append(event)
      let leaving = either.filter { old in !latest.contains { $0.key == old.key } && !last.contains { $0.key == old.key } }
      either.removeAll { old in leaving.contains { $0.key == old.key } }
      return leaving
    }
  }
}
