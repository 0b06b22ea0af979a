import IPFIX
import PluginABI
import RecordBatch
import Testing

/// After each of these a session that was healthy before is still decoded right: the same one, and another one of the same decoder.
@Suite struct HostileShapesTests {
  private typealias V9 = NetFlowTests
  static let be = NetFlowTests.be

  static func message(_ sets: [UInt8], length: Int? = nil, version: UInt8 = 10, domain: UInt32 = 7, sequence: UInt32 = 0) -> [UInt8] {
    let length = length ?? 16 + sets.count
    return [0, version, UInt8(length >> 8 & 255), UInt8(length & 255)] + be(1_700_000_000) + be(sequence) + be(domain) + sets
  }

  /// A template of lists: basicList, subTemplateList, subTemplateMultiList, each of variable length.
  static let lists: [UInt8] = [0, 2, 0, 20, 2, 0, 0, 3, 1, 0x23, 255, 255, 1, 0x24, 255, 255, 1, 0x25, 255, 255]

  static func listRecord(_ values: [UInt8]...) -> [UInt8] {
    let record = values.flatMap { [UInt8($0.count)] + $0 }
    return [2, 0, 0, UInt8(4 + record.count)] + record
  }

  struct Shape: Sendable {
    var name: String
    var datagrams: [[UInt8]]
    init(_ name: String, _ datagrams: [[UInt8]]) { (self.name, self.datagrams) = (name, datagrams) }
  }

  private static func half(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

  private static let junk: [Shape] = [
    Shape("nothing", [[]]), Shape("one byte", [[10]]), Shape("a version alone", [[0, 10]]),
    Shape("zeros", [[UInt8](repeating: 0, count: 1500)]), Shape("ones", [[UInt8](repeating: 255, count: 1500)]),
    Shape("text", [Array("GET / HTTP/1.1\r\n\r\n".utf8)]),
    Shape("other versions", ([0, 1, 2, 3, 4, 6, 7, 8, 11, 255] as [UInt8]).map { message([], version: $0) }),
  ]

  private static let lengths: [Shape] = [
    Shape("message lengths", [0, 1, 15, 17, 65535].map { message([], length: $0) }),
    Shape("set lengths", [0, 1, 2, 3, 5, 255, 65535].map { message([1, 0] + half($0)) }),
    Shape("times and sequences", ([0, 1, .max, 1 << 31] as [UInt32]).map { message([], sequence: $0) }),
    Shape("a domain of all ones", [message([0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4], domain: .max)]),
    Shape("a field of 65534 bytes", [message([0, 2, 0, 12, 3, 0, 0, 1, 0, 95, 255, 254, 3, 0, 0, 8, 1, 2, 3, 4])]),
  ]

  private static let templates: [Shape] = [
    Shape("another definition of what is in use", [message([0, 2, 0, 12, 1, 0, 0, 1, 0, 1, 255, 255, 1, 0, 0, 6, 255, 255])]),
    Shape("options without a scope", [message([0, 3, 0, 14, 1, 9, 0, 1, 0, 0, 0, 41, 0, 4])]),
    Shape("a withdrawal of everything", [message([0, 2, 0, 8, 0, 2, 0, 0]), message([0, 3, 0, 8, 0, 3, 0, 0])]),
    Shape("a withdrawal of what is not there", [message([0, 2, 0, 8, 9, 9, 0, 0])]),
    Shape("many templates in one message", [manyTemplates]),
    Shape("data without templates", (256..<400).map { message(half($0) + [0, 200] + [UInt8](repeating: 1, count: 196), domain: 9) }),
    Shape("two thousand domains", (1000..<3000).map { message([0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4], domain: UInt32($0)) }),
  ]

  private static var manyTemplates: [UInt8] {
    var body: [UInt8] = []
    for id in 2048..<3048 { body += half(id) + [0, 1, 0, 4, 0, 1] }
    return message([0, 2] + half(4 + body.count) + body)
  }

  private static let structured: [Shape] = [
    Shape("a template of itself", [message(lists + listRecord([], [0, 2, 0], [3, 2, 0, 0, 4]))]),
    Shape("empty lists", [message(lists + listRecord([0], [0], [0]))]),
    Shape("list lengths", [message(lists + listRecord([0, 0, 8, 255, 255, 255], [3, 2, 0, 1], [3, 2, 0, 255, 255]))]),
    Shape("elements without length", [message(lists + listRecord([3, 0, 8, 0, 0], [3, 1, 0, 1, 2, 3], [3, 1, 0, 0, 3]))]),
    Shape("list headers cut", [message(lists + listRecord([3, 0x80, 8, 0, 4, 0, 0], [255, 255, 255], [0, 0, 0, 0, 0]))]),
    Shape("a list of lists cut", [message(lists + listRecord([3, 1, 0x23, 255, 255, 4, 3, 1, 0x23, 255], [], []))]),
  ]

  private static let netflow: [Shape] = [
    Shape("version 9 cut everywhere", (0..<60).map { Array(V9.message9(V9.template, V9.set(260, V9.record)).prefix($0)) }),
    Shape("version 9 lengths", [0, 1, 3, 5, 65535].map { V9.message9(V9.template, V9.set(260, V9.record, length: $0)) }),
    Shape("version 9 field counts", [0xffff, 0x4000, 5].map { V9.message9(V9.set(0, [1, 4] + half($0) + [0, 8, 0, 4])) }),
    Shape("version 9 scope lengths", [1, 3, 0xffff, 0xfffc].map { V9.message9(V9.set(1, [1, 7] + half($0) + [0, 4, 0, 1, 0, 4])) }),
    Shape("version 5 counts", [0, 2, 30, 31, 0xffff].map { [0, 5] + half($0) + V9.message5(count: 1).dropFirst(4) }),
    Shape("version 5 cut everywhere", (0..<72).map { Array(V9.message5(count: 1).prefix($0)) }),
  ]

  static let shapes = junk + lengths + templates + structured + netflow

  @Test(arguments: shapes.map(\.name), [FLOWCEP_TRANSPORT_UDP, FLOWCEP_TRANSPORT_TCP])
  func aHealthySessionStaysHealthy(name: String, transport: Int) throws {
    let shape = try #require(Self.shapes.first { $0.name == name })
    let decoding = Decoding(transport)
    var description = flowcep_session()
    description.transport = UInt16(transport)
    description.remote_port = 99
    let other = Session(copying: description, name: "other")
    let whole = Decoding(transport).decode(Example.message())
    #expect(decoding.decode(Example.message()) == whole)
    #expect(decoding.decode([Example.message()], of: other) == whole)
    for datagram in shape.datagrams {
      decoding.decode(datagram)
      // Whatever was taken can be shown.
      #expect(decoding.json.allSatisfy { $0.first == "{" && $0.last == "}" })
    }
    #expect(decoding.counts.messages == UInt64(2 + shape.datagrams.count))
    // The other one was told nothing; the same one knows what it is told again.
    #expect(decoding.decode([Example.data(2, sequence: 6)], of: other).count == 2)
    #expect(decoding.decode(Example.message(sequence: 6)).filter { $0.template == 256 }.count >= 3)
    #expect(decoding.decode(Example.message(sequence: 12)) == whole)
  }
}
