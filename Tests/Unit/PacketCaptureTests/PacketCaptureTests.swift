import PacketCapture
import Testing

@Suite struct PacketCaptureTests {
  static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  static func little32(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> ($0 * 8) & 255) } }

  static func udp(_ payload: [UInt8]) -> [UInt8] { big16(2055) + big16(4739) + big16(8 + payload.count) + [0, 0] + payload }

  static func ipv4(_ payload: [UInt8], flags: Int = 0, transport: UInt8 = 17) -> [UInt8] {
    let segment = udp(payload)
    return [0x45, 0] + big16(20 + segment.count) + [0, 0] + big16(flags) + [64, transport, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2] + segment
  }

  static func ipv6(_ payload: [UInt8]) -> [UInt8] {
    let segment = udp(payload)
    let source = [0x20, 1, 0x0d, 0xb8] + Array(repeating: UInt8(0), count: 11) + [1]
    return [0x60, 0, 0, 0] + big16(segment.count + 8) + [60, 64] + source + source + [17, 0, 1, 4, 0, 0, 0, 0] + segment
  }

  static func ethernet(_ packet: [UInt8], _ tags: [UInt8] = []) -> [UInt8] {
    Array(repeating: 0, count: 12) + tags + (packet[0] >> 4 == 4 ? [8, 0] : [0x86, 0xdd]) + packet
  }

  static func pcap(_ link: UInt32, _ packets: [[UInt8]]) -> [UInt8] {
    var file = little32(0xa1b2_c3d4) + [2, 0, 4, 0] + Array(repeating: 0, count: 12) + little32(link)
    for packet in packets {
      file += little32(1_700_000_000) + little32(250_000) + little32(UInt32(packet.count)) + little32(UInt32(packet.count)) + packet
    }
    return file
  }

  static func read(_ file: [UInt8]) throws -> (payloads: [[UInt8]], capture: PacketCapture) {
    let capture = try #require(file.withUnsafeBytes { PacketCapture($0) })
    return (capture.datagrams.map { datagram in file.withUnsafeBytes { capture.bytes(of: datagram, in: $0) } }, capture)
  }

  @Test func datagramsOfEthernet() throws {
    let file = Self.pcap(
      1,
      [
        Self.ethernet(Self.ipv4([1, 2, 3])), Self.ethernet(Self.ipv6([4, 5])), Self.ethernet(Self.ipv4([6]), [0x81, 0, 0, 5]),
        Self.ethernet(Self.ipv4([7], transport: 6)), Self.ethernet(Self.ipv4([8], flags: 0x2000)), [1, 2, 3],
      ])
    let (payloads, capture) = try Self.read(file)
    #expect(payloads == [[1, 2, 3], [4, 5], [6]])
    #expect(capture.omitted(.link) == 1 && capture.omitted(.fragment) == 1 && capture.omitted(.malformed) == 0)
    #expect(!capture.isBroken)
    let first = try #require(capture.datagrams.first)
    #expect(first.source == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1])
    #expect(first.sourcePort == 2055)
    #expect(first.destinationPort == 4739)
    #expect(first.time == 1_700_000_000_250_000_000)
  }

  @Test(
    arguments: [
      (0, [2, 0, 0, 0]), (101, []), (113, Array(repeating: 0, count: 14) + [8, 0]), (276, [8, 0] + Array(repeating: 0, count: 18)),
    ]
      as [(UInt32, [UInt8])])
  func otherLinks(link: UInt32, header: [UInt8]) throws {
    #expect(try Self.read(Self.pcap(link, [header + Self.ipv4([9, 9])])).payloads == [[9, 9]])
  }

  @Test func pcapng() throws {
    func block(_ kind: UInt32, _ body: [UInt8]) -> [UInt8] {
      let padded = body + Array(repeating: 0, count: (4 - body.count % 4) % 4)
      let length = Self.little32(UInt32(padded.count + 12))
      return Self.little32(kind) + length + padded + length
    }
    let packet = Self.ethernet(Self.ipv4([42]))
    let size = Self.little32(UInt32(packet.count))
    // Nanoseconds (if_tsresol 9), and the time 1.5 s.
    let time = Self.little32(0) + Self.little32(1_500_000_000)
    let file =
      block(0x0a0d_0d0a, Self.little32(0x1a2b_3c4d) + [1, 0, 0, 0] + Array(repeating: 255, count: 8))
      + block(1, [1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0]) + block(99, [1, 2, 3])
      + block(6, Self.little32(0) + time + size + size + packet)
    let (payloads, capture) = try Self.read(file)
    #expect(payloads == [[42]])
    #expect(capture.datagrams.first?.time == 1_500_000_000)
  }

  @Test func truncatedAtEveryByte() throws {
    let file = Self.pcap(1, [Self.ethernet(Self.ipv4([1, 2, 3])), Self.ethernet(Self.ipv6([4, 5]))])
    for count in 0..<file.count {
      let part = Array(file[..<count])
      let capture = part.withUnsafeBytes { PacketCapture($0) }
      #expect((capture == nil) == (count < 24))
      #expect((capture?.datagrams.count ?? 0) < 2)
    }
  }

  @Test func otherFilesAreNone() {
    let message: [UInt8] = [0, 10, 0, 16] + Array(repeating: 0, count: 40)
    #expect(message.withUnsafeBytes { PacketCapture($0) } == nil)
  }
}
