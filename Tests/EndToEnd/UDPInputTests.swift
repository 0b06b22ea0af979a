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

  /// Alone in a receive, in front of others and behind them.
  @Test func datagramsWithoutBytesHarmNobody() throws {
    let folder = try TemporaryFolder()
    let collector = try Collector(Self.configuration(""), folder: folder)
    let port = try collector.port("udp")
    let (stranger, exporter) = (DatagramExporter(), DatagramExporter())
    try stranger.send(datagram: [], port: port)
    _ = try collector.process.waitForErrorLine("cannot be decoded: short-message")
    try exporter.send([0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4], sequence: 0, port: port)
    try exporter.send(datagram: [], port: port)
    try exporter.send([1, 0, 0, 12, 192, 0, 2, 1, 0, 0, 0, 5], sequence: 0, port: port)
    try stranger.send(datagram: [], port: port)
    _ = try collector.process.waitForErrorLine("first record")
    let ledger = try collector.stop()
    #expect(ledger.received == 1 && ledger.closes)
    #expect((ledger["input", "in"]?.lost("short-message") ?? 0) >= 2)
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

  /// SIGKILL in the middle of an export: templates are not sent again, and no record after the restart lacks one.
  @Test func aKilledCollectorGoesOn() throws {
    let folder = try TemporaryFolder()
    let exporter = DatagramExporter()
    let own = ["STATE_DIRECTORY": folder.path + "/state"]
    let first = try Collector(Self.configuration(""), folder: folder, environment: own)
    let port = try first.port("udp")
    let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
    let data: [UInt8] = [1, 0, 0, 28] + (0..<3).flatMap { _ in [192, 0, 2, 1, 0, 0, 0, 5] as [UInt8] }
    try exporter.send(template, sequence: 0, port: port)
    _ = try first.process.waitForErrorLine("templates are kept in ")
    // A further one is kept as well, though the file has just been written.
    try exporter.send([0, 2, 0, 16, 1, 1] + template[6...], sequence: 0, port: port)
    try exporter.send(data, sequence: 0, port: port)
    _ = try first.process.waitForErrorLine("first record")
    try folder.waitForText("state", containing: " 257 ")
    first.process.signal(SIGKILL)
    _ = try? first.process.waitForExit()
    try exporter.send(data, sequence: 3, port: port)
    let again = Self.configuration("").replacingOccurrences(of: "<localPort>0<", with: "<localPort>\(port)<")
    let second = try Collector(again, folder: folder, environment: own)
    _ = try second.port("udp")
    try exporter.send(data, sequence: 6, port: port)
    try exporter.send([1, 1] + data[2...], sequence: 9, port: port)
    _ = try second.process.waitForErrorLine("2 templates of it are known from before")
    let ledger = try second.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 6)
    #expect(ledger["input", "in"]?.lost("unknown-template") == 0)
  }

  @Test func templatesAreNotKeptWhereNobodyWantsThat() throws {
    let folder = try TemporaryFolder()
    let own = ["STATE_DIRECTORY": folder.path + "/state"]
    let exporter = DatagramExporter()
    let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
    let collector = try Collector(Self.configuration("<keepTemplates>no</keepTemplates>"), folder: folder, environment: own)
    try exporter.send(template, sequence: 0, port: collector.port("udp"))
    _ = try collector.process.waitForErrorLine("first template")
    #expect(try collector.stop().closes)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/state"))
  }

  /// ipfixcol's life times, from the configuration to the record that comes too late.
  @Test func templatesGrowOldAsConfigured() throws {
    let folder = try TemporaryFolder()
    let exporter = DatagramExporter()
    let options = "<templateLifeTime>1800</templateLifeTime><templateLifePacket>2</templateLifePacket>"
    let collector = try Collector(Self.configuration(options + "<keepTemplates>no</keepTemplates>"), folder: folder)
    let port = try collector.port("udp")
    let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
    let data: [UInt8] = [1, 0, 0, 12, 192, 0, 2, 1, 0, 0, 0, 5]
    try exporter.send(template, sequence: 0, port: port)
    for sequence in 0..<3 { try exporter.send(data, sequence: UInt8(sequence), port: port) }
    _ = try collector.process.waitForErrorLine("records of template 256, domain 7, which has not been defined")
    try exporter.send(template, sequence: 3, port: port)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    // Two in time; the third waits for the definition to come again.
    #expect(ledger.received == 3)
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
