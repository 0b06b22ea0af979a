import IPFIX
import PluginABI
import Testing

/// Shapes that exporters really send and that a reader of the RFCs alone would stumble over.
@Suite struct VendorShapesTests {
  private typealias V9 = NetFlowTests

  /// An IPFIX message of domain 7.
  private func message(_ sets: [UInt8]...) -> [UInt8] {
    let body = sets.flatMap { $0 }
    let length = 16 + body.count
    return [0, 10, UInt8(length >> 8), UInt8(length & 255)] + V9.be(1_700_000_000) + V9.be(0) + V9.be(7) + body
  }

  private func udp() -> Decoding { Decoding(FLOWCEP_TRANSPORT_UDP) }

  @Test func version9FieldsOfVariableLength() {
    // NBAR: applicationName and a URL, with lengths of one byte and of three.
    let template = V9.set(0, [1, 10, 0, 3, 0, 96, 255, 255, 0, 8, 0, 4, 0, 82, 255, 255])
    let data = V9.set(266, [4] + Array("http".utf8) + [192, 0, 2, 1, 255, 0, 3] + Array("eth".utf8) + [0, 192, 0, 2, 2, 0])
    let records = udp().decode(V9.message9(template, data))
    #expect(records.map { $0.text("applicationName") } == ["http", ""])
    #expect(records.map { $0.text("interfaceName") } == ["eth", ""])
    #expect(records.map { $0["sourceIPv4Address"] } == [[192, 0, 2, 1], [192, 0, 2, 2]])
  }

  @Test func version9TypesBeyond32767() {
    // ASA: an access list's ids (33000, 12 bytes) and a user's name (40000, 20 bytes). They have no enterprise number behind them.
    let template = V9.set(0, [1, 8, 0, 3, 0x80, 0xe8, 0, 12, 0x9c, 0x40, 0, 20, 0, 4, 0, 1])
    let name = Array("alice".utf8) + [UInt8](repeating: 0, count: 15)
    let decoding = udp()
    let records = decoding.decode(V9.message9(template, V9.set(264, (1...12).map(UInt8.init) + name + [6, 0, 0, 0])))
    #expect(records.count == 1)
    #expect(records[0].fields.map(\.bytes.count) == [12, 20, 1])
    #expect(records[0].number("protocolIdentifier") == 6)
    #expect(decoding.json[0].contains("alice"))
  }

  @Test func version9SetsOfReservedIds() {
    for id in [2, 3, 4, 100, 255] {
      for padding in [[], [0]] as [[UInt8]] {
        let decoding = udp()
        let records = decoding.decode(
          V9.message9(V9.template, V9.set(260, V9.record + padding), V9.set(id, [1, 2, 3, 4]), V9.set(260, V9.record)))
        #expect(records.count == 2, "set \(id)")
        #expect(decoding.counts[.reservedSet] == 1)
      }
    }
  }

  @Test func version9TemplateWithoutFields() {
    let decoding = udp()
    let empty = V9.set(0, [1, 5, 0, 0, 1, 4, 0, 3, 0, 8, 0, 4, 0, 4, 0, 1, 0, 2, 0, 2])
    #expect(decoding.decode(V9.message9(empty, V9.set(260, V9.record))).count == 1)
    #expect(decoding.decode(V9.message9(V9.set(1, [1, 6, 0, 0, 0, 0]), V9.set(260, V9.record))).count == 1)
  }

  @Test func version9ScopesOfEveryKind() {
    let names = ["exportingProcessId", "ingressInterface", "lineCardId", "meteringProcessId", "templateId"]
    for (index, name) in names.enumerated() {
      let template = V9.set(1, [1, 7, 0, 4, 0, 4, 0, UInt8(index + 1), 0, 4, 0, 34, 0, 4, 0, 0])
      let records = udp().decode(V9.message9(template, V9.set(263, [0, 0, 0, 9, 0, 0, 0, 100])))
      #expect(records.count == 1 && records[0].isOptions)
      #expect(records[0].number(name) == 9 && records[0].number("samplingInterval") == 100)
    }
  }

  @Test func anIdThatChangesFromRecordsToOptionsAndBack() {
    let decoding = udp()
    let options: [UInt8] = [0, 3, 0, 18, 1, 0, 0, 2, 0, 1, 0, 149, 0, 4, 0, 41, 0, 8]
    let flow: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 12, 0, 4]
    let data: [UInt8] = [1, 0, 0, 16] + (1...12).map(UInt8.init)
    let data8: [UInt8] = [1, 0, 0, 12] + (1...8).map(UInt8.init)
    #expect(decoding.decode(message(flow, data8)).map(\.isOptions) == [false])
    #expect(decoding.decode(message(options, data)).map(\.isOptions) == [true])
    #expect(decoding.decode(message(flow, data8))[0]["destinationIPv4Address"] == [5, 6, 7, 8])
    #expect(decoding.counts.redefinitions == 2)
  }

  @Test func paddingBehindTemplatesSetsAndMessages() {
    let fields: [UInt8] = [0, 8, 0, 4, 0, 12, 0, 4]
    let record = (1...8).map(UInt8.init)
    for zeros in 0..<12 {
      let padding = [UInt8](repeating: 0, count: zeros)
      let templates: [UInt8] = [0, 2, 0, UInt8(28 + zeros), 1, 0, 0, 2] + fields + [1, 1, 0, 2] + fields + padding
      let data: [UInt8] = [1, 1, 0, UInt8(12 + zeros % 8)] + record + padding.prefix(zeros % 8)
      // What lies behind the message's end in its datagram is padding too.
      let decoding = udp()
      let records = decoding.decode(message(templates, data) + padding)
      #expect(records.count == 1 && records[0]["destinationIPv4Address"] == [5, 6, 7, 8], "\(zeros) zeros")
      #expect(decoding.counts.templates == 2)
    }
    let other = udp()
    #expect(other.decode(message([0, 2, 0, 16, 1, 0, 0, 2] + fields) + [0, 0, 1]).isEmpty)
    #expect(other.counts[.badMessageLength] == 1)
  }

  @Test func emptySetsAndReservedOnes() {
    let decoding = udp()
    let template: [UInt8] = [0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4]
    var sets: [UInt8] = [0, 2, 0, 4, 0, 3, 0, 4, 1, 0, 0, 4] + template
    for id in [0, 1, 4, 5, 9, 10, 100, 255] { sets += [0, UInt8(id), 0, 8, 1, 2, 3, 4, 0, UInt8(id), 0, 4] }
    let records = decoding.decode(message(sets, [1, 0, 0, 8, 192, 0, 2, 1]))
    #expect(records.count == 1 && records[0]["sourceIPv4Address"] == [192, 0, 2, 1])
    #expect(decoding.counts[.reservedSet] == 16)
  }

  @Test func fieldsWithoutLength() {
    // Between others, at the ends, and of variable length.
    let template: [UInt8] = [0, 2, 0, 28, 1, 0, 0, 5, 0, 82, 0, 0, 0, 8, 0, 4, 0, 4, 0, 0, 0, 82, 255, 255, 0, 2, 0, 0]
    let decoding = udp()
    let records = decoding.decode(message(template, [1, 0, 0, 14, 192, 0, 2, 1, 0, 192, 0, 2, 2, 0]))
    #expect(records.map { $0["sourceIPv4Address"] } == [[192, 0, 2, 1], [192, 0, 2, 2]])
    #expect(decoding.json.count == 2)
  }

  @Test func numbersInFewerBytes() {
    // float64 in four, unsigned64 in three, signed32 in two, and dateTimeMilliseconds as it is.
    let template: [UInt8] = [0, 2, 0, 24, 1, 0, 0, 4, 0x01, 0x40, 0, 4, 0, 1, 0, 3, 0x01, 0xb2, 0, 2, 0, 152, 0, 8]
    let data: [UInt8] = [1, 0, 0, 21, 0x3f, 0xc0, 0, 0, 1, 0, 0, 0xff, 0xfe, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0]
    let decoding = udp()
    #expect(decoding.decode(message(template, data)).count == 1)
    #expect(decoding.json[0].contains("1.5") && decoding.json[0].contains("65536") && decoding.json[0].contains("-2"), "\(decoding.json)")
  }

  @Test func aFieldThatComesTwice() {
    let template: [UInt8] = [0, 2, 0, 20, 1, 0, 0, 3, 0, 8, 0, 4, 0, 4, 0, 1, 0, 8, 0, 4]
    let decoding = udp()
    #expect(decoding.decode(message(template, [1, 0, 0, 13, 192, 0, 2, 1, 6, 192, 0, 2, 2])).count == 1)
    #expect(decoding.json[0].contains("[\"192.0.2.1\", \"192.0.2.2\"]"), "\(decoding.json)")
  }

  @Test func withdrawalsOverTCP() {
    let decoding = Decoding()
    let flow: [UInt8] = [0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4]
    let options: [UInt8] = [0, 3, 0, 18, 1, 1, 0, 2, 0, 1, 0, 149, 0, 4, 0, 41, 0, 8]
    let data: [UInt8] = [1, 0, 0, 8, 192, 0, 2, 1]
    #expect(decoding.decode(message(flow, options, data)).count == 1)
    #expect(decoding.decode(message([0, 2, 0, 8, 1, 0, 0, 0], data)).isEmpty)
    #expect(decoding.decode(message(flow, [0, 3, 0, 8, 0, 3, 0, 0], data)).count == 2)
    #expect(decoding.sessionDecoder.templatesKnown == 1)
    #expect(decoding.decode(message([0, 2, 0, 8, 0, 2, 0, 0])).isEmpty)
    #expect(decoding.sessionDecoder.templatesKnown == 0 && decoding.counts.withdrawals == 3)
  }

  /// Many elements in many lengths, fixed and variable: a line of JSON, whatever it says.
  @Test func elementsInAnyLength() throws {
    let decoding = Decoding()
    var bytes: UInt8 = 0x55
    for element in stride(from: 1, through: 520, by: 3) {
      for length in [1, 2, 3, 4, 5, 7, 8, 9, 16, 20] {
        bytes = bytes &* 31 &+ 17
        let value = (0..<length).map { bytes &+ UInt8($0) &* 13 }
        let id: [UInt8] = [UInt8(element >> 8), UInt8(element & 255)]
        let fixed: [UInt8] = [0, 2, 0, 12, 1, 0, 0, 1] + id + [0, UInt8(length)] + [1, 0, 0, UInt8(4 + length)] + value
        let variable: [UInt8] = [0, 2, 0, 12, 1, 1, 0, 1] + id + [255, 255] + [1, 1, 0, UInt8(5 + length), UInt8(length)] + value
        let records = decoding.decode(message(fixed, variable))
        #expect(records.count == 2, "element \(element), length \(length)")
        let lines = decoding.json
        #expect(lines.count == 2 && lines.allSatisfy { $0.first == "{" && $0.last == "}" }, "element \(element), length \(length)")
      }
    }
  }
}
