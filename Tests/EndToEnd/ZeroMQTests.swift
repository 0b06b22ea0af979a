import Foundation
import Glibc
import TestSupport
import Testing

@Suite("ZeroMQ output", .serialized) struct ZeroMQTests {
  private static func receiver(_ arguments: [String]) throws -> (process: RunningProcess, endpoint: String) {
    let process = try RunningProcess(Program.folder + "/message-receiver", arguments)
    let endpoint = String(try process.waitForOutputLine("ready ").dropFirst(6))
    return (process, endpoint)
  }

  private static func received(_ process: RunningProcess) -> [String] {
    process.outputText.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast().map(String.init)
  }

  @Test("PUB: a subscriber gets topic and record; without one, records are dropped and counted")
  func publish() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 5000)
    let output = "<zeromq><type>PUB</type><bind>tcp://127.0.0.1:*</bind></zeromq>"
    let collector = try Collector(OutputFixture.configuration(output), folder: folder)
    let endpoint = try collector.process.waitForErrorLine("bound to ").components(separatedBy: "bound to ").last ?? ""
    let exporter = try Exporter(port: try collector.port("tcp"))
    let subscriber = try Self.receiver(["sub", "connect", endpoint, "out"])
    let stranger = try Self.receiver(["sub", "connect", endpoint, "other"])
    try collector.process.waitForErrorLine("a peer has subscribed to \"out\"")
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try OutputFixture.wait(for: "5000 messages") { Self.received(subscriber.process).count == 5000 }
    let ledger = try collector.stop()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 5000)
    #expect(Self.received(subscriber.process) == (try OutputFixture.lines(capture.path)).map { "out\t" + $0 })
    #expect(Self.received(stranger.process).isEmpty)
    let alone = try Collector(OutputFixture.configuration(output, file: capture.path), folder: try TemporaryFolder()).ended()
    #expect(alone.closes && alone["output", "out/test"]?.dropped("no-subscriber") == 5000)
  }

  @Test("PUB: what a suspended subscriber's queue has no room for is counted")
  func highWaterMark() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 60_000)
    let output = "<zeromq><bind>tcp://127.0.0.1:*</bind><topic>t</topic><highWaterMark>100</highWaterMark></zeromq>"
    let collector = try Collector(OutputFixture.configuration(output), folder: folder)
    let endpoint = try collector.process.waitForErrorLine("bound to ").components(separatedBy: "bound to ").last ?? ""
    let exporter = try Exporter(port: try collector.port("tcp"))
    let subscriber = try Self.receiver(["sub", "connect", endpoint, "t"])
    try collector.process.waitForErrorLine("a peer has subscribed to \"t\"")
    subscriber.process.signal(SIGSTOP)
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    subscriber.process.signal(SIGCONT)
    let ledger = try collector.stop()
    let account = try #require(ledger["output", "out/test"])
    #expect(ledger.closes && account.dropped("high-water-mark") > 0)
    try OutputFixture.wait(for: "\(account.delivered) messages") { Self.received(subscriber.process).count == account.delivered }
  }

  @Test("PUSH: a puller that is bound gets every record, without topic")
  func push() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 5000)
    let puller = try Self.receiver(["pull", "bind", "tcp://127.0.0.1:*"])
    let output = "<zeromq><type>PUSH</type><connect>\(puller.endpoint)</connect></zeromq>"
    let ledger = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder).ended()
    #expect(ledger.closes && ledger["output", "out/test"]?.delivered == 5000)
    let expected = try OutputFixture.lines(capture.path)
    try OutputFixture.wait(for: "5000 messages") { Self.received(puller.process).count == 5000 }
    #expect(Self.received(puller.process) == expected)
  }
}
