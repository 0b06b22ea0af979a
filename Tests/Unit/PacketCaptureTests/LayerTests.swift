import PacketCapture
import Testing

/// What lies between the link and an exporter's datagram.
@Suite struct LayerTests {
  private typealias P = Packets

  private func payloads(_ link: UInt32, _ packets: [[UInt8]]) throws -> [[UInt8]] {
    try PacketCaptureTests.read(PacketCaptureTests.pcap(link, packets)).payloads
  }

  private static let inner = Packets.ipv4(Packets.udp([7, 7]))
  private static let zeros = [UInt8](repeating: 0, count: 40)

  /// Headers between the addresses of Ethernet and IP.
  @Test(
    arguments: [
      [0x81, 0, 0, 5, 8, 0],  // VLAN
      [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0], [0x91, 0, 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0],  // QinQ
      [0x88, 0x47, 0, 1, 0x01, 64],  // MPLS, one label
      [0x88, 0x47, 0, 1, 0x00, 64, 0, 2, 0x01, 64],  // two labels
      [0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0, 0x21],  // PPPoE
      [0x81, 0, 0, 5, 0x88, 0x64, 0x11, 0, 0, 1, 0, 40, 0, 0x21],
      [0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0],  // LLC and SNAP
    ] as [[UInt8]]) func headersOfEthernet(header: [UInt8]) throws
  {
    #expect(try payloads(1, [P.ethernet(Self.inner, header)]) == [[7, 7]])
  }

  @Test func ethernetOverMPLS() throws {
    for word in [[], [0, 0, 0, 0]] as [[UInt8]] {
      // A multicast address's first byte is neither a control word's nor a version's.
      let frame = [UInt8(0x10)] + P.ethernet(Self.inner).dropFirst()
      let frames = word.isEmpty ? frame : word + P.ethernet(Self.inner)
      #expect(try payloads(1, [P.ethernet(frames, [0x88, 0x47, 0, 1, 0x01, 64])]) == [[7, 7]])
    }
  }

  @Test(
    arguments: [
      (0, [2, 0, 0, 0]), (108, [0, 0, 0, 2]), (12, []), (14, []), (101, []), (228, []), (9, [0xff, 3, 0, 0x21]), (9, [0x21]),
      (50, [0xff, 3, 0, 0x21]), (50, [0x0f, 0, 8, 0]), (51, [0x11, 0, 0, 1, 0, 40, 0, 0x21]), (204, [1, 0xff, 3, 0, 0x21]),
      (104, [0x0f, 0, 8, 0]), (100, [0xaa, 0xaa, 3, 0, 0, 0, 8, 0]),
      (113, Array(repeating: 0, count: 14) + [8, 0]), (113, Array(repeating: 0, count: 14) + [0x81, 0, 0, 9, 8, 0]),
      (276, [8, 0] + Array(repeating: 0, count: 18)), (276, [0x81, 0] + Array(repeating: 0, count: 18) + [0, 9, 8, 0]),
      (239, [2, 0, 0, 0, 8, 0, 1, 0, 0, 8, 0, 0, 34, 0, 9, 0]),
    ] as [(UInt32, [UInt8])]) func links(link: UInt32, header: [UInt8]) throws
  {
    #expect(try payloads(link, [header + Self.inner]) == [[7, 7]], "link type \(link)")
  }

  @Test func linksWithoutIP() throws {
    let (found, capture) = try PacketCaptureTests.read(
      PacketCaptureTests.pcap(1, [P.ethernet(Self.zeros, [8, 6]), P.ethernet(Self.zeros, [0x88, 0xcc]), [], [1]]))
    #expect(found.isEmpty && capture.omitted(.link) == 4)
    #expect(try payloads(9999, [Self.inner]).isEmpty)
  }

  @Test func tunnels() throws {
    func gre(_ header: [UInt8], _ packet: [UInt8]) -> [UInt8] { P.ipv4(header + packet, transport: 47) }
    let frame = P.ethernet(Self.inner)
    let packets: [[UInt8]] = [
      gre([0, 0, 8, 0], Self.inner), gre([0xb0, 0, 8, 0] + Self.zeros.prefix(12), Self.inner), gre([0, 0, 0x65, 0x58], frame),
      gre([0x10, 0, 0x88, 0xbe, 0, 0, 0, 1] + Self.zeros.prefix(8), frame), gre([0, 0, 0x88, 0xbe], frame),
      gre([0x10, 0, 0x22, 0xeb, 0, 0, 0, 1] + Self.zeros.prefix(12), frame),
      P.ipv4(Self.inner, transport: 4), P.ipv4(P.ipv6(P.udp([7, 7])), transport: 41), P.ipv6(Self.inner, next: 4),
      P.ipv4(P.udp([8, 0, 0, 0, 0, 0, 5, 0] + frame, to: 4789)), P.ipv4(P.udp([0, 0, 0x65, 0x58, 0, 0, 5, 0] + frame, to: 6081)),
      P.ipv4([17, 4] + Self.zeros.prefix(22) + P.udp([7, 7]), transport: 51),
    ]
    for (index, packet) in packets.enumerated() { #expect(try payloads(1, [P.ethernet(packet)]) == [[7, 7]], "packet \(index)") }
  }

  @Test func tunnelsWithoutEnd() throws {
    var packet = Self.inner
    for _ in 0..<40 { packet = P.ipv4(packet, transport: 4) }
    let (found, capture) = try PacketCaptureTests.read(PacketCaptureTests.pcap(101, [packet, Self.inner]))
    #expect(found == [[7, 7]] && capture.omitted(.malformed) == 1)
  }

  @Test func extensionHeadersOfIPv6() throws {
    let segment = P.udp([7, 7])
    let options: [UInt8] = [0, 1, 4, 0, 0, 0, 0]
    #expect(try payloads(101, [P.ipv6([43] + [0] + options.dropFirst() + [17] + options + segment, next: 0)]) == [[7, 7]])
    // A fragment header of a packet that is whole, a mobility header, and one that lies about its length.
    #expect(try payloads(101, [P.ipv6([17, 0, 0, 0, 0, 0, 0, 9] + segment, next: 44)]) == [[7, 7]])
    #expect(try payloads(101, [P.ipv6([17] + options + segment, next: 135)]) == [[7, 7]])
    #expect(try payloads(101, [P.ipv6([17, 255, 0, 0, 0, 0, 0, 0] + segment, next: 60)]).isEmpty)
  }

  @Test func SCTPChunks() throws {
    func chunk(_ flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
      let padded = payload + [UInt8](repeating: 0, count: (4 - payload.count % 4) % 4)
      return [0, flags] + P.big16(16 + payload.count) + Array(Self.zeros.prefix(12)) + padded
    }
    let packet = P.ipv4(
      P.big16(5000) + P.big16(4739) + Self.zeros.prefix(8) + [3, 0, 0, 16] + Self.zeros.prefix(12) + chunk(3, [1, 2, 3]) + chunk(2, [9])
        + chunk(7, [4]),
      transport: 132)
    let (found, capture) = try PacketCaptureTests.read(PacketCaptureTests.pcap(101, [packet]))
    #expect(found == [[1, 2, 3], [4]])
    #expect(capture.datagrams.allSatisfy { $0.transport == .sctp && $0.destinationPort == 4739 })
    #expect(capture.omitted(.fragment) == 1)
  }

  @Test func packetsCutByTheirSnapLength() throws {
    let whole = P.ethernet(Self.inner)
    let (found, capture) = try PacketCaptureTests.read(
      PacketCaptureTests.pcap(1, [Array(whole.dropLast()), Array(whole.prefix(30)), whole + [0, 0, 0]]))
    #expect(found == [[7, 7]] && capture.omitted(.cut) == 2)
  }

  @Test func headersThatLie() throws {
    var short = Self.inner
    short[0] = 0x44
    var small = Self.inner
    small[3] = 10
    let stated = P.ipv4([8, 7, 0x12, 0x83, 0, 200, 0, 0, 1]), tiny = P.ipv4([8, 7, 0x12, 0x83, 0, 7, 0, 0, 1])
    let tcp = P.ipv4(Array(P.tcp([1], sequence: 1).prefix(12)) + [0x10] + Self.zeros.prefix(8), transport: 6)
    let (found, capture) = try PacketCaptureTests.read(PacketCaptureTests.pcap(101, [short, small, stated, tiny, tcp, Self.inner]))
    #expect(found == [[7, 7]] && capture.omitted(.malformed) == 5)
    // A length of 0: the sender's network card divides what is longer than a packet.
    var offloaded = Self.inner
    (offloaded[2], offloaded[3]) = (0, 0)
    #expect(try payloads(101, [offloaded]) == [[7, 7]])
  }

  @Test func anyByteSetToAnything() throws {
    let packets = [
      P.ethernet(Self.inner, [0x88, 0x47, 0, 1, 0x01, 64]), P.ethernet(P.ipv4(P.tcp(P.message(40, mark: 1), sequence: 1), transport: 6)),
      P.ethernet(P.ipv6([17, 0, 0, 1, 0, 0, 0, 9] + P.udp([1, 2, 3, 4, 5, 6, 7, 8]), next: 44)),
      P.ethernet(P.ipv4([0x10, 0, 0x22, 0xeb] + Self.zeros.prefix(16) + P.ethernet(Self.inner), transport: 47)),
    ]
    for packet in packets {
      for place in packet.indices {
        for value in [0, 1, 0x0f, 0x7f, 0x80, 0xff] as [UInt8] {
          var changed = packet
          changed[place] = value
          // The healthy packet behind it is found all the same.
          #expect(try payloads(1, [changed, P.ethernet(Self.inner)]).last == [7, 7])
        }
      }
    }
  }
}
