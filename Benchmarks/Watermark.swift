import EventModel
import EventTime

/// Events of ten columns that come up to 20 s out of order, 8,000 a second, so that 240,000 of them are held.
enum WatermarkBench {
  static func run() throws {
    let (batches, events) = (300, 2048)
    let type = EventType(
      name: "Flow",
      properties: ["source", "destination", "sourcePort", "port", "protocol", "packets", "octets", "start", "end", "url"].map {
        .init($0, .long)
      })
    let all = (0..<batches).map { batch(type, number: $0, count: events) }
    Bench.measure("watermark, ten columns, 240,000 events held", items: batches * events) {
      let clock = WatermarkClock()
      var delivered = 0
      for batch in all {
        clock.add(batch, wall: 0)
        while let ready = clock.next() { delivered += ready.count }
      }
      clock.finish(wall: 0)
      while let ready = clock.next() { delivered += ready.count }
      precondition(delivered == batches * events, "every event comes out once")
    }
  }

  private static func batch(_ type: EventType, number: Int, count: Int) -> EventBatch {
    var state = UInt64(number + 1) &* 0x9e37_79b9_7f4a_7c15
    func random() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
    let now = 1_600_000_000_000 + Int64(number * count / 8)
    let times = (0..<count).map { now + Int64($0 / 8) - Int64(random() % 20_000) }
    func integers(_ limit: UInt64) -> Column { Column(.ints((0..<count).map { _ in Int64(random() % limit) })) }
    func addresses() -> Column { Column(.ip4((0..<count).map { _ in UInt32(truncatingIfNeeded: random()) })) }
    let isURL = (0..<count).map { _ in random() % 7 == 0 }
    let url = Array("/wp-login.php?user=admin".utf8)
    var slices: [Slice] = []
    var bytes: [UInt8] = []
    for there in isURL {
      slices.append(Slice(offset: Int32(bytes.count), length: there ? Int32(url.count) : 0))
      if there { bytes += url }
    }
    return EventBatch(
      type: type, count: count, properties: Array(0..<10),
      columns: [
        addresses(), addresses(), integers(65536), integers(65536), integers(18), integers(100), integers(1_000_000), Column(.ints(times)),
        Column(.ints(times)), Column(.utf8(SliceMemory(copying: bytes), slices), nulls: isURL.map { !$0 }),
      ], times: times, exportTimes: Array(repeating: now / 1000 * 1000 + 1000, count: count))
  }
}
