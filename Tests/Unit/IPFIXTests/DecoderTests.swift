import IPFIX
import InformationElements
import PluginABI
import Testing

@Suite struct DecoderTests {
  @Test func valuesAreFoundInPlace() {
    let decoding = Decoding()
    let records = decoding.decode(Example.message())
    #expect(records.map(\.template) == [256, 256, 256, 300, 300, 400])
    #expect(records[0]["sourceIPv4Address"] == [192, 0, 2, 1])
    #expect(records[0].number("packetDeltaCount") == 0x010002)
    #expect(records[0].number("protocolIdentifier") == 6)
    #expect(records[3].text("HTTPRequestURL") == "/wp-login.php")
    #expect(records[3].number("destinationTransportPort") == 8080)
    #expect(records[3].text("interfaceName") == "")
    #expect(records[4].text("HTTPRequestURL").count == 300)
    #expect(records[4].text("interfaceName") == "eth0")
    #expect(records[5].isOptions)
    #expect(records[5].number("exportedMessageTotalCount") == 256)
    #expect(records.allSatisfy { $0.domain == 7 })
    #expect(decoding.counts.records == 5)
    #expect(decoding.counts.optionsRecords == 1)
    #expect(decoding.counts.templates == 3)
    #expect(decoding.counts.messages == 1)
  }

  @Test func paddingIsSkipped() {
    var message = Example.template(Example.fixed)
    message += [1, 0, 0, 16] + Example.fixedRecord + [0, 0, 0, 0]
    message[3] = UInt8(message.count)
    #expect(Decoding().decode(message).count == 1)
  }

  @Test func unknownElementsKeepTheirNumbers() {
    let decoding = Decoding()
    let template = TemplateRecord(id: 256, fields: [.init(enterprise: 4242, element: 17, length: 2), .init(element: 32000, length: 1)])
    var message = Example.template(template)
    message += [1, 0, 0, 7, 1, 2, 3]
    message[3] = UInt8(message.count)
    let records = decoding.decode(message)
    #expect(records.first?["e4242id17"] == [1, 2])
    #expect(records.first?["e0id32000"] == [3])
    #expect(records.first?.fields.allSatisfy { $0.type == AbstractType.octetArray.rawValue } == true)
    #expect(decoding.notices.contains(.unknownElement(enterprise: 4242, id: 17)))
  }

  @Test func lengthsThatATypeCannotHaveAreBytes() {
    let template = TemplateRecord(
      id: 256,
      fields: [.init(element: 8, length: 3), .init(element: 1, length: 9), .init(element: 1, length: 5), .init(element: 152, length: 4)])
    let record = Decoding().decode(
      Example.template(template, domain: 0), [0, 10, 0, 41] + Array(repeating: 0, count: 12) + [1, 0, 0, 25] + Array(1...21))
    let types = record.first?.fields.map(\.type) ?? []
    let bytes = AbstractType.octetArray.rawValue
    #expect(types == [bytes, bytes, AbstractType.unsigned64.rawValue, bytes])
  }

  @Test func reverseElementsAreNamed() {
    let template = TemplateRecord(id: 256, fields: [.init(enterprise: 29305, element: 1, length: 4)])
    let records = Decoding().decode(
      Example.template(template), [0, 10, 0, 24] + Array(repeating: 0, count: 12) + [1, 0, 0, 8, 0, 0, 1, 0])
    #expect(records.isEmpty)  // Another observation domain has other templates.
    let decoding = Decoding()
    let own = decoding.decode(
      Example.template(template, domain: 0), [0, 10, 0, 24] + Array(repeating: 0, count: 12) + [1, 0, 0, 8, 0, 0, 1, 0])
    #expect(own.first?.number("reverseOctetDeltaCount") == 256)
  }

  @Test func domainsAndSessionsAreApart() {
    let decoding = Decoding()
    decoding.decode(Example.template(Example.fixed, domain: 1))
    #expect(decoding.decode(Example.data(2, sequence: 0, domain: 2)).isEmpty)
    #expect(decoding.counts.waitedSets == 1)
    #expect(decoding.notices.contains(.unknownTemplate(domain: 2, id: 256)))
    #expect(decoding.decode(Example.data(2, sequence: 0, domain: 1)).count == 2)
    #expect(Decoding().decode(Example.data(2, sequence: 0, domain: 1)).isEmpty)
  }

  @Test func oneTemplateIsOneObject() {
    let decoding = Decoding()
    decoding.decode(Example.template(Example.fixed), Example.template(Example.fixed))
    #expect(decoding.counts.templates == 1)
    #expect(decoding.counts.redefinitions == 0)
  }

  @Test(arguments: [FLOWCEP_TRANSPORT_TCP, FLOWCEP_TRANSPORT_UDP, FLOWCEP_TRANSPORT_FILE])
  func aNewDefinitionReplaces(transport: Int) {
    let decoding = Decoding(transport)
    decoding.decode(Example.template(Example.fixed))
    let other = TemplateRecord(id: 256, fields: [.init(element: 12, length: 4), .init(element: 1, length: 4)])
    decoding.decode(Example.template(other))
    let records = decoding.decode(Example.data(1, sequence: 0))
    #expect(records.first?["destinationIPv4Address"] == [192, 0, 2, 1])
    #expect(decoding.counts.redefinitions == 1)
    let forbidden = transport != FLOWCEP_TRANSPORT_UDP
    #expect(decoding.notices.contains(.redefinition(domain: 7, id: 256)) == forbidden)
  }

  @Test(arguments: [FLOWCEP_TRANSPORT_TCP, FLOWCEP_TRANSPORT_UDP, FLOWCEP_TRANSPORT_FILE])
  func withdrawalByTransport(transport: Int) {
    let decoding = Decoding(transport)
    decoding.decode(Example.template(Example.fixed), Example.template(TemplateRecord(id: 256, fields: [])))
    let stays = transport == FLOWCEP_TRANSPORT_UDP
    #expect(decoding.decode(Example.data(1, sequence: 0)).count == (stays ? 1 : 0))
    #expect(decoding.counts.withdrawals == (stays ? 0 : 1))
    #expect(decoding.counts.ignoredWithdrawals == (stays ? 1 : 0))
  }

  @Test func withdrawalOfAll() {
    let decoding = Decoding()
    decoding.decode(Example.message())
    decoding.decode(Example.template(TemplateRecord(id: 2, fields: [])))
    #expect(decoding.counts.withdrawals == 2)
    decoding.decode(Example.template(TemplateRecord(id: 3, fields: [], scopeCount: 1)))
    #expect(decoding.counts.withdrawals == 3)
    #expect(decoding.decode(Example.data(1, sequence: 6)).isEmpty)
  }

  @Test func limitsHold() {
    var limits = DecoderLimits()
    limits.domains = 2
    limits.templates = 3
    limits.fieldsPerTemplate = 2
    let decoding = Decoding(limits: limits)
    let small = TemplateRecord(id: 256, fields: [.init(element: 1, length: 4)])
    for domain in 1...3 { decoding.decode(Example.template(small, domain: UInt32(domain))) }
    #expect(decoding.counts[.tooManyDomains] == 1)
    decoding.decode(Example.template(Example.fixed, domain: 1))
    #expect(decoding.counts[.tooManyFields] == 1)
    for id in 257...260 { decoding.decode(Example.template(TemplateRecord(id: UInt16(id), fields: small.fields), domain: 1)) }
    #expect(decoding.counts[.tooManyTemplates] == 3)
    #expect(decoding.counts.templates == 3)
  }
}
