import Foundation
import TestSupport
import Testing

/// Files one after another: good ones whole, faulty ones up to their fault.
@Suite struct FileInputTests {
  static func configuration(_ files: String...) -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>
        <fileReader><name>in</name>\(files.map { "<file>\($0)</file>" }.joined())</fileReader>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name><count/></destination></exportingProcess>
    </ipfix>
    """
  }

  @Test func faultyFilesAreReportedWithTheOffsetAndTheOthersGoOn() throws {
    let folder = try TemporaryFolder()
    let bytes = try TCPInputTests.capture(domain: 1, records: 600, in: folder)
    let faulty: [[UInt8]] = [Array(bytes.dropLast()), bytes + Array("GET /".utf8), []]
    for (number, bytes) in zip(2..., faulty) {
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path + "/\(number).ipfix"))
    }
    let collector = try Collector(Self.configuration("@FOLDER@/*.ipfix", "@FOLDER@/1.ipfix"), folder: folder)
    let ledger = try collector.ended()
    #expect(ledger.closes)
    #expect(ledger["input", "in"]?.lost("faulty-file") == 2)
    // The last message of the second file is not whole.
    #expect((1801..<2400).contains(ledger.received))
    let log = collector.process.errorText
    #expect(log.contains("2.ipfix: at offset "))
    #expect(log.contains("3.ipfix: at offset \(bytes.count): bad version 18245, expected 10 (IPFIX)"))
  }

  @Test func severalFiles() throws {
    let samples = SharedFolder.repository.appendingPathComponent("Tests/Data/samples").path
    let collector = try Collector(
      Self.configuration("\(samples)/pmacctd-ipfix.ipfix", "\(samples)/ovs-ipfix.ipfix"), folder: TemporaryFolder())
    let ledger = try collector.ended()
    #expect(ledger.closes)
    #expect(ledger.received == 158 + 31)
  }
}
