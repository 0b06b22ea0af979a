import IPFIX
import InformationElements
import PluginABI
import Testing

/// What an exporter says about itself: its elements (RFC 5610), its start, interfaces and sampling.
@Suite struct ExporterTests {
  static let types = TemplateRecord(
    id: 300,
    fields: [
      .init(element: 346, length: 4), .init(element: 303, length: 2), .init(element: 339, length: 1), .init(element: 344, length: 1),
      .init(element: 341, length: Wire.variableLength),
    ], scopeCount: 2)
  static func describe(_ enterprise: UInt32, _ id: UInt16, _ type: AbstractType, _ name: String) -> [UInt8] {
    NetFlowTests.be(enterprise) + [UInt8(id >> 8), UInt8(id & 255), UInt8(type.rawValue), 1] + Example.counted(name)
  }
  static let own = TemplateRecord(id: 256, fields: [.init(enterprise: 4242, element: 17, length: 2)])

  private func message(_ templates: [TemplateRecord], _ records: (UInt16, [UInt8])...) -> [UInt8] {
    var encoder = MessageEncoder(maximumLength: 65535)
    for template in templates { encoder.add(template) }
    for (id, record) in records { encoder.addRecord(template: id, record) }
    return encoder.finish(exportTime: 1)
  }

  @Test func describedElementsAreKnownFromThenOn() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(message([Self.types, Self.own], (256, [0, 5]), (300, Self.describe(4242, 17, .unsigned16, "queueDepth"))))
    #expect(decoding.json.first == #"{"@type": "ipfix.entry", "e4242id17": "5"}"#)
    // The template that was there before, and one that comes later.
    #expect(decoding.decode(message([], (256, [0, 6]))).first?.number("queueDepth") == 6)
    #expect(decoding.json.first == #"{"@type": "ipfix.entry", "queueDepth": 6}"#)
    let later = TemplateRecord(id: 257, fields: [.init(enterprise: 4242, element: 17, length: 1)])
    #expect(decoding.decode(message([later], (257, [7]))).first?.number("queueDepth") == 7)
    #expect(decoding.counts.describedElements == 1)
    // Of this session alone.
    #expect(Decoding().decode(message([Self.own], (256, [0, 6]))).first?["queueDepth"] == [])
  }

  @Test func descriptionsThatCannotBeUsed() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    var bad = Self.describe(4242, 17, .unsigned16, "x")
    bad[6] = 99
    decoding.decode(
      message(
        [Self.types, Self.own], (300, Self.describe(0, 8, .string, "mine")), (300, Self.describe(39499, 2, .unsigned8, "other")),
        (300, Self.describe(4242, 17, .unsigned16, "two words\"")), (300, Self.describe(4242, 17, .unsigned16, "")),
        (300, Self.describe(4242, 0x8011, .unsigned16, "tooLarge")), (300, bad)))
    #expect(decoding.decode(message([], (256, [0, 6]))).first?["e4242id17"] == [0, 6])
    // An element file knows better.
    let url = TemplateRecord(id: 258, fields: [.init(enterprise: 39499, element: 2, length: 3)])
    #expect(decoding.decode(message([url], (258, [65, 66, 67]))).first?.text("HTTPRequestURL") == "ABC")
  }

  @Test func descriptionsAreBounded() {
    var limits = DecoderLimits()
    limits.describedElements = 3
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP, limits: limits)
    decoding.decode(message([Self.types]))
    for id in 1...9 { decoding.decode(message([], (300, Self.describe(4242, UInt16(id), .unsigned8, "n\(id)")))) }
    #expect(decoding.counts.describedElements == 3)
  }

  @Test func factsAreRemembered() {
    let interfaces = TemplateRecord(
      id: 301, fields: [.init(element: 10, length: 4), .init(element: 82, length: 8), .init(element: 83, length: Wire.variableLength)],
      scopeCount: 1)
    let sampling = TemplateRecord(
      id: 302,
      fields: [
        .init(element: 302, length: 8), .init(element: 304, length: 2), .init(element: 305, length: 4), .init(element: 306, length: 4),
      ],
      scopeCount: 1)
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(
      message(
        [interfaces, sampling], (301, [0, 0, 0, 3] + Array("eth3\0\0\0\0".utf8) + Example.counted("uplink")),
        (302, [0, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 0, 0, 1, 0, 0, 0, 99])))
    let facts = decoding.sessionDecoder.facts(domain: 0)
    #expect(facts?.interfaces[3]?.name == "eth3")
    #expect(facts?.interfaces[3]?.description == "uplink")
    #expect(facts?.samplings[7]?.interval == 100)
    #expect(facts?.samplings[7]?.algorithm == 1)
  }

  @Test func samplesSayWhenTheyBegan() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(try Decoding.datagrams("softflowd-ipfix.ipfix"))
    #expect(decoding.sessionDecoder.facts(domain: 0)?.systemInitMilliseconds == 1_795_464_534_893)
    let version9 = Decoding(FLOWCEP_TRANSPORT_UDP)
    version9.decode(try Decoding.datagrams("softflowd-v9.nf9"))
    #expect(version9.sessionDecoder.facts(version: 9, domain: 0)?.samplings[0]?.interval == 1)
    let version5 = Decoding(FLOWCEP_TRANSPORT_UDP)
    version5.decode(NetFlowTests.message5(count: 1))
    #expect(version5.sessionDecoder.facts(version: 5, domain: 0x0102)?.samplings[0]?.interval == 100)
  }
}
