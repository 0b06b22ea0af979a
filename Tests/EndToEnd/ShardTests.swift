import Foundation
import Sockets
import TestSupport
import Testing

/// An input of several threads: the kernel divides the exporters among them, and no session is split.
@Suite struct ShardTests {
  private static let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
  /// Three records.
  private static let data: [UInt8] = [1, 0, 0, 28] + (0..<3).flatMap { _ in [192, 0, 2, 1, 0, 0, 0, 5] as [UInt8] }

  /// A port that is free now.
  private func freePort(_ kind: BoundSocket.Kind) throws -> UInt16 {
    let address = try #require(SocketAddress("127.0.0.1", port: 0))
    return try BoundSocket(kind, on: address).address.port
  }

  private func configuration(_ input: String, port: UInt16) -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>
        <\(input)><name>in</name><localPort>\(port)</localPort><shards>2</shards></\(input)>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name><count/></destination></exportingProcess>
    </ipfix>
    """
  }

  /// Each exporter is a session of one thread, each thread has some, and every record has come.
  private func expectAll(_ collector: Collector, _ exporters: [String], recordsEach: Int) throws {
    for exporter in exporters { _ = try collector.process.waitForErrorLine("\(exporter): first record") }
    let inputs = ["in/1", "in/2"]
    let sessions = try collector.status().inputs.map { ($0["sessions"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String } }
    #expect(sessions.count == 2)
    #expect(sessions.allSatisfy { !$0.isEmpty }, "\(sessions)")
    #expect(sessions.flatMap { $0 }.sorted() == exporters.sorted())
    let ledger = try collector.stop()
    #expect(ledger.received == exporters.count * recordsEach)
    for input in inputs { #expect(ledger["input", input]?.lost("unknown-template") ?? 0 == 0) }
  }

  @Test func sourcesStayWithTheirThread() throws {
    let port = try freePort(.udp)
    let folder = try TemporaryFolder()
    let collector = try Collector(configuration("udpCollector", port: port), folder: folder, environment: ["STATE_DIRECTORY": folder.path])
    _ = try collector.process.waitForErrorLine("running: all inputs listen")
    let exporters = (0..<40).map { _ in DatagramExporter() }
    for exporter in exporters { try exporter.send(Self.template, sequence: 0, port: "\(port)") }
    for round in 0..<4 {
      for exporter in exporters { try exporter.send(Self.data, sequence: UInt8(3 * round), port: "\(port)") }
    }
    try expectAll(collector, exporters.map(\.name), recordsEach: 12)
  }

  @Test func connectionsStayWithTheirThread() throws {
    let port = try freePort(.tcp)
    let collector = try Collector(configuration("tcpCollector", port: port), folder: try TemporaryFolder())
    _ = try collector.process.waitForErrorLine("running: all inputs listen")
    let message: [UInt8] = [0, 10, 0, 60, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 7] + Self.template + Self.data
    let exporters = try (0..<40).map { _ in try Exporter(port: "\(port)") }
    for exporter in exporters { try exporter.send(message[...]) }
    try expectAll(collector, exporters.map(\.name), recordsEach: 3)
  }

  /// After a restart the kernel may divide otherwise: each thread knows the templates that all have kept.
  @Test func templatesAreKeptForAll() throws {
    let port = try freePort(.udp)
    let folder = try TemporaryFolder()
    let own = ["STATE_DIRECTORY": folder.path + "/state"]
    let exporters = (0..<20).map { _ in DatagramExporter() }
    let first = try Collector(configuration("udpCollector", port: port), folder: folder, environment: own)
    _ = try first.process.waitForErrorLine("running: all inputs listen")
    for exporter in exporters { try exporter.send(Self.template + Self.data, sequence: 0, port: "\(port)") }
    for exporter in exporters { _ = try first.process.waitForErrorLine("\(exporter.name): first record") }
    _ = try first.stop()
    // From another port of the same address: the kernel chooses anew.
    let second = try Collector(configuration("udpCollector", port: port), folder: folder, environment: own)
    _ = try second.process.waitForErrorLine("running: all inputs listen")
    let moved = (0..<20).map { _ in DatagramExporter() }
    for exporter in moved { try exporter.send(Self.data, sequence: 3, port: "\(port)") }
    try expectAll(second, moved.map(\.name), recordsEach: 3)
  }

  @Test func aPortThatTheSystemChoosesCannotBeShared() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(configuration("udpCollector", port: 0), to: "startup.xml")
    let checked = try Program.run(["check", "-c", file])
    #expect(checked.code == 2)
    #expect(checked.error.contains("shards share a port, so it must be named"), "\(checked.error)")
  }
}
