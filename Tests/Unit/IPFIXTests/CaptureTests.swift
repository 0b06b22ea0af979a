import IPFIX
import PluginABI
import TestSupport
import Testing

/// Captures of real exporters; the expected values are those of an independent decode.
@Suite struct CaptureTests {
  @Test(
    "the sample capture has the records that its README lists",
    .enabled(if: SharedFolder.isPresent, "no ../shared beside the repository"))
  func httpAttack() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_FILE)
    let records = decoding.decode(Decoding.messages(SharedFolder.bytes("data/http-attack.ipfix")))
    #expect(decoding.counts.messages == 606)
    let byTemplate = Dictionary(grouping: records, by: \.template).mapValues(\.count)
    #expect(byTemplate == [256: 2470, 257: 1206, 258: 8132, 259: 2090])
    #expect(records.filter { $0.number("packetDeltaCount") < 10 }.count == 10491)
    #expect(records.filter { $0.text("HTTPRequestURL").hasPrefix("/wp-login.php\0") }.count == 189)
    #expect(decoding.counts.undecodedRecords == 0)
    #expect(Undecodable.allCases.allSatisfy { decoding.counts[$0] == 0 })
  }

  @Test func softflowd() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    let records = decoding.decode(try Decoding.sample("softflowd-ipfix.ipfix"))
    #expect(records.count == 157)
    #expect(records.filter(\.isOptions).count == decoding.counts.optionsRecords)
    #expect(Undecodable.allCases.allSatisfy { decoding.counts[$0] == 0 })
  }

  @Test func softflowdBiflow() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    let records = decoding.decode(try Decoding.sample("softflowd-ipfix-biflow.ipfix"))
    #expect(records.count == 81)
    #expect(records.contains { $0.number("reverseOctetDeltaCount") > 0 })
  }

  @Test func softflowdEthernet() throws {
    let records = Decoding(FLOWCEP_TRANSPORT_UDP).decode(try Decoding.sample("softflowd-ipfix-ether-micro.ipfix"))
    #expect(records.count == 157)
    #expect(records.contains { $0["sourceMacAddress"].count == 6 })
    #expect(records.contains { $0["flowStartMicroseconds"].count == 8 })
  }

  @Test func pmacctd() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    #expect(decoding.decode(try Decoding.sample("pmacctd-ipfix.ipfix")).count == 158)
    #expect(Undecodable.allCases.allSatisfy { decoding.counts[$0] == 0 })
  }

  @Test func openVSwitch() throws {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    let records = decoding.decode(try Decoding.sample("ovs-ipfix.ipfix"))
    #expect(records.count == 31)
    #expect(Set(records.map(\.domain)).isSubset(of: [0, 123]))
    #expect(decoding.counts.templates == 89)
    #expect(Undecodable.allCases.allSatisfy { decoding.counts[$0] == 0 })
  }
}
