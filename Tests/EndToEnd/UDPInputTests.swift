import Foundation
import TestSupport
import Testing

/// Datagrams: each source is a session, and what is not taken is counted.
@Suite struct UDPInputTests {
  static func configuration(_ options: String) -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>
        <udpCollector><name>in</name><localPort>0</localPort>\(options)</udpCollector>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name><count/></destination></exportingProcess>
    </ipfix>
    """
  }

  private func send(_ capture: String, to collector: Collector) throws {
    let port = try collector.port("udp")
    let sent = try Program.run(["send", "-i", capture, "-d", "127.0.0.1", "-p", port, "-t", "UDP", "-n", "1"])
    #expect(sent.code == 0, "\(sent.error)")
  }

  @Test func allThatIsSentArrives() throws {
    let folder = try TemporaryFolder()
    _ = try TCPInputTests.capture(domain: 1, records: 3000, in: folder)
    let collector = try Collector(Self.configuration("<receiveBuffer>2 MiB</receiveBuffer>"), folder: folder)
    try send(folder.path + "/1.ipfix", to: collector)
    try send(folder.path + "/1.ipfix", to: collector)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 6000)
    #expect(collector.process.errorText.components(separatedBy: ": connected").count == 3)
  }

  @Test func strangersAreRefusedAndNamedOnce() throws {
    let folder = try TemporaryFolder()
    _ = try TCPInputTests.capture(domain: 1, records: 600, in: folder)
    let collector = try Collector(Self.configuration("<allow>10.0.0.0/8</allow>"), folder: folder)
    try send(folder.path + "/1.ipfix", to: collector)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 0)
    #expect((ledger["input", "in"]?.lost("refused") ?? 0) > 1)
    #expect(collector.process.errorText.components(separatedBy: "refused 127.0.0.1: not in any <allow>").count == 2)
  }

  @Test func templatesOutliveTheCollector() throws {
    let folder = try TemporaryFolder()
    let configuration = Self.configuration("<templatesFile>templates.txt</templatesFile>")
    let exporter = DatagramExporter()
    // An address and a count; then three records of them.
    let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
    let data: [UInt8] = [1, 0, 0, 28] + (0..<3).flatMap { _ in [192, 0, 2, 1, 0, 0, 0, 5] as [UInt8] }
    let first = try Collector(configuration, folder: folder)
    try exporter.send(template, sequence: 0, port: first.port("udp"))
    _ = try first.process.waitForErrorLine("templates are kept in ")
    first.process.signal(SIGKILL)
    _ = try? first.process.waitForExit()
    let second = try Collector(configuration, folder: folder)
    try exporter.send(data, sequence: 0, port: second.port("udp"))
    _ = try second.process.waitForErrorLine("first record")
    let ledger = try second.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 3)
  }
}
