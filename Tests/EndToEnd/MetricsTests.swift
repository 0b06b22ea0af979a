import Foundation
import Glibc
import TestSupport
import Testing

/// The pages for monitoring: metrics as Prometheus takes them, health, readiness; and clients that mean no good.
@Suite struct MetricsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let configuration = """
    <ipfix>
      <collectingProcess><name>c</name>
        <tcpCollector><name>in</name><localPort>0</localPort></tcpCollector>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>"quoted" \\ d</name><count/></destination></exportingProcess>
      <metrics><localPort>0</localPort></metrics>
    </ipfix>
    """

  /// A collector that has got a capture of 4,000 records, and the port of its pages.
  private func started() throws -> (collector: Collector, exporter: Exporter, port: String) {
    let capture = try OutputFixture.capture(folder, records: 4000)
    let collector = try Collector(Self.configuration, folder: folder)
    let line = try collector.process.waitForErrorLine("listening on http 127.0.0.1:")
    let port = String(line.split(separator: ":").last?.prefix { $0.isNumber } ?? "")
    let exporter = try Exporter(port: try collector.port("tcp"))
    try exporter.send(capture.bytes[...])
    return (collector, exporter, port)
  }

  @Test func pagesAreServedAndLinted() throws {
    let (collector, exporter, port) = try started()
    #expect(try Page(port, "/health").status == 200)
    #expect(try Page(port, "/ready").status == 200)
    #expect(try Page(port, "/nosuch").status == 404)
    #expect(try Page(port, "/metrics", method: "POST").status == 405)
    try OutputFixture.wait(for: "all records") {
      try Page(port, "/metrics").text.contains("flowcep_input_records_total{input=\"in\"} 4000\n")
    }
    try OutputFixture.wait(for: "all records at the output") {
      try Page(port, "/metrics").text.contains("flowcep_output_delivered_records_total{output=\"out/\\\"quoted\\\" \\\\ d\"} 4000\n")
    }
    let page = try Page(port, "/metrics")
    #expect(page.head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"))
    #expect(page.text.contains("flowcep_ledger_closes 1\n") && page.text.contains("flowcep_ready 1\n"))
    #expect(page.text.contains("flowcep_input_open_sessions{input=\"in\"} 1\n"))
    let session = try #require(
      page.text.split(separator: "\n").first { $0.hasPrefix("flowcep_session_records_total{input=\"in\",session=\"127.0.0.1:") })
    #expect(session.hasSuffix(" 4000"))
    let promtool = try Program.run(["promtool", "check", "metrics"], executable: "/usr/bin/env", input: Array(page.text.utf8))
    #expect(promtool.code == 0, "promtool is of Debian's package prometheus (make deps): \(promtool.error)\(promtool.output)")
    withExtendedLifetime(exporter) {}
    #expect(try collector.stop().closes)
  }

  @Test func prometheusScrapes() throws {
    let (collector, exporter, port) = try started()
    let configuration = try folder.write(
      """
      global: { scrape_interval: 200ms, scrape_timeout: 200ms }
      scrape_configs: [ { job_name: flowcep, static_configs: [ { targets: ["127.0.0.1:\(port)"] } ] } ]
      """, to: "prometheus.yml")
    let prometheus = try RunningProcess(
      "prometheus", ["--config.file=\(configuration)", "--storage.tsdb.path=\(folder.path)/tsdb", "--web.listen-address=127.0.0.1:0"])
    let line = try prometheus.waitForErrorLine("msg=\"Listening on\" address=127.0.0.1:")
    let address = try #require(line.range(of: "address=")).upperBound
    try prometheus.waitForErrorLine("Server is ready to receive web requests")
    let query = ["promtool", "query", "instant", "http://\(line[address...])"]
    func value(_ expression: String) throws -> String { try Program.run(query + [expression], executable: "/usr/bin/env").output }
    try OutputFixture.wait(for: "a scrape") { try value("sum(flowcep_input_records_total{job=\"flowcep\"})").contains("=> 4000 @") }
    #expect(try value("up").contains("=> 1 @"))
    prometheus.signal(SIGTERM)
    _ = try prometheus.waitForExit()
    withExtendedLifetime(exporter) {}
    #expect(try collector.stop().closes)
  }

  /// Slow ones, long ones, many of them: the collector goes on, and so do its pages.
  @Test func badClientsDoNoHarm() throws {
    let (collector, exporter, port) = try started()
    let slow = try (0..<50).map { _ in
      let client = try Exporter(port: port)
      try client.send(Array("GET /met".utf8)[...])
      return client
    }
    #expect(try Page(port, "/health").status == 200)
    let huge = try Exporter(port: port)
    // More than a connection may hold; the server may have gone before all of it is sent.
    try? huge.send(Array(("GET /metrics HTTP/1.1\r\nX: " + String(repeating: "x", count: 1 << 20)).utf8)[...])
    let nonsense = try Exporter(port: port)
    try? nonsense.send((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }[...])
    let crowd = (0..<400).compactMap { _ in try? Exporter(port: port) }
    crowd.forEach { try? $0.send(Array("GET /metrics HTTP/1.0\r\n\r\n".utf8)[...]) }
    #expect(try collector.status().faults.isEmpty)
    withExtendedLifetime((slow, huge, nonsense)) {}
    _ = consume crowd
    try OutputFixture.wait(for: "an answer") { (try? Page(port, "/ready"))?.status == 200 }
    withExtendedLifetime(exporter) {}
    #expect(try collector.stop().closes)
  }

  @Test func aPortInUseNamesTheOption() throws {
    let (collector, exporter, port) = try started()
    let second = try folder.write(
      Self.configuration.replacingOccurrences(of: "<metrics><localPort>0", with: "<metrics><localPort>\(port)"), to: "second.xml")
    let result = try Program.run(["run", "-c", second])
    #expect(result.code == 1)
    #expect(
      result.error.contains("cannot serve metrics on 127.0.0.1:\(port): Address already in use; change localPort of \"metrics\""),
      "\(result.error)")
    withExtendedLifetime(exporter) {}
    #expect(try collector.stop().closes)
  }
}

/// A page, asked for with one request.
private struct Page {
  let status: Int
  let head: String
  let text: String

  init(_ port: String, _ path: String, method: String = "GET") throws {
    let client = try Exporter(port: port)
    try client.send(Array("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8)[...])
    let answer = String(decoding: client.receiveAll(), as: UTF8.self)
    let parts = answer.components(separatedBy: "\r\n\r\n")
    head = parts[0]
    text = parts.dropFirst().joined(separator: "\r\n\r\n")
    status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
  }
}
