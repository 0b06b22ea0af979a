import Foundation
import TestSupport
import Testing

/// The collector holds batches ahead of the engine on a thread of its own; `flowcep query` does the same work on one.
@Suite struct AheadTests {
  private static let module = """
    @Name('minute') @Tag(name='severity', value='low')
    select ipfix.protocolIdentifier as p, count(*) as c, sum(ipfix.octetDeltaCount) as s
    from IPFIX.win:time_batch(1 min) group by ipfix.protocolIdentifier;
    """

  private static func rows(_ lines: some StringProtocol) throws -> [[Int]] {
    try lines.split(separator: "\n").map { line in
      let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return ["p", "c", "s"].map { row[$0] as? Int ?? -1 }
    }
  }

  /// Between two captures the clock goes on by an hour, which makes more due at once (50,000 records) than is taken out ahead.
  @Test func sameRowsAsOneThread() throws {
    let folder = try TemporaryFolder()
    let module = try folder.write(Self.module, to: "m.epl")
    var bytes = Data()
    for start in [1_700_000_000, 1_700_003_600] {
      let part = folder.path + "/part.ipfix"
      let options = ["--records", "100000", "--duration", "60", "--start", "\(start)", "--no-attack"]
      #expect(try Program.run(["generate", "-o", part] + options).code == 0)
      bytes += try Data(contentsOf: URL(fileURLWithPath: part))
    }
    let capture = folder.path + "/capture.ipfix"
    try bytes.write(to: URL(fileURLWithPath: capture))
    let configuration = """
      <ipfix>
        <collectingProcess><name>in</name><fileReader><file>\(capture)</file></fileReader><exportingProcess>out</exportingProcess></collectingProcess>
        <exportingProcess><name>out</name>
          <destination><name>cep</name><cep><module>\(module)</module><exportTo>rows</exportTo></cep></destination>
        </exportingProcess>
        <exportingProcess><name>rows</name>
          <destination><name>print</name><json><output><type>print</type></output></json></destination>
        </exportingProcess>
      </ipfix>
      """
    let collector = try Collector(configuration, folder: folder)
    let ledger = try collector.ended()
    #expect(ledger["output", "out/cep"]?.delivered == 200_000)
    let alone = try Program.run(["query", "-m", module, "-i", capture], seconds: 120)
    let expected = try Self.rows(alone.output)
    #expect(expected.count > 8 && expected.reduce(0) { $0 + $1[1] } > 100_000)
    #expect(try Self.rows(collector.process.outputText) == expected)
  }
}
