import Glibc
import IPFIX
import PluginABI
import RecordBatch
import Testing

/// What a message costs that was made to cost much: none takes more than a small multiple of what its bytes would if they meant well.
@Suite struct CostTests {
  private typealias V9 = NetFlowTests

  /// Seconds of processor time, decoding and writing JSON: ten times what a long message takes that means well, on this machine and at this
  /// hour; what is quadratic takes far more.
  private var most: Double {
    let records = Self.set(256, [UInt8](repeating: 1, count: 60_000))
    let messages = [Self.message(Self.set(2, Self.template(256, element: 4, length: 1))), Self.message(records)]
    return 10 * cost(messages, Decoding())
  }

  private static func half(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

  private static func set(_ id: Int, _ body: [UInt8]) -> [UInt8] { half(id) + half(4 + body.count) + body }

  private static func message(_ sets: [UInt8]) -> [UInt8] { HostileShapesTests.message(sets) }

  /// A template of one field.
  private static func template(_ id: Int, element: Int, length: Int) -> [UInt8] { half(id) + [0, 1] + half(element) + half(length) }

  private func cost(_ messages: [[UInt8]], _ decoding: Decoding) -> Double {
    let start = Self.processorTime()
    for message in messages {
      decoding.feed([message])
      if decoding.batch.recordCount > 0 { _ = decoding.json }
    }
    return Self.processorTime() - start
  }

  static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  @Test func templatesForWhichMuchDataWaits() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    var data: [UInt8] = []
    for id in 256..<3856 { data += Self.set(id, [1, 0, 0, 0]) }
    var templates: [UInt8] = []
    for id in 256..<3856 { templates += Self.template(id, element: 4, length: 1) }
    let seconds = cost([Self.message(data), Self.message(Self.set(2, templates))], decoding)
    #expect(decoding.counts.lateSets == 3600 && decoding.sessionDecoder.waitingCount == 0 && decoding.sessionDecoder.waitingBytes == 0)
    #expect(seconds < most)
  }

  @Test func withdrawalsOfAllAgainAndAgain() {
    let decoding = Decoding()
    var options: [UInt8] = []
    for page in 1...255 { options += Self.half(page << 8) + [0, 2, 0, 1, 0, 149, 0, 4, 0, 34, 0, 4] }
    var sets: [UInt8] = []
    for _ in 0..<5000 { sets += Self.template(300, element: 4, length: 1) + [0, 2, 0, 0] }
    let seconds = cost([Self.message(Self.set(3, options)), Self.message(Self.set(2, sets))], decoding)
    #expect(decoding.counts.withdrawals == 5000 && decoding.sessionDecoder.templatesKnown == 255)
    #expect(seconds < most)
  }

  @Test func descriptionsOfElementsThatChangeWithEachRecord() {
    let decoding = Decoding()
    let description: [UInt8] = [1, 44, 0, 5, 0, 2, 1, 90, 0, 4, 1, 47, 0, 2, 1, 83, 0, 1, 1, 88, 0, 1, 1, 85, 255, 255]
    var wide = Self.half(301) + Self.half(4000)
    for index in 0..<4000 { wide += [0x80 | UInt8(index >> 8), UInt8(index & 255), 0, 1, 0, 0, 3, 231] }
    var sets: [UInt8] = []
    for index in 0..<2000 { sets += Self.set(300, [0, 0, 3, 231, 0, 5, 1, 0, 2, 110, 48 + UInt8(index % 2)]) + Self.set(301, []) }
    let first = Self.message(Self.set(3, description) + Self.set(2, wide))
    #expect(cost([first, Self.message(sets)], decoding) < most)
    #expect(decoding.counts.describedElements == 2000)
    // In the end the last description holds.
    let record = decoding.decode(Self.message(Self.set(301, [UInt8](repeating: 7, count: 4000))))
    #expect(record.count == 1 && record[0]["n1"] == [7])
  }

  @Test func manyListsInOneRecord() {
    let decoding = Decoding()
    var template = Self.half(256) + Self.half(2000)
    for _ in 0..<2000 { template += [1, 0x23, 255, 255] }
    let records = [UInt8](repeating: 0, count: 2000 * 24)
    #expect(cost([Self.message(Self.set(2, template)), Self.message(Self.set(256, records))], decoding) < most)
    #expect(decoding.counts.records == 24)
  }

  @Test func sequenceNumbersThatJump() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    var templates: [UInt8] = []
    for page in 1...255 { templates += Self.template(page << 8, element: 4, length: 1) }
    decoding.decode(Self.message(Self.set(2, templates)))
    let jumps = (0..<2000).map { HostileShapesTests.message([], sequence: $0 % 2 == 0 ? 0 : 0x7000_0000) }
    #expect(cost(jumps, decoding) < most)
    #expect(decoding.counts.sequenceRestarts > 1900)
  }

  @Test func fieldsWithoutLengthAreFew() {
    // A record of one byte may have eight fields beside it, of eighty bytes sixty-four.
    for (length, empty, isTaken) in [(1, 9, true), (1, 10, false), (20, 28, true), (20, 29, false), (80, 64, true), (80, 65, false)] {
      for version in [9, 10] as [UInt16] {
        var body: [UInt8] = [1, 4, 0, UInt8(1 + empty), 0, 82, 0, UInt8(length)]
        for _ in 0..<empty { body += [0, 83, 0, 0] }
        let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
        decoding.decode(version == 9 ? V9.message9(V9.set(0, body)) : Self.message(Self.set(2, body)))
        #expect(decoding.counts.templates == (isTaken ? 1 : 0), "version \(version): \(length) bytes, \(empty) empty fields")
      }
    }
  }
}
