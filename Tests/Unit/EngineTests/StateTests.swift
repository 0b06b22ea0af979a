import Engine
import EventModel
import Testing

/// Saving and restoring: the corpus is run under it too (Tests/Conformance); here is what the corpus cannot show.
@Suite struct StateTests {
  private static let schema = "@Tag(name='timestamp', value='t') create schema E(t long, k string, v int);\n"
  private static let busy = """
    @Name('groups') select k, count(*) as c, count(distinct v) as d, max(v) as m from E.win:time_batch(1 min) group by k;
    @Name('window') select k, sum(v) as s from E.win:time(30 sec) group by k;
    @Name('pattern') select a.k as k from pattern [every a=E(v = 7) -> (timer:interval(10 sec) and not E(v = 8))];
    @Name('sketch') select approxCountDistinct(k) as n from E.win:time_batch(1 min);
    """
  private typealias Sent = (time: Int64, key: String, value: Int64)

  private static let events: [Sent] = (0..<400).map { index -> Sent in
    let time = 1_600_000_000_000 + Int64(index * 700 - index % 5 * 4000)
    let key = index % 3 == 0 ? "10.0.0.\(index % 7)" : "k\(index % 4)"
    return (time, key, Int64(index % 11))
  }

  private func engine(_ epl: String, clock: EngineOptions.ClockMode = .watermark) throws -> Engine {
    var options = EngineOptions()
    options.clock = clock
    return try Engine(modules: [EngineModule(name: "m.epl", text: Self.schema + epl)], options: options)
  }

  private func send(_ events: ArraySlice<Sent>, to engine: Engine) {
    guard let input = engine.input(named: "E") else { return }
    let columns = input.properties.map { property -> Column in
      switch property {
      case 0: Column(.ints(events.map(\.time)))
      case 1: Column(.strings(events.map(\.key)))
      default: Column(.ints(events.map(\.value)))
      }
    }
    engine.send(
      EventBatch(type: input.type, count: events.count, properties: input.properties, columns: columns, times: events.map(\.time)))
  }

  private final class Rows { var texts: [String] = [] }

  private func listen(_ engine: Engine, _ rows: Rows) {
    engine.onRows = { given in
      for row in given.new {
        rows.texts.append("\(given.time) \(given.statement.name) " + row.values.map { $0.text ?? "null" }.joined(separator: "="))
      }
    }
  }

  @Test(arguments: [1, 37, 200, 399]) func aRestartChangesNoAnswer(_ cut: Int) throws {
    let whole = Rows()
    let one = try engine(Self.busy)
    listen(one, whole)
    send(Self.events[...], to: one)
    one.finish(flush: true)
    #expect(whole.texts.count > 100)

    let parts = Rows()
    let first = try engine(Self.busy)
    listen(first, parts)
    send(Self.events[..<cut], to: first)
    let state = try first.saveState(position: [("records", Int64(cut))])
    // What is saved is not taken away: a checkpoint leaves the engine as it was.
    #expect(try first.saveState(position: [("records", Int64(cut))]).count == state.count)
    let second = try engine(Self.busy)
    listen(second, parts)
    let restored = try second.restoreState(state)
    #expect(restored.position.map(\.value) == [Int64(cut)])
    #expect(restored.restored.count == 4 && restored.empty.isEmpty && restored.gone == 0)
    send(Self.events[cut...], to: second)
    second.finish(flush: true)
    #expect(parts.texts == whole.texts)

    // The test can tell: without the state the answers are others.
    let blank = Rows()
    let third = try engine(Self.busy)
    listen(third, blank)
    send(Self.events[cut...], to: third)
    third.finish(flush: true)
    #expect(blank.texts != whole.texts)
  }

  @Test func aChangedStatementStartsEmptyAndTheOthersKeepTheirs() throws {
    let counts = "@Name('a') select count(*) as c from E;\n@Name('b') select count(*) as c from E(v > %);"
    let first = try engine(counts.replacing("%", with: "-1"), clock: .compat)
    send(Self.events[..<5], to: first)
    let second = try engine("// a comment, and another line\n\n" + counts.replacing("%", with: "-2"), clock: .compat)
    let restored = try second.restoreState(try first.saveState())
    #expect(restored.restored.map(\.name) == ["a"] && restored.empty.map(\.name) == ["b"] && restored.gone == 1)
    let rows = Rows()
    listen(second, rows)
    send(Self.events[5..<6], to: second)
    #expect(rows.texts.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }.sorted() == ["a 6", "b 1"])
  }

  /// A statement over a named window goes with the window: else it would count rows that nobody can take away.
  @Test func aChangedWindowTakesItsReadersWithIt() throws {
    let module =
      "@Name('w') create window W#length(%) as E;\n@Name('in') insert into W select * from E;\n@Name('r') select count(*) as c from W;"
    let first = try engine(module.replacing("%", with: "3"), clock: .compat)
    send(Self.events[..<5], to: first)
    let second = try engine(module.replacing("%", with: "2"), clock: .compat)
    #expect(try second.restoreState(try first.saveState()).restored.map(\.name) == ["in"])
  }

  @Test func faultyFilesAreRefusedWithAReason() throws {
    let first = try engine(Self.busy)
    send(Self.events[..<100], to: first)
    let state = try first.saveState()
    func reason(_ bytes: [UInt8], _ clock: EngineOptions.ClockMode = .watermark) throws -> String {
      let engine = try engine(Self.busy, clock: clock)
      do {
        _ = try engine.restoreState(bytes)
        return "restored"
      } catch { return "\(error)" }
    }
    #expect(try reason(Array("#!/bin/sh\necho something quite different".utf8)) == "it is no state of FlowCEP")
    #expect(try reason([]) == "it is no state of FlowCEP")
    #expect(try reason(Array(state.dropLast(100))) == "it is damaged or cut off: its checksum does not fit")
    var flipped = state
    flipped[state.count / 2] ^= 4
    #expect(try reason(flipped) == "it is damaged or cut off: its checksum does not fit")
    #expect(try reason(state, .compat) == "it was saved in clock mode watermark, and the mode is now compat")
    #expect(try reason(state) == "restored")
  }

  private static func checksummed(_ body: [UInt8]) -> [UInt8] {
    let hash = body.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return body + (0..<8).map { UInt8(truncatingIfNeeded: hash >> UInt64(8 * $0)) }
  }

  /// Of every kind of operator something, in few bytes.
  private static let small = """
    @Name('a') select k, count(*), first(v) from E#length(2) group by k output first every 1 min;
    @Name('b') select a.v from pattern [every a=E -> (timer:interval(1 min) and not E(v = 99))];
    create context C partition by k from E;
    @Name('c') context C select prior(1, v), sum(v) from E#time(1 min);
    create table T(k string primary key, n count(*));
    @Name('d') into table T select count(*) as n from E group by k;
    @Name('e') select * from E match_recognize (measures A.v as a pattern (A B) define B as B.v = 99);
    @Name('f') select k, count(*) from E#time_batch(1 min) group by k;
    """

  /// Cut at every byte, every byte changed: an error or a state, and an engine made anew goes on.
  @Test func fileIsSurvivedWhateverByteIsWrong() throws {
    let first = try engine(Self.small)
    send(Self.events[..<8], to: first)
    let state = try first.saveState()
    let body = Array(state.dropLast(8))
    // The checksum is looked at before anything else: the engine has taken nothing.
    let untouched = try engine(Self.small)
    for length in 0..<state.count { #expect(throws: StateError.self) { try untouched.restoreState(Array(state[..<length])) } }
    for place in state.indices {
      var bytes = state
      bytes[place] ^= 0x41
      #expect(throws: StateError.self) { try untouched.restoreState(bytes) }
    }
    #expect(try untouched.restoreState(state).empty.isEmpty)
    // Behind a checksum that fits, as a file of a faulty program would have it.
    for length in stride(from: 14, to: body.count, by: 3) {
      #expect(throws: StateError.self) { try engine(Self.small).restoreState(Self.checksummed(Array(body[..<length]))) }
    }
    for place in stride(from: 14, to: body.count, by: 2) {
      var bytes = body
      bytes[place] ^= place % 4 == 0 ? 0x01 : 0x80
      _ = try? engine(Self.small).restoreState(Self.checksummed(bytes))
    }
    let fresh = try engine(Self.small)
    let rows = Rows()
    listen(fresh, rows)
    send(Self.events[..<30], to: fresh)
    fresh.finish(flush: true)
    #expect(rows.texts.count > 30)
  }

  @Test func stateOfAnotherVersionOrModuleIsNamed() throws {
    let first = try engine(Self.small)
    send(Self.events[..<8], to: first)
    var state = Array(try first.saveState().dropLast(8))
    #expect(state[14] == UInt8(Engine.stateVersion))
    state[14] = 99
    do {
      _ = try engine(Self.small).restoreState(Self.checksummed(state))
      Issue.record("a state of version 99 was taken")
    } catch { #expect("\(error)" == "it is of format version 99, this program reads version \(Engine.stateVersion)") }
    // Another module's statements are gone, and ours start empty.
    state[14] = UInt8(Engine.stateVersion)
    var options = EngineOptions()
    options.clock = .watermark
    let other = try Engine(
      modules: [EngineModule(name: "other.epl", text: Self.schema + "@Name('x') select count(*) as c from E;")], options: options)
    let restored = try other.restoreState(Self.checksummed(state))
    #expect(restored.restored.isEmpty && restored.empty.map(\.name) == ["x"] && restored.gone > 0)
    let rows = Rows()
    listen(other, rows)
    send(Self.events[8..<9], to: other)
    other.finish()
    #expect(rows.texts.last?.hasSuffix("x 1") == true, "\(rows.texts)")
  }

  /// Whatever is in a file whose checksum fits, reading it ends.
  @Test func nonsenseBehindAGoodChecksumIsSurvived() throws {
    let first = try engine(Self.busy)
    send(Self.events[..<60], to: first)
    let state = try first.saveState()
    var random = SystemRandomNumberGenerator()
    for _ in 0..<150 {
      var bytes = Array(state.dropLast(8))
      for _ in 0..<3 { bytes[Int.random(in: 14..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: hash >> UInt64(8 * shift))) }
      _ = try? engine(Self.busy).restoreState(bytes)
    }
  }
}
