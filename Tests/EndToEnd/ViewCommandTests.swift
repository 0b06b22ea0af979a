import Foundation
import TestSupport
import Testing

/// `flowcep view`: what it does not show it counts, with the reason.
@Suite struct ViewCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func view(_ name: String, _ bytes: [UInt8]) throws -> (code: Int32, output: String, error: String) {
    let path = folder.path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let shown = try Program.run(["view", "--json", path])
    return (shown.code, shown.output, shown.error.replacingOccurrences(of: folder.path + "/", with: ""))
  }

  private static func message(_ sets: [UInt8]) -> [UInt8] {
    [0, 10, 0, UInt8(16 + sets.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, 7] + sets
  }
  private static let template: [UInt8] = [0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 4]
  private static let data: [UInt8] = [1, 0, 0, 8, 192, 0, 2, 1]
  private static let orphan: [UInt8] = [1, 9, 0, 8, 192, 0, 2, 1]
  private static let reserved: [UInt8] = [0, 77, 0, 8, 0, 0, 0, 0]

  /// A packet capture (link type raw IP) of datagrams to one port.
  private static func capture(_ datagrams: [[UInt8]]) -> [UInt8] {
    let header: [UInt8] = [0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 101]
    return datagrams.reduce(into: header) { file, payload in
      let length = UInt8(28 + payload.count)
      file += [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, length, 0, 0, 0, length]
      file +=
        [0x45, 0, 0, length, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 8, 7, 8, 7, 0, UInt8(8 + payload.count), 0, 0] + payload
    }
  }

  @Test func whatIsNotShownIsSaid() throws {
    let stream = try view("a.ipfix", Self.message(Self.template + Self.data) + Self.message(Self.orphan + Self.reserved))
    #expect(stream.code == 0 && stream.output.split(separator: "\n").count == 1)
    #expect(stream.error == "a.ipfix: left out: unknown-template=1 reserved-set=1\n")
    let packets = try view("b.pcap", Self.capture([Self.message(Self.template + Self.data), Self.message(Self.orphan), [0, 10, 0, 99]]))
    #expect(packets.code == 0 && packets.output == stream.output)
    #expect(packets.error == "b.pcap: left out: short-message=1 unknown-template=1\n")
  }

  @Test func whatShowsEverythingSaysNothing() throws {
    let whole = try view("a.ipfix", Self.message(Self.data + Self.template + Self.data))
    #expect(whole.code == 0 && whole.error == "" && whole.output.split(separator: "\n").count == 2)
  }

  @Test func packetsWithoutExportsAreCounted() throws {
    let other = try view("a.pcap", Self.capture([[1, 2, 3], [UInt8](repeating: 7, count: 60)]))
    #expect(other.code == 0 && other.output == "" && other.error == "a.pcap: left out: other-udp=2\n")
  }
}
