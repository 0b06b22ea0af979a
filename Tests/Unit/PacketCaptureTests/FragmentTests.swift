import PacketCapture
import Testing

@Suite struct FragmentTests {
  private typealias P = Packets

  private let payload = (0..<3000).map { UInt8(truncatingIfNeeded: $0) }

  private func packets(_ size: Int = 1000, number: Int = 7) -> [[UInt8]] {
    P.pieces(P.udp(payload), of: size).map { P.ipv4($0.bytes, number: number, fragment: $0.offset / 8 | ($0.more ? 0x2000 : 0)) }
  }

  private func read(_ packets: [[UInt8]]) throws -> (payloads: [[UInt8]], capture: PacketCapture) {
    try PacketCaptureTests.read(PacketCaptureTests.pcap(101, packets))
  }

  @Test func inAnyOrder() throws {
    let pieces = packets()
    #expect(pieces.count == 4)
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [0, 1, 1, 0, 2, 3]] {
      let (found, capture) = try read(order.map { pieces[$0] })
      #expect(found == [payload], "\(order)")
      #expect(capture.omitted(.fragment) == 0 && capture.datagrams[0].sourcePort == 2055)
    }
  }

  @Test func ofIPv6() throws {
    let pieces = P.pieces(P.udp(payload), of: 1000).map {
      P.ipv6([17, 0] + P.big16($0.offset | ($0.more ? 1 : 0)) + [0, 0, 0, 9] + $0.bytes, next: 44)
    }
    #expect(try read(pieces).payloads == [payload])
    // Behind options that are fragmented themselves.
    let optioned = P.pieces([17, 0, 1, 4, 0, 0, 0, 0] + P.udp(payload), of: 1000).map {
      P.ipv6([60, 0] + P.big16($0.offset | ($0.more ? 1 : 0)) + [0, 0, 0, 9] + $0.bytes, next: 44)
    }
    #expect(try read(optioned).payloads == [payload])
  }

  @Test func ofTwoDatagramsMixed() throws {
    let (first, second) = (packets(number: 1), packets(number: 2))
    #expect(try read(zip(first, second).flatMap { [$0, $1] }).payloads == [payload, payload])
  }

  @Test func thatNeverBecomeWhole() throws {
    for missing in 0..<4 {
      var pieces = packets()
      pieces.remove(at: missing)
      let (found, capture) = try read(pieces + [P.ipv4(P.udp([1]))])
      #expect(found == [[1]] && capture.omitted(.fragment) == 3)
    }
  }

  @Test func thatOverlap() throws {
    let body = P.udp(payload)
    let overlapping = [(0, 1600, true), (800, 2400, true), (2400, body.count, false)].map { start, end, more in
      P.ipv4(Array(body[start..<end]), fragment: start / 8 | (more ? 0x2000 : 0))
    }
    #expect(try read(overlapping).payloads == [payload])
  }

  /// The ping of death: a last piece that ends behind 65535.
  @Test func thatEndTooFar() throws {
    let far = P.ipv4(Array(repeating: 1, count: 1000), fragment: 0x1fff)
    #expect(try read([far] + packets()).payloads == [payload])
  }

  @Test func aFloodLosesTheOldestOnly() throws {
    let flood = (0..<5000).map { P.ipv4([1, 2, 3, 4, 5, 6, 7, 8], number: 100 + $0, fragment: 0x2000) }
    let (found, capture) = try read(flood + packets(number: 1))
    #expect(found == [payload] && capture.omitted(.fragment) == 5000)
    // As do pieces of eight bytes of one datagram.
    let small = packets(8, number: 3)
    #expect(try read(small + packets(number: 1)).payloads.last == payload)
  }
}
