import EventModel
import EventTime
import Testing

let flow = EventType(name: "Flow", properties: [.init("number", .int), .init("url", .string), .init("source", .string)])

/// A stream fed event by event, or in batches of a size, and what came out of it.
final class Stream {
  let clock: WatermarkClock
  let batchSize: Int
  /// Every fourth event has no values.
  let choosesSome: Bool
  private var waiting: [(time: Int64, export: Int64?, session: UInt32)] = []
  private var number = 0
  private(set) var out: [(number: Int, time: Int64)] = []

  init(batchSize: Int = 1, choosesSome: Bool = false, _ change: (inout WatermarkOptions) -> Void = { _ in }) {
    var options = WatermarkOptions()
    change(&options)
    clock = WatermarkClock(options: options)
    self.batchSize = batchSize
    self.choosesSome = choosesSome
  }

  /// - Parameter export: the message's export time; without one each event is a message.
  func send(_ time: Int64, export: Int64? = nil, session: UInt32 = 0, wall: Int64 = 0) {
    waiting.append((time, export, session))
    if waiting.count >= batchSize { push(wall) }
  }

  func push(_ wall: Int64 = 0) {
    let count = waiting.count
    guard count > 0 else { return }
    let chosen = choosesSome ? (0..<count).filter { (number + $0) % 4 != 3 } : Array(0..<count)
    let numbers = chosen.map { Int64(number + $0) }
    number += count
    let urls = numbers.map { $0 % 3 == 0 ? "" : "/page/\($0)" }
    var (bytes, slices) = ([UInt8](), [Slice]())
    for url in urls {
      slices.append(Slice(offset: Int32(bytes.count), length: Int32(url.utf8.count)))
      bytes += url.utf8
    }
    let source: Column = number % 5 == 0 ? .absent : Column(.ip4(numbers.map { UInt32($0) }))
    clock.add(
      EventBatch(
        type: flow, count: count, properties: [0, 1, 2],
        columns: [
          Column(.ints(numbers)), Column(.utf8(SliceMemory(copying: bytes), slices), nulls: urls.map(\.isEmpty)), source,
        ],
        times: waiting.map(\.time), exportTimes: waiting[0].export == nil ? [] : waiting.map { $0.export ?? $0.time },
        sessions: waiting.map(\.session), chosen: choosesSome ? chosen.map { UInt32($0) } : nil), wall: wall)
    waiting.removeAll()
    drain()
  }

  func drain() {
    while let batch = clock.next(limit: 5) {
      for row in 0..<batch.count {
        let number = Int(batch.columns[0][row].integer ?? -1)
        out.append((number, batch.times[row]))
        #expect(batch.columns[1][row] == (number % 3 == 0 ? .null : .string("/page/\(number)")))
        if batchSize == 1 { #expect(batch.columns[2][row] == ((number + 1) % 5 == 0 ? .null : .ip4(UInt32(number)))) }
      }
    }
  }

  func finish() {
    push()
    clock.finish(wall: 0)
    drain()
  }

  func idle(wall: Int64) {
    clock.idle(wall: wall)
    drain()
  }

  /// A quiet start: four messages a second apart, so that the clock is trusted.
  func start(at time: Int64, session: UInt32 = 0) {
    for step in 0..<4 { send(time + Int64(step) * 1000, export: time + Int64(step) * 1000, session: session) }
  }

  var numbers: [Int] { out.map(\.number) }
  var times: [Int64] { out.map(\.time) }
}

@Suite struct WatermarkClockTests {
  @Test func eventsComeOutInTimeOrderOnceTheClockHasPassedThem() {
    let stream = Stream()
    stream.start(at: 100_000)
    #expect(stream.clock.now == 73_000)
    stream.send(102_500)
    stream.send(101_000)
    #expect(stream.out.isEmpty)
    stream.send(132_000)
    #expect(stream.clock.now == 102_000)
    #expect(stream.numbers == [0, 1, 5, 2])
    #expect(stream.times == [100_000, 101_000, 101_000, 102_000])
    stream.finish()
    #expect(stream.numbers == [0, 1, 5, 2, 4, 3, 6])
    #expect(stream.clock.now == 132_000)
    #expect(stream.clock.counts.delivered == 7)
    #expect(stream.clock.held == 0)
  }

  @Test func lateEventIsDeliveredAtTheClock() {
    let stream = Stream()
    stream.start(at: 100_000)
    stream.send(140_000)
    stream.send(109_999)
    stream.send(110_000)
    #expect(stream.out.suffix(2).map(\.number) == [5, 6])
    #expect(stream.out.suffix(2).map(\.time) == [110_000, 110_000])
    #expect(stream.clock.counts.late == 1)
    #expect(stream.clock.counts.dropped == 0)
  }

  @Test func lateEventIsDroppedWhereWanted() {
    let stream = Stream { $0.late = .drop }
    stream.start(at: 100_000)
    stream.send(140_000)
    stream.send(109_999)
    stream.finish()
    #expect(stream.numbers == [0, 1, 2, 3, 4])
    #expect(stream.clock.counts.late == 1)
    #expect(stream.clock.counts.dropped == 1)
    #expect(stream.clock.counts.received == 6)
  }

  @Test func timeMovesTheClockNoFurtherThanItsMessagesExport() {
    let stream = Stream()
    stream.start(at: 100_000)
    stream.send(400_000, export: 104_000)
    #expect(stream.clock.now == 74_000)
    // Years after the export: it belongs where its message does.
    stream.send(4_300_000_000_000, export: 105_000)
    #expect(stream.clock.now == 75_000)
    #expect(stream.clock.counts.ahead == 1)
    stream.send(135_000, export: 135_000)
    #expect(stream.out.last?.number == 5)
    #expect(stream.out.last?.time == 105_000)
  }

  @Test func packetFromTheYear2106ClosesNoWindow() {
    let far: Int64 = 4_294_967_295_000
    let stream = Stream()
    stream.start(at: 100_000, session: 1)
    stream.send(far, export: far, session: 2)
    #expect(stream.clock.now == 73_000)
    stream.send(104_000, export: 104_000, session: 1)
    #expect(stream.clock.now == 74_000)
    stream.finish()
    #expect(stream.clock.now == 104_000)
    #expect(stream.out.count == 6)
    #expect(stream.clock.counts.ahead == 1)
  }

  @Test func blipOfTheOnlySessionIsDeliveredAtTheClock() {
    let far: Int64 = 4_294_967_295_000
    let stream = Stream()
    stream.start(at: 100_000)
    stream.send(far, export: far)
    stream.send(140_000, export: 140_000)
    #expect(stream.clock.now == 110_000)
    #expect(stream.out.contains { $0.number == 4 && $0.time <= 110_000 })
    #expect(stream.clock.counts.ahead == 1)
  }

  @Test func sessionThatStaysAheadIsNamedOnceAndMovesNothing() {
    let stream = Stream()
    stream.start(at: 100_000, session: 1)
    for step in 0..<20 {
      stream.send(9_000_000 + Int64(step) * 1000, export: 9_000_000 + Int64(step) * 1000, session: 7)
      stream.send(104_000 + Int64(step) * 1000, export: 104_000 + Int64(step) * 1000, session: 1)
    }
    #expect(stream.clock.now == 93_000)
    let named = stream.clock.takeNotices().filter { if case .sessionAhead(session: 7, _) = $0 { true } else { false } }
    #expect(named.count == 1)
    #expect(stream.clock.counts.ahead == 20)
    stream.send(120_000, export: 120_000, session: 7)
    #expect(stream.clock.takeNotices() == [.sessionBack(session: 7)])
    stream.finish()
    #expect(stream.clock.counts.delivered == 45)
    #expect(stream.clock.now == 123_000)
  }

  @Test func secondSessionAgreesWithAJump() {
    let stream = Stream()
    stream.start(at: 100_000, session: 1)
    stream.send(5_000_000, export: 5_000_000, session: 1)
    #expect(stream.clock.now == 73_000)
    stream.send(5_001_000, export: 5_001_000, session: 2)
    #expect(stream.clock.now == 4_971_000)
    #expect(stream.clock.takeNotices() == [.jumped(from: 73_000, to: 4_971_000)])
    stream.send(5_040_000, export: 5_040_000, session: 1)
    #expect(stream.times == [100_000, 101_000, 102_000, 103_000, 5_000_000, 5_001_000])
  }

  @Test func laterMessagesOfTheOnlySessionAgreeWithAJump() {
    let stream = Stream()
    stream.start(at: 100_000)
    for step in 0..<3 {
      // Several events of one message are one voice.
      stream.send(5_000_000 + Int64(step), export: 5_000_000 + Int64(step) * 1000)
      stream.send(5_000_000 + Int64(step), export: 5_000_000 + Int64(step) * 1000)
    }
    #expect(stream.clock.now == 73_000)
    stream.send(5_003_000, export: 5_003_000)
    #expect(stream.clock.now == 4_973_000)
    #expect(stream.clock.counts.ahead == 0)
  }

  @Test func streamStartsWhereMostAgree() {
    let stream = Stream()
    stream.send(4_294_967_295_000, export: 4_294_967_295_000, session: 9)
    stream.start(at: 100_000, session: 1)
    #expect(stream.clock.now == 73_000)
    stream.finish()
    #expect(stream.clock.now == 103_000)
    #expect(stream.out.count == 5)
  }

  /// Events that come before there is a clock are not late, however far apart they lie.
  @Test(arguments: [WatermarkOptions.LatePolicy.deliver, .drop], [60_000, 900_000] as [Int64])
  func sparseStreamBeginsWithItsFirstEvent(_ late: WatermarkOptions.LatePolicy, _ step: Int64) {
    for size in [1, 3, 7] {
      let stream = Stream(batchSize: size) { $0.late = late }
      for number in 0..<7 { stream.send(1_000_000 + Int64(number) * step) }
      stream.finish()
      #expect(stream.times == (0..<7).map { 1_000_000 + Int64($0) * step })
      #expect(stream.clock.counts.late == 0 && stream.clock.held == 0)
      #expect(stream.clock.firstTime == 1_000_000)
    }
  }

  @Test(arguments: [WatermarkOptions.LatePolicy.deliver, .drop]) func whatWaitedForAJumpHasItsOwnTime(_ late: WatermarkOptions.LatePolicy) {
    for size in [1, 4, 9] {
      let stream = Stream(batchSize: size) { $0.late = late }
      stream.start(at: 100_000)
      for step in 0..<4 { stream.send(5_000_000 + Int64(step) * 60_000) }
      stream.push()
      #expect(stream.clock.now == 5_150_000)
      #expect(stream.times == [100_000, 101_000, 102_000, 103_000, 5_000_000, 5_060_000, 5_120_000])
      #expect(stream.clock.counts.late == 0)
    }
  }

  /// Of several sessions the first event may be older by years: it begins no clock, and its row is let go only when it has been written.
  @Test(arguments: [WatermarkOptions.LatePolicy.deliver, .drop], [1, 6]) func exporterFarBehindBeginsNoClock(
    _ late: WatermarkOptions.LatePolicy, _ size: Int
  ) {
    let stream = Stream(batchSize: size) { $0.late = late }
    stream.send(5_000, export: 5_000, session: 1)
    for step in 0..<5 { stream.send(9_000_000 + Int64(step) * 1000, export: 9_000_000 + Int64(step) * 1000, session: UInt32(2 + step % 2)) }
    stream.finish()
    #expect(stream.clock.firstTime ?? 0 > 8_000_000)
    #expect(stream.clock.counts.late == 1 && stream.clock.counts.dropped == (late == .drop ? 1 : 0))
    #expect(stream.out.count == (late == .drop ? 5 : 6))
    #expect(stream.clock.held == 0)
  }

  @Test func idleStreamGoesOnWithTheWall() {
    let stream = Stream()
    stream.start(at: 100_000)
    stream.idle(wall: 29_999)
    #expect(stream.clock.now == 73_000)
    stream.idle(wall: 30_000)
    #expect(stream.clock.now == 103_000)
    #expect(stream.out.count == 4)
    stream.idle(wall: 75_000)
    #expect(stream.clock.now == 148_000)
    // The clock does not go back when records come again.
    stream.send(110_000, export: 110_000, wall: 75_000)
    #expect(stream.clock.now == 148_000)
    #expect(stream.out.last?.time == 148_000)
    #expect(stream.clock.counts.late == 1)
  }

  @Test func idleStreamBelievesItsFirstMessage() {
    let stream = Stream()
    stream.send(100_000, export: 100_000, wall: 5)
    stream.idle(wall: 30_005)
    #expect(stream.clock.now == 100_000)
    #expect(stream.numbers == [0])
  }

  @Test func endOfInputDeliversInOrderAndGoesNoFurther() {
    let stream = Stream()
    stream.send(102_000)
    stream.send(101_000)
    stream.finish()
    #expect(stream.numbers == [1, 0])
    #expect(stream.clock.now == 102_000)
    stream.clock.advance(to: 120_000)
    #expect(stream.clock.now == 120_000)
    stream.clock.advance(to: 110_000)
    #expect(stream.clock.now == 120_000)
  }

  @Test func extremesOfTimeDoNoHarm() {
    let stream = Stream { $0.maxSkew = nil }
    for time in [Int64.max, .min, 0, 1 << 61, 5] { stream.send(time) }
    stream.finish()
    #expect(stream.out.count == 5)
    #expect(stream.clock.counts.received == stream.clock.counts.delivered)
  }

  @Test func holdsNoMoreThanItMay() {
    let stream = Stream(batchSize: 10) { $0.maxHeld = 100 }
    stream.start(at: 100_000)
    for step in 0..<500 { stream.send(110_000 + Int64(step) * 20, export: 130_000) }
    stream.push()
    #expect(stream.clock.held <= 100)
    #expect(stream.clock.counts.pressed > 0)
    stream.finish()
    #expect(stream.out.count == 504)
    #expect(stream.times == stream.times.sorted())
  }

  /// - Parameter run: how many events of a session come one after the other; few of them are late, or far ahead, where they are many.
  @Test(arguments: [1, 7, 2048], [(run: 1, choosesSome: false), (700, false), (700, true), (6000, true)])
  func batchesMakeNoDifference(size: Int, _ traffic: (run: Int, choosesSome: Bool)) {
    func run(_ size: Int) -> Stream {
      let stream = Stream(batchSize: size, choosesSome: traffic.choosesSome) { $0.lateness = 3000 }
      var state: UInt64 = 42
      var base: Int64 = 1_000_000
      for step in 0..<6000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        base += Int64(state >> 60)
        let isRare = traffic.run == 1 || step % 977 < 3
        let back = Int64(state >> 33 & (isRare ? 4095 : 2047))
        let session = UInt32(traffic.run == 1 ? Int(state >> 45 & 3) : step / traffic.run & 3)
        let far: Int64 = session == 3 && step % 50 > 40 && isRare ? 800_000_000 : 0
        // Of one session alone nothing is said of messages.
        stream.send(base - back + far, export: traffic.run < 6000 ? (base + far) / 1000 * 1000 : nil, session: session)
      }
      stream.finish()
      return stream
    }
    let (one, other) = (run(1), run(size))
    #expect(other.numbers == one.numbers)
    #expect(other.times == one.times)
    #expect(other.clock.counts == one.clock.counts)
    #expect(one.times == one.times.sorted())
    #expect(one.out.count == (traffic.choosesSome ? 4500 : 6000) && one.clock.counts.late > 0)
  }

  @Test func ofTwoTypesEachBatchHasOne() {
    let other = EventType(name: "Other", properties: [.init("v", .int)])
    let clock = WatermarkClock()
    for (type, time) in [(flow, 1000), (other, 2000), (flow, 3000), (other, 2500)] as [(EventType, Int64)] {
      clock.add(
        EventBatch(type: type, count: 1, properties: [0], columns: [Column(.ints([time]))], times: [time]), wall: 0)
    }
    clock.finish(wall: 0)
    var seen: [(String, [Int64])] = []
    while let batch = clock.next() { seen.append((batch.type.name, batch.times)) }
    #expect(seen.map(\.0) == ["Flow", "Other", "Flow"])
    #expect(seen.map(\.1) == [[1000], [2000, 2500], [3000]])
  }

  @Test func oldRowsDoNotPinTheirBatches() {
    let stream = Stream(batchSize: 1000) { $0.maxSkew = nil }
    for step in 0..<100_000 {
      // One row in each batch is far ahead and stays.
      stream.send(step % 1000 == 0 ? 10_000_000_000 + Int64(step) : Int64(step), export: Int64(step))
    }
    stream.finish()
    #expect(stream.out.count == 100_000)
    #expect(stream.times == stream.times.sorted())
  }
}
