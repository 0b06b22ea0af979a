import PacketCapture
import Testing

/// IPFIX over TCP in a packet capture.
@Suite struct StreamTests {
  private typealias P = Packets

  private let messages = (1...4).map { Packets.message(100 + $0, mark: UInt8($0)) }
  private var stream: [UInt8] { messages.flatMap { $0 } }

  /// Segments of a stream whose first byte has that number.
  private func segments(_ stream: [UInt8], from first: UInt32, of size: Int) -> [[UInt8]] {
    P.pieces(stream, of: size).map { P.tcp($0.bytes, sequence: first &+ UInt32($0.offset)) }
  }

  private func read(_ segments: [[UInt8]]) throws -> (payloads: [[UInt8]], capture: PacketCapture) {
    try PacketCaptureTests.read(PacketCaptureTests.pcap(101, segments.map { P.ipv4($0, transport: 6) }))
  }

  private func start(_ sequence: UInt32) -> [UInt8] { P.tcp([], sequence: sequence, flags: 2) }

  @Test(arguments: [1, 7, 100, 150, 1000]) func messagesAcrossSegments(size: Int) throws {
    // Numbers begin anew in the middle.
    for first in [1000, 0xffff_ff80] as [UInt32] {
      let (found, capture) = try read([start(first &- 1)] + segments(stream, from: first, of: size))
      #expect(found == messages)
      #expect(capture.datagrams.allSatisfy { $0.transport == .tcp && $0.connection == 0 && $0.sourcePort == 40000 })
      #expect(PacketCapture.Omission.allCases.allSatisfy { capture.omitted($0) == 0 })
    }
  }

  @Test func segmentsInAnyOrderAndAgain() throws {
    let all = segments(stream, from: 5, of: 90)
    #expect(all.count == 5)
    #expect(try read([start(4), all[0], all[2], all[4], all[3], all[1]]).payloads == messages)
    #expect(try read([start(4), start(4), all[0], all[0], all[1], all[0], all[1], all[2], all[3], all[4], all[4]]).payloads == messages)
    // Sent again in other pieces.
    #expect(try read([start(4), all[0], P.tcp(Array(stream[50..<300]), sequence: 55), all[3], all[4]]).payloads == messages)
    // A connection's end, and a byte that only keeps it alive.
    let last = P.tcp([0], sequence: 5 + UInt32(stream.count) - 1)
    #expect(try read([start(4)] + all + [last, P.tcp([], sequence: 415, flags: 0x11)]).payloads == messages)
  }

  @Test func aCaptureThatBeginsInTheMiddle() throws {
    for cut in [0, 1, 50, 101, 140] {
      let rest = Array(stream[cut...])
      let whole = cut == 0 ? messages : cut <= 101 ? Array(messages[1...]) : Array(messages[2...])
      for size in [60, 1000] {
        let (found, capture) = try read(segments(rest, from: 77, of: size))
        #expect(found == whole, "from byte \(cut) in pieces of \(size)")
        #expect(capture.omitted(.partialMessage) == 0 && capture.omitted(.otherStream) == 0)
      }
    }
  }

  @Test func aGapCostsTheMessagesThatItTouches() throws {
    var all = segments(stream, from: 5, of: 50)
    all.remove(at: 3)  // bytes 150 to 199, all of the second message
    let (found, capture) = try read([start(4)] + all)
    #expect(found == [messages[0], messages[2], messages[3]])
    #expect(capture.omitted(.gap) == 1 && capture.omitted(.partialMessage) == 1)
  }

  @Test func aNewConnectionBetweenTheSameEnds() throws {
    let again = [start(4)] + segments(stream, from: 5, of: 120) + [start(900_000)] + segments(stream, from: 900_001, of: 70)
    let (found, capture) = try read(again)
    #expect(found == messages + messages)
    #expect(capture.datagrams.map(\.connection) == [0, 0, 0, 0, 1, 1, 1, 1])
    // One whose beginning was not captured.
    let unseen = [start(4)] + segments(stream, from: 5, of: 120) + segments(stream, from: 1 << 30, of: 70)
    #expect(try read(unseen).payloads == messages + messages)
  }

  @Test func otherProtocolsAreLeftAlone() throws {
    let web = Array("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".utf8)
    let (found, capture) = try read(
      [
        P.tcp([], sequence: 0, flags: 2, from: 1), P.tcp(web, sequence: 1, from: 1), P.tcp(web, sequence: 1 + UInt32(web.count), from: 1),
        P.tcp([0x16, 3, 1, 0, 10, 0, 10], sequence: 9, from: 2), start(4),
      ] + segments(stream, from: 5, of: 100))
    #expect(found == messages && capture.omitted(.otherStream) == 3)
  }

  /// A message whose length lies: the next one is looked for.
  @Test func aStreamThatLosesItsFraming() throws {
    var broken = messages
    broken[1][1] = 99
    let (found, capture) = try read([start(4)] + segments(broken.flatMap { $0 }, from: 5, of: 64))
    #expect(found == [messages[0], messages[2], messages[3]] && capture.omitted(.partialMessage) == 1)
    broken = messages
    (broken[1][2], broken[1][3]) = (0, 15)
    #expect(try read([start(4)] + segments(broken.flatMap { $0 }, from: 5, of: 64)).payloads == [messages[0], messages[2], messages[3]])
  }

  @Test func aFloodOfConnections() throws {
    var packets = [start(4)] + segments(Array(stream.prefix(203)), from: 5, of: 60)
    for port in 0..<20000 { packets.append(P.tcp([0, 10, 255, 255], sequence: 1, flags: 2, from: 10000 + port)) }
    packets += segments(stream, from: 5, of: 60)
    let (found, capture) = try read(packets)
    #expect(found == messages)
    #expect(capture.omitted(.otherStream) == 20000)
  }

  @Test func segmentsThatFillNoGap() throws {
    // Every other segment is missing, thousands of times.
    var packets = [start(4)]
    for index in 0..<5000 { packets.append(P.tcp(P.message(40, mark: 1), sequence: 100 + UInt32(index) * 80)) }
    let (found, capture) = try read(packets)
    #expect(found.count == 5000 && capture.omitted(.gap) == 5000)
  }
}
