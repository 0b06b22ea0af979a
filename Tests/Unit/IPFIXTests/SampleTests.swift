import Foundation
import IPFIX
import PluginABI
import TestSupport
import Testing

/// Captures of real exporters agree record by record and value by value with an independent decode of them (tshark).
@Suite struct SampleTests {
  @Test(arguments: [
    "softflowd-v5.nf5", "softflowd-v9.nf9", "softflowd-ipfix.ipfix", "softflowd-ipfix-a.ipfix", "softflowd-ipfix-milli.ipfix",
    "softflowd-ipfix-biflow.ipfix", "softflowd-ipfix-biflow-milli.ipfix", "softflowd-ipfix-ether-micro.ipfix", "pmacctd-v9.nf9",
    "pmacctd-ipfix.ipfix", "ovs-ipfix.ipfix",
  ])
  func agreesWithAnIndependentDecode(file: String) throws {
    let datagrams = try Decoding.datagrams(file)
    let reference = try TsharkDecode.read(file)
    try #require(datagrams.count == reference.count)
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    for (number, (datagram, expected)) in zip(datagrams, reference).enumerated() {
      let records = decoding.decode(datagram)
      try #require(records.count == expected.count, "datagram \(number)")
      let exportTime = datagram[4..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      for (index, (record, values)) in zip(records, expected).enumerated() {
        let ours = TsharkDecode.values(of: record, isVersion9: file.hasSuffix("nf9"), exportTime: exportTime)
        #expect(ours == values, "datagram \(number), record \(index)")
      }
    }
    for reason in Undecodable.allCases { #expect(decoding.counts[reason] == 0, "\(reason)") }
  }
}
