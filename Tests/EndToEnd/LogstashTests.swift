import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Logstash output", .serialized) struct LogstashTests {
  private static func logstash(_ port: String, _ options: String = "") -> String {
    "<logstash><host>127.0.0.1</host><port>\(port)</port>\(options)</logstash>"
  }

  @Test("a receiver that is there gets every line once, in order")
  func there() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 20_000)
    let receiver = try LineReceiver(file: folder.path + "/received")
    let collector = try Collector(OutputFixture.configuration(Self.logstash(receiver.port), file: capture.path), folder: folder)
    let ledger = try collector.ended()
    #expect(ledger.closes)
    #expect(ledger["output", "out/test"]?.delivered == 20_000)
    #expect(ledger["output", "out/test"]?.numbers["unconfirmed"] == nil)
    #expect(OutputFixture.lines(ofFile: receiver.file) == (try OutputFixture.lines(capture.path)))
  }

  @Test("a receiver that is suspended loses nothing")
  func suspended() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 40_000)
    let receiver = try LineReceiver(file: folder.path + "/received")
    let collector = try Collector(OutputFixture.configuration(Self.logstash(receiver.port)), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[..<capture.middle])
    try receiver.waitForLines(1000)
    receiver.process.signal(SIGSTOP)
    try exporter.send(capture.bytes[capture.middle...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    receiver.process.signal(SIGCONT)
    try receiver.waitForLines(40_000)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["output", "out/test"]?.delivered == 40_000)
    #expect(OutputFixture.lines(ofFile: receiver.file) == (try OutputFixture.lines(capture.path)))
  }

  @Test("of a receiver that is killed and comes back, what is missing was unconfirmed")
  func killed() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 40_000)
    let first = try LineReceiver(file: folder.path + "/first")
    let collector = try Collector(OutputFixture.configuration(Self.logstash(first.port)), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[..<capture.middle])
    try first.waitForLines(1000)
    try first.end()
    try exporter.send(capture.bytes[capture.middle...])
    exporter.finish()
    try collector.process.waitForErrorLine(" lost (")
    let second = try LineReceiver(port: first.port, file: folder.path + "/second")
    let expected = try OutputFixture.lines(capture.path)
    try OutputFixture.wait(for: "the last line") { OutputFixture.lines(ofFile: second.file).last == expected.last }
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger["output", "out/test"]?.delivered == 40_000)
    let (before, after) = (OutputFixture.lines(ofFile: first.file), OutputFixture.lines(ofFile: second.file))
    // Both are runs of the lines in order; what lies between them was acknowledged and never read.
    #expect(before == Array(expected.prefix(before.count)))
    #expect(after == Array(expected.suffix(after.count)))
    let missing = max(0, 40_000 - before.count - after.count)
    #expect(missing <= ledger["output", "out/test"]?.numbers["unconfirmed"] ?? 0)
  }

  @Test("nobody there: a warning, what fits is kept, the rest is counted")
  func absent() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 20_000)
    // A port that nobody listens on, for its owner has just gone.
    let gone = try LineReceiver(file: folder.path + "/gone")
    try gone.end()
    let output = Self.logstash(gone.port, "<buffer>1 MiB</buffer>")
    let collector = try Collector(OutputFixture.configuration(output), folder: folder)
    try collector.process.waitForErrorLine("warning out/test: cannot connect to 127.0.0.1:\(gone.port): connection refused")
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    let late = try LineReceiver(port: gone.port, file: folder.path + "/late")
    try collector.process.waitForErrorLine("connected to 127.0.0.1:\(gone.port)", seconds: 60)
    let ledger = try collector.stop()
    let account = ledger["output", "out/test"]
    #expect(ledger.closes)
    #expect(account?.dropped("peer-away") ?? 0 > 0)
    let expected = try OutputFixture.lines(capture.path)
    #expect(OutputFixture.lines(ofFile: late.file) == Array(expected.suffix(account?.delivered ?? 0)))
  }

  @Test("a stop does not wait for a receiver that is away", arguments: ["drop-oldest", "block"])
  func stopsWithoutIt(policy: String) throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let gone = try LineReceiver(file: folder.path + "/gone")
    try gone.end()
    let output = Self.logstash(gone.port, "<policy>\(policy)</policy><buffer>64 KiB</buffer>")
    let configuration = OutputFixture.configuration(output).replacingOccurrences(
      of: "</ipfix>", with: "<stopTimeout>1 h</stopTimeout></ipfix>")
    let collector = try Collector(configuration, folder: folder)
    try collector.process.waitForErrorLine("cannot connect to ")
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    let ledger = try collector.stop()
    #expect(ledger.closes && ledger.received == 4000)
    #expect(ledger["output", "out/test"]?.dropped("peer-away") == 4000)
    #expect(collector.process.errorText.contains("the collector stops and 127.0.0.1:\(gone.port) is away (connection refused)"))
  }

  @Test("rsyslog with mmjsonparse reads every line as JSON")
  func rsyslog() throws {
    let program = ["/usr/sbin/rsyslogd", "/sbin/rsyslogd"].first { FileManager.default.isExecutableFile(atPath: $0) }
    let rsyslogd = try #require(program, "rsyslog is missing: apt-get install rsyslog")
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let configuration = try folder.write(
      """
      global(workDirectory="\(folder.path)" maxMessageSize="64k")
      module(load="imtcp")
      module(load="mmjsonparse")
      template(name="line" type="string" string="%$!all-json%\\n")
      ruleset(name="lines") {
        action(type="mmjsonparse" cookie="" useRawMsg="on")
        if $parsesuccess == "OK" then action(type="omfile" file="\(folder.path)/parsed" template="line")
        else action(type="omfile" file="\(folder.path)/faulty")
      }
      input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="\(folder.path)/port" ruleset="lines")
      """, to: "rsyslog.conf")
    let receiver = try RunningProcess(rsyslogd, ["-n", "-f", configuration, "-i", folder.path + "/pid"])
    try OutputFixture.wait(for: "rsyslog's port") { Int(folder.text(of: "port").trimmingCharacters(in: .whitespacesAndNewlines)) != nil }
    let port = folder.text(of: "port").trimmingCharacters(in: .whitespacesAndNewlines)
    let output = Self.logstash(port, "<timestamp>iso8601</timestamp><nonPrintableChar>no</nonPrintableChar>")
    let collector = try Collector(OutputFixture.configuration(output, file: capture.path), folder: folder)
    let ledger = try collector.ended()
    #expect(ledger.closes)
    #expect(ledger["output", "out/test"]?.delivered == 4000)
    try OutputFixture.wait(for: "4000 lines") { OutputFixture.lineCount(ofFile: folder.path + "/parsed") >= 4000 }
    #expect(folder.text(of: "faulty") == "")
    let first =
      try JSONSerialization.jsonObject(with: Data((OutputFixture.lines(ofFile: folder.path + "/parsed").first ?? "").utf8))
      as? [String: Any]
    #expect(first?["@type"] as? String == "ipfix.entry")
    receiver.signal(SIGKILL)
  }
}
