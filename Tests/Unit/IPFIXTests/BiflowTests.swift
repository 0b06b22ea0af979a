import IPFIX
import PluginABI
import Testing

/// RFC 5103, and times made absolute.
@Suite struct BiflowTests {
  private func options(split: Bool = false, times: Bool = false) -> DecoderOptions {
    var options = DecoderOptions()
    (options.splitsBiflows, options.addsAbsoluteTimes) = (split, times)
    return options
  }

  static let biflow = TemplateRecord(
    id: 256,
    fields: [
      .init(element: 8, length: 4), .init(element: 12, length: 4), .init(element: 7, length: 2), .init(element: 11, length: 2),
      .init(element: 82, length: Wire.variableLength), .init(element: 2, length: 4), .init(element: 4, length: 1),
      .init(enterprise: 29305, element: 2, length: 2), .init(enterprise: 29305, element: 136, length: 1),
    ])
  static func record(reversePackets: UInt8) -> [UInt8] {
    [10, 0, 0, 1, 192, 0, 2, 2, 0x9c, 0x40, 0, 80, 2, 65, 66, 0, 0, 0, 9, 6, 0, reversePackets, 3]
  }

  private func decode(_ options: DecoderOptions, _ template: TemplateRecord, _ records: [[UInt8]]) -> [Decoding.Record] {
    var encoder = MessageEncoder(maximumLength: 65535)
    encoder.add(template)
    for record in records { encoder.addRecord(template: 256, record) }
    return Decoding(FLOWCEP_TRANSPORT_UDP, options: options).decode(encoder.finish(exportTime: 1_700_000_000))
  }

  @Test func reverseElementsHaveNames() {
    let records = decode(options(), Self.biflow, [Self.record(reversePackets: 5)])
    #expect(records.count == 1)
    #expect(records.first?.number("reversePacketDeltaCount") == 5)
    #expect(records.first?.number("reverseFlowEndReason") == 3)
  }

  @Test func aBiflowBecomesTwoRecords() {
    let records = decode(options(split: true), Self.biflow, [Self.record(reversePackets: 5), Self.record(reversePackets: 0)])
    #expect(records.count == 3)
    let names = [
      "sourceIPv4Address", "destinationIPv4Address", "sourceTransportPort", "destinationTransportPort", "interfaceName",
      "packetDeltaCount", "protocolIdentifier",
    ]
    #expect(records[0].fields.map(\.name) == names)
    #expect(records[1].fields.map(\.name) == names + ["flowEndReason"])
    #expect(records[0]["sourceIPv4Address"] == [10, 0, 0, 1] && records[1]["sourceIPv4Address"] == [192, 0, 2, 2])
    #expect(records[1]["destinationIPv4Address"] == [10, 0, 0, 1])
    #expect(records[0].number("sourceTransportPort") == 40000 && records[1].number("sourceTransportPort") == 80)
    #expect(records[0].number("packetDeltaCount") == 9 && records[1].number("packetDeltaCount") == 5)
    #expect(records.allSatisfy { $0.text("interfaceName") == "AB" && $0.number("protocolIdentifier") == 6 })
    // The second one's reverse direction has not been seen.
    #expect(records[2]["sourceIPv4Address"] == [10, 0, 0, 1])
  }

  @Test func sampleIsSplit() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, options: options(split: true))
    let whole = Decoding(FLOWCEP_TRANSPORT_UDP)
    let datagrams = try Decoding.datagrams("softflowd-ipfix-biflow-milli.ipfix")
    let two = decoding.decode(datagrams), one = whole.decode(datagrams)
    let octets: UInt64 = two.reduce(0) { $0 + $1.number("octetDeltaCount") }
    let expected: UInt64 = one.reduce(0) { $0 + $1.number("octetDeltaCount") + $1.number("reverseOctetDeltaCount") }
    #expect(octets == expected)
    #expect(two.count > one.count)
    #expect(decoding.counts.lostRecords == whole.counts.lostRecords)
    #expect(decoding.counts.records == UInt64(two.count) - decoding.counts.optionsRecords)
  }

  // MARK: Times

  @Test func version5TimesBecomeAbsolute() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, options: options(times: true))
    let records = decoding.decode(NetFlowTests.message5(count: 2))
    #expect(records.count == 2)
    #expect(records[1]["sourceIPv4Address"] == [10, 0, 0, 1])
    #expect(records[0].number("flowStartSysUpTime") == 1000)
    #expect(records[0].number("flowStartMilliseconds") == 1_700_000_000_250 - 4000)
    #expect(records[0].number("flowEndMilliseconds") == 1_700_000_000_250 - 1000)
    #expect(records[0].number("destinationIPv4PrefixLength") == 16)
  }

  @Test func aWrappedUptimeIsUnderstood() {
    // The flow began a second before the counter of milliseconds began anew.
    var message = NetFlowTests.message5(count: 1, uptime: 500)
    message.replaceSubrange(24 + 24..<24 + 28, with: NetFlowTests.be(UInt32.max - 499))
    let record = Decoding(FLOWCEP_TRANSPORT_UDP, options: options(times: true)).decode(message).first
    #expect(record?.number("flowStartMilliseconds") == 1_700_000_000_250 - 1000)
  }

  @Test func timesCountFromTheSystemsStart() throws {
    let template = TemplateRecord(id: 256, fields: [.init(element: 22, length: 4), .init(element: 21, length: 4)])
    let system = TemplateRecord(id: 257, fields: [.init(element: 144, length: 4), .init(element: 160, length: 8)], scopeCount: 1)
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, options: options(times: true))
    var encoder = MessageEncoder(maximumLength: 65535)
    encoder.add(template)
    encoder.add(system)
    encoder.addRecord(template: 256, NetFlowTests.be(1000) + NetFlowTests.be(2000))
    encoder.addRecord(
      template: 257,
      [0, 0, 0, 1] + NetFlowTests.be(UInt32(1_699_999_990_000 >> 32)) + NetFlowTests.be(UInt32(truncatingIfNeeded: 1_699_999_990_000)))
    encoder.addRecord(template: 256, NetFlowTests.be(1000) + NetFlowTests.be(2000))
    let records = decoding.decode(encoder.finish(exportTime: 1_700_000_000))
    #expect(records.count == 3)
    #expect(records[0]["flowStartMilliseconds"].isEmpty)
    #expect(records[2].number("flowStartMilliseconds") == 1_699_999_991_000)
    #expect(records[2].number("flowEndMilliseconds") == 1_699_999_992_000)
    #expect(decoding.sessionDecoder.facts(domain: 0)?.systemInitMilliseconds == 1_699_999_990_000)
  }
}
