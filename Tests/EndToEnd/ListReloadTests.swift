import Foundation
import TestSupport
import Testing

/// Lists of a collector that runs.
@Suite struct ListReloadTests {
  private let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func configuration() throws -> String {
    try folder.write(
      "create address list Bad from '../lists/bad.txt';\n@Name('Hit') select ipfix.sourceAddress as source from IPFIX(ipfix.sourceAddress in Bad);",
      to: "queries/hit.epl")
    return """
      <ipfix>
        <collectingProcess><tcpCollector><localPort>0</localPort></tcpCollector><exportingProcess>detect</exportingProcess></collectingProcess>
        <exportingProcess><name>detect</name>
          <destination><name>hits</name><cep><module>../queries/hit.epl</module><clock>compat</clock><exportTo>out</exportTo></cep></destination>
        </exportingProcess>
        <exportingProcess><name>out</name>
          <destination><name>lines</name><json><output><type>print</type></output></json></destination>
        </exportingProcess>
      </ipfix>
      """
  }

  /// A message with the template of (sourceIPv4Address, flowEndMilliseconds) and a record for each last byte of 192.0.2.0/24.
  private func message(_ hosts: [UInt8]) -> [UInt8] {
    let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 153, 0, 8]
    let records = hosts.flatMap { [192, 0, 2, $0] + [0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0] as [UInt8] }
    let data: [UInt8] = [1, 0, 0, UInt8(4 + records.count)] + records
    return [0, 10, 0, UInt8(16 + template.count + data.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 1] + template + data
  }

  @Test func changedListIsTakenAndAFaultyOneIsNot() throws {
    try folder.write("# one\n192.0.2.1\n", to: "lists/bad.txt")
    let collector = try Collector(try configuration(), folder: folder)
    let exporter = try Exporter(port: try collector.port("tcp"))
    try collector.process.waitForErrorLine("list Bad: 1 entries from ")
    try exporter.send(message([1, 2, 3])[...])
    try collector.process.waitForOutputLine(#""source": "192.0.2.1""#)

    try folder.write("192.0.2.2\n192.0.2.", to: "lists/bad.txt")
    try collector.process.waitForErrorLine("bad.txt:2:1: error: \"192.0.2.\" is no address and no prefix")
    try collector.process.waitForErrorLine("error detect/hits: list Bad stays as it was, with 1 entries: ")
    try exporter.send(message([1, 2])[...])

    try folder.write("192.0.2.2\n192.0.2.3\n", to: "lists/new.txt")
    #expect(rename(folder.path + "/lists/new.txt", folder.path + "/lists/bad.txt") == 0)
    try collector.process.waitForErrorLine("list Bad: 2 entries, read anew from ")
    try exporter.send(message([1, 2, 3])[...])
    exporter.finish()
    try collector.process.waitForOutputLine(#""source": "192.0.2.3""#)
    #expect(try collector.stop().closes)
    let sources = collector.process.outputText.split(separator: "\n").map {
      $0.split(separator: "\"")[2] == ": " ? String($0.split(separator: "\"")[3]) : ""
    }
    #expect(sources == ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"])
  }

  @Test func checkTellsWhatIsWrongWithAList() throws {
    try folder.write("192.0.2.1\nhost.example\n\n10.0.0.0/40\n", to: "lists/bad.txt")
    let file = try folder.write(try configuration(), to: "etc/startup.xml")
    let result = try Program.run(["check", "-c", file])
    #expect(result.code == 2)
    #expect(result.error.contains("lists/bad.txt:2:1: error: \"host.example\" is no address and no prefix"), "\(result.error)")
    #expect(result.error.contains("lists/bad.txt:4:1: error: \"10.0.0.0/40\" is no address and no prefix"))
    try FileManager.default.removeItem(atPath: folder.path + "/lists/bad.txt")
    let missing = try Program.run(["check", "-c", file])
    #expect(missing.code == 2)
    #expect(missing.error.contains("queries/hit.epl:1:30: error: cannot read the list "), "\(missing.error)")
    #expect(missing.error.contains("No such file or directory"))
  }

  /// Of a million entries those in the list are found, and no others.
  @Test func aMillionEntries() throws {
    var text = ""
    for number in 0..<1_000_000 { text += "10.\(number >> 16).\(number >> 8 & 255).\(number & 255)\n" }
    try folder.write(text, to: "million.txt")
    try folder.write(
      "create list L from 'million.txt';\ncreate schema E(a address, s string);\n@Name('Hit') select s from E(a in L, s in L);", to: "m.epl"
    )
    let addresses = ["10.0.0.0", "10.15.66.63", "10.15.66.64", "10.9.9.9", "11.0.0.0", "::ffff:10.0.0.0"]
    let events = addresses.map { "{\"a\": \"\($0)\", \"s\": \"\($0)\"}\n" }.joined()
    let result = try Program.run(["query", "-m", folder.path + "/m.epl", "-i", try folder.write(events, to: "events.jsonl")])
    #expect(result.code == 0, "\(result.error)")
    let found = result.output.split(separator: "\n").compactMap { $0.split(separator: "\"").dropFirst(3).first.map(String.init) }
    #expect(found == ["10.0.0.0", "10.15.66.63", "10.9.9.9"], "\(result.output)")
  }
}
