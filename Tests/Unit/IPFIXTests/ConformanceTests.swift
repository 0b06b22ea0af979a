import IPFIX
import PluginABI
import Testing

/// What RFC 7011 asks of a collector and no other test shows; docs/specs/rfc7011.md lists all of it.
@Suite struct ConformanceTests {
  private func message(_ sets: [UInt8]..., sequence: UInt32 = 0) -> [UInt8] {
    let body = sets.flatMap { $0 }
    let length = body.count + 16
    return [0, 10, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0, 1] + NetFlowTests.be(sequence) + [0, 0, 0, 7] + body
  }
  private let template = NetFlowTests.set(2, [1, 0, 0, 1, 0, 8, 0, 4])
  private let data = NetFlowTests.set(256, [192, 0, 2, 1])

  @Test(arguments: [0, 1, 4, 100, 255]) func reservedSetsAreSkipped(id: Int) {
    let decoding = Decoding()
    #expect(decoding.decode(message(template, NetFlowTests.set(id, [1, 2, 3]), data)).count == 1)
    #expect(decoding.counts[.reservedSet] == 1)
  }

  @Test func templateIdsInAnyOrder() {
    let decoding = Decoding()
    for id in [65535, 256, 4000, 300] as [UInt16] {
      let options = id == 4000
      let template = TemplateRecord(id: id, fields: [.init(element: 4, length: 1)], scopeCount: options ? 1 : 0)
      var encoder = MessageEncoder(sequence: 0)
      encoder.add(template)
      encoder.addRecord(template: id, [6])
      let records = decoding.decode(encoder.finish(exportTime: 1))
      #expect(records.map(\.template) == [id] && records.first?.isOptions == options)
    }
  }

  @Test func threeLengthBytesForAShortValue() {
    var encoder = MessageEncoder()
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: 82, length: Wire.variableLength), .init(element: 4, length: 1)]))
    encoder.addRecord(template: 256, [255, 0, 4] + Array("eth0".utf8) + [17])
    encoder.addRecord(template: 256, [255, 0, 0, 6])
    let records = Decoding().decode(encoder.finish(exportTime: 1))
    #expect(records.map { $0.text("interfaceName") } == ["eth0", ""])
    #expect(records.map { $0.number("protocolIdentifier") } == [17, 6])
  }

  @Test func repeatedElementsStayRepeated() {
    let decoding = Decoding()
    var encoder = MessageEncoder()
    encoder.add(TemplateRecord(id: 256, fields: [7, 4, 7, 7].map { .init(element: $0, length: $0 == 4 ? 1 : 2) }))
    encoder.addRecord(template: 256, [0, 1, 6, 0, 2, 0, 3])
    decoding.decode(encoder.finish(exportTime: 1))
    #expect(decoding.json == [#"{"@type": "ipfix.entry", "sourceTransportPort": [1, 2, 3], "protocolIdentifier": "TCP"}"#])
  }

  @Test func withdrawalOfWhatIsNotThere() {
    let decoding = Decoding()
    decoding.decode(message(template, NetFlowTests.set(2, [1, 9, 0, 0])))
    #expect(decoding.counts.ignoredWithdrawals == 1 && decoding.counts.withdrawals == 0)
    #expect(decoding.decode(message(data)).count == 1)
  }

  @Test func repeatedDefinitionsSayNothing() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(message(template))
    let said = decoding.notices.count
    for _ in 0..<5 { decoding.decode(message(template)) }
    #expect(decoding.notices.count == said && decoding.counts.templates == 1)
  }

  @Test(arguments: [1, 2, 3, 4, 7]) func paddingBehindTemplates(bytes: Int) {
    let padded = NetFlowTests.set(2, [1, 0, 0, 1, 0, 8, 0, 4] + Array(repeating: 0, count: bytes))
    #expect(Decoding().decode(message(padded, data)).count == 1)
  }

  @Test func malformedMessagesAreSaidOnce() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    for _ in 0..<10 { decoding.decode([0, 10, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }
    #expect(decoding.counts[.badMessageLength] == 10)
    #expect(decoding.notices == [.undecodable(.badMessageLength)])
  }

  // MARK: Times

  private func json(_ element: UInt16, _ value: [UInt8]) -> String {
    let decoding = Decoding()
    var encoder = MessageEncoder()
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: element, length: 8)]))
    encoder.addRecord(template: 256, value)
    decoding.decode(encoder.finish(exportTime: 1))
    return decoding.json.first ?? ""
  }

  @Test func lowestBitsOfMicrosecondsAreIgnored() {
    // 2023-11-14 22:13:20 and a half, whatever the lowest bits say.
    let seconds = NetFlowTests.be(UInt32(1_700_000_000 + 2_208_988_800 as UInt64))
    for low in [0x8000_0000, 0x8000_0400, 0x8000_07ff] as [UInt32] {
      #expect(json(154, seconds + NetFlowTests.be(low)).hasSuffix(#""flowStartMicroseconds": 1700000000500000}"#))
    }
    #expect(json(156, seconds + NetFlowTests.be(0x8000_0400)).hasSuffix(#""flowStartNanoseconds": 1700000000500000238}"#))
  }

  @Test func ntpTimesBeyondTheEra() {
    // The seconds begin anew in February 2036.
    #expect(json(154, NetFlowTests.be(0) + NetFlowTests.be(0)).hasSuffix(#""flowStartMicroseconds": 2085978496000000}"#))
  }
}
