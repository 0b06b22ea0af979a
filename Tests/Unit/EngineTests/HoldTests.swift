import Engine
import EventModel
import Testing

/// Holding batches ahead of the engine gives the rows, in the order, that sending them one by one gives.
@Suite struct HoldTests {
  private static let module = """
    @Tag(name='timestamp', value='t') create schema E(t long, k string);
    @Tag(name='timestamp', value='t') create schema F(t long, k string);
    @Name('groups') select k, count(*) as c from E.win:time_batch(1 min) group by k;
    @Name('window') select k, count(*) as c from F.win:time(30 sec) group by k having count(*) % 10 = 0;
    @Name('pattern') select a.k as k, b.t as t from pattern [every a=E(k = 'k3') -> b=F(k = a.k) where timer:within(2 sec)];
    """

  private final class Log { var rows: [String] = [] }

  private static func engine(_ log: Log) throws -> Engine {
    let engine = try Engine(modules: [EngineModule(name: "m.epl", text: module)])
    engine.onRows = { given in
      for row in given.new { log.rows.append("\(given.time) \(given.statement.name) \(row.values.map { $0.text ?? "null" })") }
    }
    return engine
  }

  /// 20 events a second, out of order by up to 4 s; twice the stream's time goes on by 10 minutes at once, which makes all that is held
  /// due.
  private static func times(_ batch: Int) -> [Int64] {
    (0..<200).map { index in
      let number = batch * 200 + index
      let jumps = (batch > 8 ? 1 : 0) + (batch > 16 ? 1 : 0)
      return 1_600_000_000_000 + Int64(number * 50 - number % 5 * 1000 + jumps * 600_000)
    }
  }

  private static func events(_ type: String, _ batch: Int, for engine: Engine) throws -> EventBatch {
    let input = try #require(engine.input(named: type))
    let times = times(batch)
    let columns = input.properties.map { property -> Column in
      property == 0 ? Column(.ints(times)) : Column(.strings(times.map { "k\($0 / 50 % 7)" }))
    }
    return EventBatch(
      type: input.type, count: times.count, properties: input.properties, columns: columns, times: times,
      sessions: times.indices.map { UInt32($0 % 2) })
  }

  private static let batches = 24

  @Test(arguments: [(limit: 0, ahead: 1), (500, 4), (1 << 17, 4)]) func holdsAhead(_ limit: Int, _ ahead: Int) throws {
    let (sent, held) = (Log(), Log())
    let (one, other) = (try Self.engine(sent), try Self.engine(held))
    var waiting: [[DueEvents]] = []
    var partial = 0
    for batch in 0..<Self.batches {
      for type in ["E", "F"] { one.send(try Self.events(type, batch, for: one), wall: Int64(batch)) }
      waiting.append(try ["E", "F"].map { other.hold(try Self.events($0, batch, for: other), wall: Int64(batch), limit: limit) })
      let isPartial = waiting[waiting.count - 1].contains(where: \.isPartial)
      if isPartial { partial += 1 }
      while !waiting.isEmpty, isPartial || waiting.count >= ahead { waiting.removeFirst().forEach(other.deliver) }
    }
    while !waiting.isEmpty { waiting.removeFirst().forEach(other.deliver) }
    #expect(limit == 0 ? partial == Self.batches : limit == 1 << 17 ? partial == 0 : partial >= 2)
    #expect(other.counters.eventsIn == one.counters.eventsIn && other.counters.held == one.counters.held && one.counters.held > 0)
    #expect(other.counters.late == one.counters.late)
    one.finish()
    other.finish()
    #expect(sent.rows.count > 200 && held.rows == sent.rows)
    #expect(other.takeClockNotices() == one.takeClockNotices())
  }
}
