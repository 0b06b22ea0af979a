import Diagnostics
import Engine
import EventModel
import Testing

@Suite struct EngineTests {
  private static let schema = "@Tag(name='timestamp', value='t') create schema E(t long, k string, v int);\n"

  /// Sends (time, key) events in batches of a size and gives each row as `time:key=count`.
  private func rows(
    _ epl: String, _ events: [(Int64, String)], batch: Int, clock: EngineOptions.ClockMode, flush: Bool = false,
    exportTimes: [Int64] = [], sessions: [UInt32] = []
  ) throws -> [String] {
    var options = EngineOptions()
    options.clock = clock
    let engine = try Engine(modules: [EngineModule(name: "m", text: EngineTests.schema + epl)], options: options)
    let input = try #require(engine.input(named: "E"))
    var rows: [String] = []
    engine.onRows = { given in
      for row in given.new { rows.append("\(given.time):" + row.values.map { $0.text ?? "null" }.joined(separator: "=")) }
    }
    var start = 0
    while start < events.count {
      let part = start..<min(start + batch, events.count)
      let columns = input.properties.map { property -> Column in
        property == 0 ? Column(.ints(part.map { events[$0].0 })) : Column(.strings(part.map { events[$0].1 }))
      }
      engine.send(
        EventBatch(
          type: input.type, count: part.count, properties: input.properties, columns: columns, times: part.map { events[$0].0 },
          exportTimes: exportTimes.isEmpty ? [] : Array(exportTimes[part]), sessions: sessions.isEmpty ? [] : Array(sessions[part])))
      start += batch
    }
    engine.finish(flush: flush)
    return rows
  }

  private let perMinute = "@Name('s') select k, count(*) as c from E.win:time_batch(1 min) group by k;"

  @Test(arguments: [1, 7, 2048]) func watermarkPutsEventsInOrder(_ batch: Int) throws {
    let events = (0..<300).map { (index: Int) -> (Int64, String) in
      let time = index * 1000 - (index % 5) * 4000
      return (Int64(time), "k\(index % 2)")
    }
    let sorted = events.sorted { $0.0 < $1.0 }
    let inOrder = try rows(perMinute, sorted, batch: 1, clock: .watermark, flush: true)
    #expect(!inOrder.isEmpty)
    #expect(try rows(perMinute, events, batch: batch, clock: .watermark, flush: true).sorted() == inOrder.sorted())
  }

  @Test func endOfInputClosesNoWindow() throws {
    let events: [(Int64, String)] = [(0, "a"), (1000, "a")]
    #expect(try rows(perMinute, events, batch: 2, clock: .watermark).isEmpty)
    #expect(try rows(perMinute, events, batch: 2, clock: .watermark, flush: true) == ["60000:a=2"])
  }

  @Test func compatClockFollowsEveryEvent() throws {
    let epl = "@Name('s') select k, current_timestamp as c from E;"
    #expect(try rows(epl, [(5000, "a"), (3000, "b")], batch: 2, clock: .compat) == ["5000:a=5000", "3000:b=3000"])
  }

  @Test func allMistakesOfAllModulesAreReported() {
    let modules = [
      EngineModule(name: "one.epl", text: "create schema E(k string);\nselect kk from E;\nselect k from F;"),
      EngineModule(name: "two.epl", text: "selekt 1;"),
    ]
    do {
      _ = try Engine(modules: modules)
      Issue.record("the modules were taken")
    } catch {
      #expect(error.diagnostics.errors.map(\.file) == ["one.epl", "one.epl", "two.epl"])
      #expect(error.diagnostics.errors.allSatisfy { $0.start != nil })
    }
  }

  @Test func modulesAreNamespaces() throws {
    let text = "create schema E(k string); @Name('s') insert into X select k from E; @Name('x') select k from X;"
    let engine = try Engine(modules: [EngineModule(name: "a", text: text), EngineModule(name: "b", text: text)])
    #expect(engine.inputs.filter { $0.name == "E" }.count == 2)
    #expect(engine.statements.filter { $0.name == "s" && $0.isReadByOthers && $0.insertsInto == "X" }.count == 2)
  }

  @Test func onlyTheNamedPropertiesAreAskedFor() throws {
    let many = EventType(name: "IPFIX", properties: (0..<500).map { .init("ipfix.p\($0)", .long) })
    let text = "@Name('s') select ipfix.p499 as a from IPFIX(ipfix.p7 > 1);"
    let engine = try Engine(modules: [EngineModule(name: "m", text: text)], predeclared: [many])
    let input = try #require(engine.input(named: "IPFIX"))
    #expect(input.properties == [7, 499])
    var rows: [Event] = []
    engine.onRows = { rows += $0.new }
    engine.send(
      EventBatch(
        type: many, count: 2, properties: input.properties, columns: [Column(.ints([1, 2])), Column(.ints([10, 20]))], times: [0, 1]))
    engine.finish()
    #expect(rows.map(\.values) == [[.int(20)]])
  }

  @Test func addressesServeWhereTextIsDeclared() throws {
    let type = EventType(name: "F", properties: [.init("a", .string), .init("t", .long)])
    let text = "@Name('s') select a || '!' as x, count(*) as c from F(a in ('10.0.0.1', '2001:db8::1')) group by a;"
    var options = EngineOptions()
    options.clock = .system
    let engine = try Engine(modules: [EngineModule(name: "m", text: text)], predeclared: [type], options: options)
    var rows: [String] = []
    engine.onRows = { rows += $0.new.map { "\($0[0].text ?? "") \($0[1].text ?? "")" } }
    let addresses = [Address(ip4: 0x0a00_0001), Address(ip4: 0x0a00_0002), Address(ip6High: 0x2001_0db8_0000_0000, low: 1)]
    engine.send(EventBatch(type: type, count: 3, properties: [0], columns: [Column(.addresses(addresses))]))
    engine.send(EventBatch(type: type, count: 1, properties: [0], columns: [Column(.strings(["10.0.0.1"]))]))
    #expect(rows == ["10.0.0.1! 1", "2001:db8::1! 1", "10.0.0.1! 2"])
  }
}
