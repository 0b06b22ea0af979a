import Foundation
import TestSupport
import Testing

/// A flood of sources or connections takes nothing from an exporter that is at work, not even from the same address.
@Suite struct FloodTests {
  private static let template: [UInt8] = [0, 2, 0, 16, 1, 0, 0, 2, 0, 8, 0, 4, 0, 2, 0, 4]
  private static let data: [UInt8] = [1, 0, 0, 28] + (0..<3).flatMap { _ in [192, 0, 2, 1, 0, 0, 0, 5] as [UInt8] }

  @Test(arguments: ["maximumSessionsPerAddress", "maximumSessions"]) func portsThatSayLittleGiveWay(option: String) throws {
    let folder = try TemporaryFolder()
    let limit = "<\(option)>20</\(option)><keepTemplates>no</keepTemplates>"
    let collector = try Collector(UDPInputTests.configuration(limit), folder: folder)
    let port = try collector.port("udp")
    let healthy = DatagramExporter()
    try healthy.send(Self.template, sequence: 0, port: port)
    for message in 0..<10 { try healthy.send(Self.data, sequence: UInt8(message * 3), port: port) }
    for _ in 0..<200 { try DatagramExporter().send(Self.template, sequence: 0, port: port) }
    try healthy.send(Self.data, sequence: 30, port: port)
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 33)
    #expect(collector.process.errorText.components(separatedBy: ": connected").count > 201 / 2)
  }

  @Test func connectionsThatSayNothingGiveWay() throws {
    let folder = try TemporaryFolder()
    let configuration = TCPInputTests.configuration.replacingOccurrences(
      of: "</localPort>", with: "</localPort><maximumSessionsPerAddress>20</maximumSessionsPerAddress>")
    let collector = try Collector(configuration, folder: folder)
    let port = try collector.port("tcp")
    func message(_ sets: [UInt8], _ sequence: UInt8) -> [UInt8] {
      [0, 10, 0, UInt8(16 + sets.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, sequence, 0, 0, 0, 7] + sets
    }
    let early = try Exporter(port: port)
    try early.send(message(Self.template + Self.data, 0)[...])
    _ = try collector.process.waitForErrorLine("first record")
    let silent = try (0..<60).map { _ in try Exporter(port: port) }
    let late = try Exporter(port: port)
    try late.send(message(Self.template + Self.data, 0)[...])
    try early.send(message(Self.data, 3)[...])
    late.finish()
    early.finish()
    let ledger = try collector.stop()
    #expect(ledger.closes)
    #expect(ledger.received == 9)
    #expect(collector.process.errorText.contains("it had not sent a message yet, and there were too many"))
    withExtendedLifetime(silent) {}
  }
}
