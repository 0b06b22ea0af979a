import Foundation
import TestSupport
import Testing

/// Many exporters, split messages, one that stops in the middle: each session's records are equal and in order.
@Suite struct TCPInputTests {
  static let configuration = """
    <ipfix>
      <collectingProcess><name>c</name>
        <tcpCollector><name>in</name><localIPAddress>127.0.0.1</localIPAddress><localPort>0</localPort></tcpCollector>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name><fileWriter><fileFormat>json</fileFormat>
        <odid>yes</odid><output><type>file</type><path>@FOLDER@/</path><prefix>out.</prefix>
        <dumpInterval><timeWindow>86400</timeWindow></dumpInterval></output></fileWriter></destination></exportingProcess>
    </ipfix>
    """

  /// A capture of its own observation domain.
  static func capture(domain: Int, records: Int, in folder: TemporaryFolder) throws -> [UInt8] {
    let file = folder.path + "/\(domain).ipfix"
    let result = try Program.run([
      "generate", "-o", file, "--seed", "\(domain)", "--records", "\(records)", "--no-attack", "--domain", "\(domain)",
    ])
    guard result.code == 0 else { throw Failure(result.error) }
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
  }

  /// What the file input gives for the captures in a folder: the standard to compare with.
  static func linesOfFileInput(_ folder: TemporaryFolder) throws -> [String] {
    let own = try TemporaryFolder()
    let input = "<fileReader><name>in</name><file>file://\(folder.path)/*.ipfix</file></fileReader>"
    let start = configuration.range(of: "<tcpCollector>")?.lowerBound ?? configuration.startIndex
    let end = configuration.range(of: "</tcpCollector>")?.upperBound ?? configuration.startIndex
    let collector = try Collector(configuration.replacingCharacters(in: start..<end, with: input), folder: own)
    #expect(try collector.ended().closes)
    return try collector.lines(ofFiles: "out.")
  }

  static func byDomain(_ lines: [String]) -> [Substring: [String]] {
    Dictionary(grouping: lines) { line in
      line.range(of: "\"ipfix.odid\": ").map { line[$0.upperBound...].prefix { $0.isNumber } } ?? ""
    }
  }

  @Test func oneByteAtATime() throws {
    let (folder, captures) = (try TemporaryFolder(), try TemporaryFolder())
    let bytes = try Self.capture(domain: 7, records: 600, in: captures)
    let collector = try Collector(Self.configuration, folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    for byte in bytes { try exporter.send([byte]) }
    exporter.finish()
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(try collector.lines(ofFiles: "out.") == Self.linesOfFileInput(captures))
  }

  @Test func twoHundredExportersAndOneThatStopsInTheMiddle() throws {
    let (folder, captures) = (try TemporaryFolder(), try TemporaryFolder())
    let streams = try (1...200).map { try Self.capture(domain: $0, records: 600 + $0 % 7, in: captures) }
    let collector = try Collector(Self.configuration, folder: folder)
    let port = try collector.port("tcp")
    let stuck = try Exporter(port: port)
    try stuck.send(streams[0].prefix(30))
    let exporters = try streams.map { _ in try Exporter(port: port) }
    var sent = [Int](repeating: 0, count: streams.count)
    // Pieces of uneven length, in turn, so that messages are cut and joined anywhere.
    while zip(sent, streams).contains(where: { $0 < $1.count }) {
      for i in streams.indices where sent[i] < streams[i].count {
        let end = min(sent[i] + 97 + i * 13 % 1500, streams[i].count)
        try exporters[i].send(streams[i][sent[i]..<end])
        sent[i] = end
      }
    }
    exporters.forEach { $0.finish() }
    let ledger = try collector.stop()
    #expect(ledger.closes)
    let lines = try collector.lines(ofFiles: "out.")
    let expected = try Self.linesOfFileInput(captures)
    #expect(lines.sorted() == expected.sorted())
    let (got, wanted) = (Self.byDomain(lines), Self.byDomain(expected))
    #expect(got.count == 200)
    for domain in wanted.keys { #expect(got[domain] == wanted[domain], "domain \(domain)") }
    withExtendedLifetime(stuck) {}
  }

  @Test func badVersionClosesThatSessionOnly() throws {
    let (folder, captures) = (try TemporaryFolder(), try TemporaryFolder())
    let bytes = try Self.capture(domain: 3, records: 600, in: captures)
    let collector = try Collector(Self.configuration, folder: folder)
    let port = try collector.port("tcp")
    let (good, bad) = (try Exporter(port: port), try Exporter(port: port))
    try good.send(bytes.prefix(500))
    try bad.send([0, 99, 0, 16] + [UInt8](repeating: 0, count: 12))
    try collector.process.waitForErrorLine("closed: ")
    try good.send(bytes.dropFirst(500))
    good.finish()
    #expect(try collector.stop().closes)
    #expect(try collector.lines(ofFiles: "out.") == Self.linesOfFileInput(captures))
  }
}
