import IPFIX
import PluginABI
import Testing

/// NetFlow 9 (RFC 3954) and 5, as exporters write them and as attackers might.
@Suite struct NetFlowTests {
  static func message9(sequence: UInt32 = 1, uptime: UInt32 = 5000, time: UInt32 = 1_700_000_000, source: UInt32 = 3, _ sets: [UInt8]...)
    -> [UInt8]
  {
    [0, 9, 0, UInt8(sets.count)] + be(uptime) + be(time) + be(sequence) + be(source) + sets.flatMap { $0 }
  }
  static func message5(count: Int, sequence: UInt32 = 0, uptime: UInt32 = 5000, time: UInt32 = 1_700_000_000) -> [UInt8] {
    [0, 5, 0, UInt8(count)] + be(uptime) + be(time) + be(250_000_000) + be(sequence) + [1, 2, 0x40, 100]
      + (0..<count).flatMap { record5(UInt8($0)) }
  }
  static func record5(_ host: UInt8) -> [UInt8] {
    [10, 0, 0, host, 192, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0, 2] + be(7) + be(4200) + be(1000) + be(4000)
      + [0x9c, 0x40, 0, 80, 0xff, 0x1b, 6, 0, 0xfd, 0xe8, 0, 1, 24, 16, 0xff, 0xff]
  }
  static func be(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } }
  static func set(_ id: Int, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
    let length = length ?? body.count + 4
    return [UInt8(id >> 8), UInt8(id & 255), UInt8(length >> 8), UInt8(length & 255)] + body
  }
  /// Source address, protocol, and a count of two bytes: seven bytes a record.
  static let template = set(0, [1, 4, 0, 3, 0, 8, 0, 4, 0, 4, 0, 1, 0, 2, 0, 2])
  static let record: [UInt8] = [192, 0, 2, 7, 17, 1, 2]

  @Test func version5HasNamesAndNoPadding() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    let records = decoding.decode(Self.message5(count: 3))
    #expect(records.count == 3)
    #expect(records[2]["sourceIPv4Address"] == [10, 0, 0, 2])
    #expect(records[0].number("octetDeltaCount") == 4200)
    #expect(records[0].number("flowStartSysUpTime") == 1000)
    #expect(records[0].number("destinationTransportPort") == 80)
    #expect(records[0].number("tcpControlBits") == 0x1b)
    #expect(records[0].number("bgpSourceAsNumber") == 65000)
    #expect(records[0].number("destinationIPv4PrefixLength") == 16)
    #expect(records[0].domain == 0x0102)
    #expect(records[0].fields.count == 18)
    #expect(decoding.counts.records == 3)
  }

  @Test func version5CountsRecordsInItsSequence() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Self.message5(count: 2, sequence: 10), Self.message5(count: 2, sequence: 15))
    #expect(decoding.counts.lostRecords == 3)
  }

  @Test func version9PaddedUnpaddedAndPaddedWithoutCounting() {
    let sets: [[UInt8]] = [
      Self.set(260, Self.record + [0]), Self.set(260, Self.record), Self.set(260, Self.record, length: 11) + [0],
    ]
    for set in sets {
      let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
      let records = decoding.decode(Self.message9(Self.template, set, set, Self.template, set))
      #expect(records.count == 3)
      #expect(records.allSatisfy { $0["sourceIPv4Address"] == [192, 0, 2, 7] && $0.number("packetDeltaCount") == 258 })
    }
  }

  @Test func version9PaddingOfTwoBeforeATemplateSet() {
    // Six bytes a record: two bytes of padding, which look like the id of a template set.
    let template = Self.set(0, [1, 5, 0, 2, 0, 8, 0, 4, 0, 2, 0, 2])
    let data = Self.set(261, [192, 0, 2, 7, 1, 2], length: 10)
    for padding in [[], [0, 0]] as [[UInt8]] {
      let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
      #expect(decoding.decode(Self.message9(template, data + padding, Self.template, data + padding)).count == 2)
      #expect(decoding.counts.templates == 2)
    }
  }

  @Test func version9ZerosBehindTheLastSet() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    for zeros in 0..<9 {
      let message = Self.message9(sequence: UInt32(zeros), Self.template, Self.set(260, Self.record), Array(repeating: 0, count: zeros))
      #expect(decoding.decode(message).count == 1)
    }
  }

  @Test func version9OptionsHaveScopes() {
    let template = Self.set(1, [1, 9, 0, 8, 0, 8, 0, 1, 0, 4, 0, 2, 0, 2, 0, 34, 0, 4, 0, 35, 0, 1, 0, 0])
    let data = Self.set(265, [192, 0, 2, 1, 0, 3, 0, 0, 0, 100, 2, 0])
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    let records = decoding.decode(Self.message9(template, data))
    #expect(records.first?.isOptions == true)
    #expect(records.first?.fields.map(\.name) == ["exportingProcessId", "ingressInterface", "samplingInterval", "samplingAlgorithm"])
    #expect(records.first?.number("samplingInterval") == 100)
    #expect(decoding.counts.optionsRecords == 1)
  }

  @Test func version9FieldTypesOfTheEnterpriseRange() {
    // As other collectors number them; and one of IANA's.
    let template = Self.set(0, [1, 6, 0, 3, 0x80, 0xe8, 0, 12, 0x9c, 0x40, 0, 2, 0, 152, 0, 8])
    let data = Self.set(262, Array(repeating: 1, count: 22))
    let records = Decoding(FLOWCEP_TRANSPORT_UDP).decode(Self.message9(template, data))
    #expect(records.first?.fields.map(\.name) == ["ingressAclId", "userName", "flowStartMilliseconds"])
  }

  @Test func version9CountsMessagesInItsSequence() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Self.message9(sequence: 7, Self.template), Self.message9(sequence: 8, Self.set(260, Self.record + Self.record)))
    #expect(decoding.counts.lostMessages == 0)
    decoding.decode(Self.message9(sequence: 11, Self.template))
    #expect(decoding.counts.lostMessages == 2)
    #expect(decoding.counts.lostRecords == 0)
    // The exporter began anew: its uptime fell.
    decoding.decode(Self.message9(sequence: 5, uptime: 10, time: 1_700_000_100, Self.template))
    #expect(decoding.counts.sequenceRestarts == 1)
  }

  @Test func sourcesAndVersionsHaveTemplatesOfTheirOwn() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Self.message9(Self.template))
    #expect(decoding.decode(Self.message9(source: 4, Self.set(260, Self.record))).isEmpty)
    #expect(decoding.decode(Example.data(1, sequence: 0, domain: 3)).isEmpty)
    #expect(decoding.decode(Self.message9(Self.set(260, Self.record))).count == 1)
  }

  // MARK: Framing

  @Test func framesMixedDatagrams() {
    let datagrams = [
      Self.message9(Self.template, Self.set(260, Self.record)), Self.message5(count: 2),
      Self.message9(Self.set(260, Self.record, length: 11) + [0]),
      Self.message9(Self.template), Example.message(), Self.message9(Self.set(260, Self.record + [0])),
    ]
    #expect(Decoding.datagrams(datagrams.flatMap { $0 }) == datagrams)
  }

  @Test func framesWhateverIsThere() {
    let stream = Self.message9(Self.template, Self.set(260, Self.record)) + Self.message5(count: 1) + Example.message()
    let first = Self.message9(Self.template, Self.set(260, Self.record)).count
    for count in 0..<stream.count {
      switch Array(stream[..<count]).withUnsafeBytes({ DatagramFramer.step($0) }) {
      case .message(let length): #expect(length == first && count >= first)
      case .needs(let needed): #expect(needed > count)
      case .bad(let reason): Issue.record("\(reason)")
      }
    }
  }

  // MARK: Hostile

  private func expectHealthy(_ decoding: Decoding) {
    #expect(decoding.decode(Self.message9(source: 99, Self.template, Self.set(260, Self.record))).count == 1)
    #expect(decoding.decode(Self.message5(count: 1)).count == 1)
  }

  @Test func truncatedAtEveryByte() {
    let good = Self.message9(
      Self.template, Self.set(260, Self.record + Self.record), Self.set(1, [1, 9, 0, 4, 0, 4, 0, 1, 0, 4, 0, 34, 0, 4]))
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    for length in 0...good.count { decoding.decode(Array(good[..<length])) }
    let good5 = Self.message5(count: 3)
    for length in 0..<good5.count { #expect(decoding.decode(Array(good5[..<length])).isEmpty) }
    expectHealthy(decoding)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 254, 255, 256, 65534, 65535])
  func anyTwoBytesSetTo(value: Int) {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    for good in [
      Self.message9(Self.template, Self.set(260, Self.record), Self.set(1, [1, 9, 0, 4, 0, 4, 0, 1, 0, 4, 0, 34, 0, 4])),
      Self.message5(count: 2),
    ] {
      for place in 0..<good.count - 1 {
        var message = good
        message[place] = UInt8(value >> 8)
        message[place + 1] = UInt8(value & 255)
        decoding.decode(message)
        _ = Decoding.datagrams(message)
      }
    }
    expectHealthy(decoding)
  }
}
