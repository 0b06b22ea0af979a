/// Follows packets from the link to what an exporter sent: IP of both versions, fragments, tunnels, then UDP, TCP or SCTP.
struct Dissector {
  private(set) var datagrams: [PacketCapture.Datagram] = []
  /// What lay in several packets.
  private(set) var assembled: [UInt8] = []
  private(set) var omissions: [PacketCapture.Omission: Int] = [:]
  private var fragments = Fragments()
  private var streams = Streams()

  /// A packet while it is followed.
  private struct Packet {
    let time: UInt64
    /// In the file.
    let offset: Int
    /// Tunnels that have been entered.
    var depth = 0
  }

  private struct Ends {
    let source: [UInt8]
    let destination: [UInt8]
  }

  private static let deepest = 8

  mutating func leaveOut(_ reason: PacketCapture.Omission, _ count: Int = 1) {
    if count > 0 { omissions[reason, default: 0] += count }
  }

  mutating func take(_ reader: Reader, _ packet: Range<Int>, _ link: LinkType, time: UInt64) {
    follow(reader, packet, link, Packet(time: time, offset: packet.lowerBound))
  }

  /// The file has ended: what is not whole now never will be.
  mutating func finish() {
    leaveOut(.fragment, fragments.abandon())
    let found = streams.finish()
    deliver(found)
  }

  private mutating func follow(_ reader: Reader, _ bytes: Range<Int>, _ link: LinkType, _ packet: Packet) {
    guard let start = link.network(reader, bytes), start < bytes.upperBound else { return leaveOut(.link) }
    followIP(reader, start..<bytes.upperBound, packet)
  }

  // MARK: IP

  private mutating func followIP(_ reader: Reader, _ bytes: Range<Int>, _ packet: Packet) {
    guard packet.depth <= Self.deepest else { return leaveOut(.malformed) }
    switch reader.byte(bytes.lowerBound) >> 4 {
    case 4: follow4(reader, bytes, packet)
    case 6: follow6(reader, bytes, packet)
    default: leaveOut(.link)
    }
  }

  private mutating func follow4(_ reader: Reader, _ bytes: Range<Int>, _ packet: Packet) {
    let start = bytes.lowerBound
    guard bytes.count >= 20 else { return leaveOut(.cut) }
    let header = Int(reader.byte(start) & 15) * 4
    // 0 where the sender's network card splits what is longer.
    let length = Int(reader.half(start + 2))
    let total = length == 0 ? bytes.count : length
    guard header >= 20, total >= header else { return leaveOut(.malformed) }
    guard total <= bytes.count else { return leaveOut(.cut) }
    let mapped: [UInt8] = Array(repeating: 0, count: 10) + [255, 255]
    let ends = Ends(
      source: mapped + reader.array(start + 12..<start + 16), destination: mapped + reader.array(start + 16..<start + 20))
    let (next, field) = (reader.byte(start + 9), reader.half(start + 6))
    let body = start + header..<start + total
    guard field & 0x3fff != 0 else { return followTransport(next, reader, body, ends, packet) }
    let key = Fragments.Key(ends.source, ends.destination, UInt32(reader.half(start + 4)), next)
    let piece = Fragments.Piece(offset: Int(field & 0x1fff) * 8, isLast: field & 0x2000 == 0, bytes: reader.array(body))
    join(key, piece, next, ends, packet)
  }

  private mutating func follow6(_ reader: Reader, _ bytes: Range<Int>, _ packet: Packet) {
    let start = bytes.lowerBound
    guard bytes.count >= 40 else { return leaveOut(.cut) }
    let length = Int(reader.half(start + 4))
    let end = length == 0 ? bytes.upperBound : start + 40 + length
    guard end <= bytes.upperBound else { return leaveOut(.cut) }
    let ends = Ends(source: reader.array(start + 8..<start + 24), destination: reader.array(start + 24..<start + 40))
    var (next, place) = (reader.byte(start + 6), start + 40)
    while end - place >= 8 {
      switch next {
      // Hop-by-hop, routing and destination options, mobility.
      case 0, 43, 60, 135: (next, place) = (reader.byte(place), place + (Int(reader.byte(place + 1)) + 1) * 8)
      case 51: (next, place) = (reader.byte(place), place + (Int(reader.byte(place + 1)) + 2) * 4)
      case 44:
        let (first, field) = (reader.byte(place), reader.half(place + 2))
        place += 8
        // A fragment that is all of its packet.
        if field & 0xfff9 == 0 {
          next = first
          continue
        }
        let key = Fragments.Key(ends.source, ends.destination, reader.word(place - 4), 44)
        let piece = Fragments.Piece(offset: Int(field & 0xfff8), isLast: field & 1 == 0, bytes: reader.array(place..<end))
        return join(key, piece, first, ends, packet)
      default: return followTransport(next, reader, place..<end, ends, packet)
      }
    }
    guard place <= end else { return leaveOut(.malformed) }
    followTransport(next, reader, place..<end, ends, packet)
  }

  private mutating func join(_ key: Fragments.Key, _ piece: Fragments.Piece, _ next: UInt8, _ ends: Ends, _ packet: Packet) {
    let (whole, lost) = fragments.add(piece, to: key, time: packet.time)
    leaveOut(.fragment, lost)
    guard let whole else { return }
    whole.withUnsafeBytes { bytes in
      let reader = Reader(bytes, isFile: false)
      // Behind IPv6's fragment header further ones may stand.
      let isIPv6Option = key.next == 44 && [0, 43, 60, 135].contains(next)
      if isIPv6Option, bytes.count >= 8 {
        let length = (Int(reader.byte(1)) + 1) * 8
        guard length <= bytes.count else { return leaveOut(.malformed) }
        followTransport(reader.byte(0), reader, length..<bytes.count, ends, packet)
      } else {
        followTransport(next, reader, 0..<bytes.count, ends, packet)
      }
    }
  }

  // MARK: Transports and tunnels

  private mutating func followTransport(_ number: UInt8, _ reader: Reader, _ body: Range<Int>, _ ends: Ends, _ packet: Packet) {
    var inner = packet
    inner.depth += 1
    switch number {
    case 17: takeUDP(reader, body, ends, packet)
    case 6: takeTCP(reader, body, ends, packet)
    case 132: takeSCTP(reader, body, ends, packet)
    case 4, 41: followIP(reader, body, inner)
    case 47: followGRE(reader, body, inner)
    case 51 where body.count >= 12 && packet.depth < Self.deepest:
      let length = (Int(reader.byte(body.lowerBound + 1)) + 2) * 4
      guard length <= body.count else { return leaveOut(.malformed) }
      followTransport(reader.byte(body.lowerBound), reader, body.lowerBound + length..<body.upperBound, ends, inner)
    default: leaveOut(.transport)
    }
  }

  /// RFC 2784 and 2890, and the mirrored packets of ERSPAN.
  private mutating func followGRE(_ reader: Reader, _ body: Range<Int>, _ packet: Packet) {
    let start = body.lowerBound
    guard body.count >= 4, reader.byte(start + 1) & 7 == 0 else { return leaveOut(.transport) }
    let flags = reader.byte(start)
    // Checksum, key, sequence number: four bytes each.
    let header = 4 + [0x80, 0x20, 0x10].count { flags & $0 != 0 } * 4
    guard body.count > header else { return leaveOut(.cut) }
    let (place, end) = (start + header, body.upperBound)
    func ethernet(_ begin: Int) -> Int? { begin < end ? LinkType.ethernet.network(reader, begin..<end) : nil }
    let network: Int?
    switch reader.half(start + 2) {
    case 0x88be: network = ethernet(place + (flags & 0x10 != 0 ? 8 : 0))
    case 0x22eb: network = ethernet(place + (reader.byte(place + 11) & 1 != 0 ? 20 : 12))
    case let type: network = LinkType.behind(type, place, end, reader)
    }
    guard let network, network < end else { return leaveOut(.link) }
    followIP(reader, network..<end, packet)
  }

  private mutating func takeUDP(_ reader: Reader, _ body: Range<Int>, _ ends: Ends, _ packet: Packet) {
    let start = body.lowerBound
    guard body.count >= 8 else { return leaveOut(.cut) }
    let stated = Int(reader.half(start + 4))
    let length = stated == 0 ? body.count : stated
    guard length >= 8, length <= body.count else { return leaveOut(.malformed) }
    let payload = start + 8..<start + length
    let port = reader.half(start + 2)
    if let network = Self.tunnel(port, reader, payload), packet.depth < Self.deepest {
      var inner = packet
      inner.depth += 1
      return followIP(reader, network..<payload.upperBound, inner)
    }
    deliver(
      .init(
        transport: .udp, source: ends.source, sourcePort: reader.half(start), destination: ends.destination, destinationPort: port,
        time: packet.time, offset: packet.offset), reader, payload)
  }

  /// Where the inner packet of VXLAN or Geneve begins; nil where it is none. No exporter's message begins as they do.
  private static func tunnel(_ port: UInt16, _ reader: Reader, _ payload: Range<Int>) -> Int? {
    let (start, end) = (payload.lowerBound, payload.upperBound)
    guard payload.count > 8 else { return nil }
    let network: Int?
    switch port {
    case 4789 where reader.byte(start) == 8: network = LinkType.ethernet.network(reader, start + 8..<end)
    case 6081 where reader.byte(start) >> 6 == 0 && [0x6558, 0x0800, 0x86dd].contains(reader.half(start + 2)):
      network = LinkType.behind(reader.half(start + 2), start + 8 + Int(reader.byte(start) & 0x3f) * 4, end, reader)
    default: network = nil
    }
    return network.flatMap { $0 < end ? $0 : nil }
  }

  private mutating func takeTCP(_ reader: Reader, _ body: Range<Int>, _ ends: Ends, _ packet: Packet) {
    let start = body.lowerBound
    guard body.count >= 20 else { return leaveOut(.cut) }
    let header = Int(reader.byte(start + 12) >> 4) * 4
    guard header >= 20, header <= body.count else { return leaveOut(.malformed) }
    let segment = Streams.Segment(
      sequence: reader.word(start + 4), isStart: reader.byte(start + 13) & 2 != 0,
      bytes: reader.array(start + header..<body.upperBound),
      ends: .init(
        transport: .tcp, source: ends.source, sourcePort: reader.half(start), destination: ends.destination,
        destinationPort: reader.half(start + 2), time: packet.time, offset: packet.offset))
    let found = streams.take(segment)
    deliver(found)
  }

  /// RFC 4960: the chunks that hold a whole message each.
  private mutating func takeSCTP(_ reader: Reader, _ body: Range<Int>, _ ends: Ends, _ packet: Packet) {
    var place = body.lowerBound + 12
    while body.upperBound - place >= 4 {
      let length = Int(reader.half(place + 2))
      guard length >= 4, length <= body.upperBound - place else { return leaveOut(.malformed) }
      if reader.byte(place) == 0, length > 16 {
        if reader.byte(place + 1) & 3 == 3 {
          deliver(
            .init(
              transport: .sctp, source: ends.source, sourcePort: reader.half(body.lowerBound), destination: ends.destination,
              destinationPort: reader.half(body.lowerBound + 2), time: packet.time, offset: packet.offset),
            reader, place + 16..<place + length)
        } else {
          leaveOut(.fragment)
        }
      }
      place += (length + 3) / 4 * 4
    }
  }

  // MARK: What was found

  private mutating func deliver(_ datagram: PacketCapture.Datagram, _ reader: Reader, _ payload: Range<Int>) {
    guard reader.isFile else { return deliver(datagram, reader.array(payload)) }
    var datagram = datagram
    datagram.place = .file(payload)
    datagrams.append(datagram)
  }

  private mutating func deliver(_ datagram: PacketCapture.Datagram, _ bytes: [UInt8]) {
    var datagram = datagram
    datagram.place = .assembled(assembled.count..<assembled.count + bytes.count)
    assembled += bytes
    datagrams.append(datagram)
  }

  private mutating func deliver(_ found: Streams.Found) {
    for (datagram, bytes) in found.messages { deliver(datagram, bytes) }
    leaveOut(.otherStream, found.otherPackets)
    leaveOut(.gap, found.gaps)
    leaveOut(.partialMessage, found.partialMessages)
  }
}
