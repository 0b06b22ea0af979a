import Foundation
import TestSupport
import Testing

/// `flowcep status`: who sends what, why somebody gives nothing, and that the sums close while everything runs.
@Suite struct StatusTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static func configuration(_ input: String, more: String = "") -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>\(input)<exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name><count/></destination></exportingProcess>
      \(more)
    </ipfix>
    """
  }
  private static let tcp = "<tcpCollector><name>in</name><localPort>0</localPort></tcpCollector>"

  /// A message of observation domain 7.
  private static func message(_ sets: [UInt8], sequence: UInt8 = 0, version: UInt8 = 10) -> [UInt8] {
    [0, version, 0, UInt8(16 + sets.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, sequence, 0, 0, 0, 7] + sets
  }
  /// An address and a count, template 256.
  private static let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
  private static let options: [UInt8] = [0, 3, 0, 18, 1, 1, 0, 2, 0, 1, 0, 149, 0, 4, 0, 41, 0, 4]
  private static let optionsData: [UInt8] = [1, 1, 0, 12, 0, 0, 0, 7, 0, 0, 0, 9]
  private static let data: [UInt8] = [1, 0, 0, 20, 192, 0, 2, 1, 0, 0, 0, 5, 192, 0, 2, 2, 0, 0, 0, 6]

  /// What the status says of the one session that there is, as soon as so many messages have come.
  private func session(_ collector: Collector, messages: Int) throws -> [String: Any] {
    var found: [String: Any]?
    try OutputFixture.wait(for: "\(messages) messages") {
      let report = try collector.status()
      #expect(report.faults.isEmpty, "\(report.faults)")
      found = report.sessions.first { ($0["counts"] as? [String: Any])?["messages"] as? Int == messages }
      return found != nil
    }
    return try #require(found)
  }

  private struct Silence: CustomTestStringConvertible, Sendable {
    var messages: [[UInt8]]
    var why: String?
    var testDescription: String { why ?? "gives records" }
  }

  @Test(arguments: [
    Silence(messages: [], why: "no whole message has come"),
    Silence(messages: [message(data)], why: "no template has come yet: 1 data sets wait"),
    Silence(messages: [message(template)], why: "only templates have come"),
    Silence(messages: [message(options + optionsData)], why: "only options records have come"),
    Silence(messages: [message([])], why: "its messages hold no records"),
    Silence(messages: [message([1, 0, 0, 3])], why: "all messages are discarded: a set's length is wrong (1)"),
    Silence(messages: [message(template), message(data)], why: nil),
  ])
  private func saysWhyAnExporterGivesNothing(_ silence: Silence) throws {
    let collector = try Collector(Self.configuration(Self.tcp), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    for message in silence.messages { try exporter.send(message[...]) }
    try collector.process.waitForErrorLine(": connected")
    let session = try session(collector, messages: silence.messages.count)
    #expect(session["whyNothing"] as? String == silence.why)
    let text = try Program.run(["status", "--pid", "\(collector.process.pid)"])
    #expect(text.code == 0)
    if let why = silence.why {
      #expect(text.output.contains("gives nothing: \(why)"), "\(text.output)")
    } else {
      #expect(!text.output.contains("gives nothing"), "\(text.output)")
    }
    withExtendedLifetime(exporter) {}
    #expect(try collector.stop().closes)
  }

  @Test func domainsAndTemplatesAreListed() throws {
    let collector = try Collector(Self.configuration(Self.tcp), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send((Self.message(Self.template + Self.options + Self.data + Self.optionsData))[...])
    // Three records later than it should be.
    try exporter.send(Self.message(Self.data, sequence: 6)[...])
    let session = try session(collector, messages: 2)
    let domain = try #require((session["domains"] as? [[String: Any]])?.first)
    #expect(domain["version"] as? Int == 10 && domain["id"] as? Int == 7 && domain["templateCount"] as? Int == 2)
    let templates = domain["templates"] as? [[String: Any]] ?? []
    #expect(templates.map { $0["id"] as? Int } == [256, 257] && templates.map { $0["kind"] as? String } == ["flow", "options"])
    let counts = session["counts"] as? [String: Any]
    #expect(counts?["records"] as? Int == 4 && counts?["optionsRecords"] as? Int == 1 && counts?["lostRecords"] as? Int == 3)
    let text = try Program.run(["status", "--pid", "\(collector.process.pid)"]).output
    #expect(text.contains("IPFIX domain 7: 2 templates") && text.contains("template 256: 2 fields"), "\(text)")
    #expect(text.contains("3 records lost by sequence"), "\(text)")
    let ledger = try collector.stop()
    #expect(ledger["input", "in"]?.lost("sequence") == 3)
  }

  @Test func whoWasRefusedOrEndedBadlyIsRemembered() throws {
    let input = Self.tcp.replacingOccurrences(of: "</tcpCollector>", with: "<allow>192.0.2.0/24</allow></tcpCollector>")
    let strict = try Collector(Self.configuration(input), folder: folder)
    let stranger = try Exporter(port: try strict.port("tcp"))
    stranger.finish()
    try strict.process.waitForErrorLine("refused 127.0.0.1")
    let refused = try #require(try strict.status().inputs.first?["refused"] as? [[String: Any]])
    #expect(refused.first?["peer"] as? String == "127.0.0.1" && refused.first?["times"] as? Int == 1)
    #expect(refused.first?["reason"] as? String == "not in any <allow>")
    #expect(try strict.stop().closes)

    let open = try Collector(Self.configuration(Self.tcp), folder: folder)
    let wrong = try Exporter(port: try open.port("tcp"))
    try wrong.send([0, 77, 0, 20])
    wrong.finish()
    try open.process.waitForErrorLine(": closed: bad version 77")
    let ended = try #require(try open.status().recentlyEnded.first)
    #expect(ended["reason"] as? String == "bad version 77, expected 10 (IPFIX)")
    #expect(try open.stop().closes)
  }

  @Test func aSocketOfOnesOwnIsNobodyElses() throws {
    let more = "<controlSocket>@FOLDER@/control.sock</controlSocket>"
    let collector = try Collector(Self.configuration(Self.tcp, more: more), folder: folder)
    _ = try collector.process.waitForErrorLine("running: all inputs listen")
    let socket = folder.path + "/control.sock"
    let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let byConfiguration = try Program.run(["status", "-c", folder.path + "/etc/startup.xml"])
    #expect(byConfiguration.output.hasPrefix("collector \(collector.process.pid): running for "), "\(byConfiguration.error)")
    let second = try Program.run(["run", "-c", folder.path + "/etc/startup.xml"])
    #expect(second.code == 1)
    #expect(second.error.contains("error: controlSocket: \(socket): another collector answers there"), "\(second.error)")
    // What a killed one leaves gives way.
    collector.process.signal(SIGKILL)
    _ = try collector.process.waitForExit()
    #expect(try Program.run(["status", "--socket", socket]).error == "error: \(socket): no collector answers there\n")
    let third = try Collector(Self.configuration(Self.tcp, more: more), folder: folder)
    _ = try third.process.waitForErrorLine("running: all inputs listen")
    #expect(try Program.run(["status", "--socket", socket]).code == 0)
    third.process.signal(SIGTERM)
    #expect(try third.ended().closes)
    #expect(!FileManager.default.fileExists(atPath: socket))
  }

  @Test func anInputThatWaitsForItsOutputAnswersAllTheSame() throws {
    // Nobody reads from the pipe: the output waits, and so does the input.
    let pipe = folder.path + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { close(reader) }
    let configuration = Self.configuration(Self.tcp).replacingOccurrences(
      of: "<count/>", with: "<queue><bytes>64K</bytes></queue><json><output><type>file</type><path>\(pipe)</path></output></json>")
    let collector = try Collector(configuration, folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(Self.message(Self.template)[...])
    let records = [UInt8](repeating: 1, count: 8 * 1000)
    let message = [0, 10, 0x1f, 0x54] + Self.message([])[4...] + [1, 0, 0x1f, 0x44] + records
    let all = 200
    for _ in 0..<all { try exporter.send(message[...]) }
    var last = 0
    try OutputFixture.wait(for: "the input to wait") {
      let report = try collector.status()
      #expect(report.faults.isEmpty, "\(report.faults)")
      let taken = (report.sessions.first?["counts"] as? [String: Any])?["messages"] as? Int ?? 0
      defer { last = taken }
      return taken > 1 && taken <= all && taken == last
    }
    _ = fcntl(reader, F_SETFL, 0)
    let draining = Thread {
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while read(reader, &piece, piece.count) > 0 {}
    }
    draining.start()
    exporter.finish()
    try OutputFixture.wait(for: "the rest") { try collector.status().inputs.first?["endedSessionCount"] as? Int == 1 }
    #expect(try collector.stop()["input", "in"]?.received == all * 1000)
  }
}
