/// Finds UDP datagrams in what tcpdump and its kin write: pcap and pcapng files, of Ethernet, Linux "any", loopback and raw IP.
///
/// Pure: bytes in, places of payloads out. Nothing in a file is trusted; what cannot be followed is skipped and counted.
public struct PacketCapture {
  /// One UDP datagram.
  public struct Datagram: Sendable {
    /// 16 bytes each in network order, an IPv4 address as ::ffff:a.b.c.d.
    public var source: [UInt8]
    public var sourcePort: UInt16
    public var destination: [UInt8]
    public var destinationPort: UInt16
    /// Where the payload lies in the file.
    public var payload: Range<Int>
    /// When it was captured, nanoseconds since 1970; 0 where the file does not say.
    public var time: UInt64
  }

  /// In the order of the file.
  public private(set) var datagrams: [Datagram] = []
  /// Packets that are no whole UDP datagram: other protocols, fragments, cut ones.
  public private(set) var skipped = 0
  /// True where the file ends in the middle of a packet, or cannot be followed further.
  public private(set) var isBroken = false

  /// Whether the bytes begin as a pcap or pcapng file does.
  public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 24 else { return false }
    let number = Reader(bytes).word(0, littleEndian: true)
    return [0xa1b2_c3d4, 0xa1b2_3c4d, 0xd4c3_b2a1, 0x4d3c_b2a1, 0x0a0d_0d0a].contains(number)
  }

  /// Nil where the bytes are no capture file.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard Self.begins(bytes) else { return nil }
    let reader = Reader(bytes)
    if reader.word(0, littleEndian: true) == 0x0a0d_0d0a { readBlocks(reader) } else { readPackets(reader) }
  }

  // MARK: pcap

  private mutating func readPackets(_ reader: Reader) {
    let number = reader.word(0, littleEndian: true)
    let little = number == 0xa1b2_c3d4 || number == 0xa1b2_3c4d
    let isNanoseconds = number == 0xa1b2_3c4d || number == 0x4d3c_b2a1
    let link = LinkType(reader.word(20, littleEndian: little) & 0xffff)
    var place = 24
    while place < reader.count {
      guard reader.count - place >= 16 else { return isBroken = true }
      let seconds = UInt64(reader.word(place, littleEndian: little))
      let fraction = UInt64(reader.word(place + 4, littleEndian: little))
      let length = Int(reader.word(place + 8, littleEndian: little))
      place += 16
      guard length <= reader.count - place else { return isBroken = true }
      take(reader, place..<place + length, link, seconds * 1_000_000_000 + fraction * (isNanoseconds ? 1 : 1000))
      place += length
    }
  }

  // MARK: pcapng

  private struct Interface {
    var link: LinkType
    /// Time units in a second.
    var resolution: UInt64
  }

  private mutating func readBlocks(_ reader: Reader) {
    var (place, little) = (0, true)
    var interfaces: [Interface] = []
    while place < reader.count {
      guard reader.count - place >= 12 else { return isBroken = true }
      if reader.word(place, littleEndian: true) == 0x0a0d_0d0a {
        little = reader.word(place + 8, littleEndian: true) == 0x1a2b_3c4d
        interfaces = []
      }
      let kind = reader.word(place, littleEndian: little)
      let length = Int(reader.word(place + 4, littleEndian: little))
      guard length >= 12, length % 4 == 0, length <= reader.count - place else { return isBroken = true }
      let body = place + 8..<place + length - 4
      switch kind {
      case 1 where body.count >= 8: interfaces.append(Self.interface(reader, body, little))
      case 6 where body.count >= 20: takeEnhanced(reader, body, little, interfaces)
      case 3 where body.count >= 4:
        guard let first = interfaces.first else { break }
        let size = min(Int(reader.word(body.lowerBound, littleEndian: little)), body.count - 4)
        take(reader, body.lowerBound + 4..<body.lowerBound + 4 + size, first.link, 0)
      default: break
      }
      place += length
    }
  }

  private static func interface(_ reader: Reader, _ body: Range<Int>, _ little: Bool) -> Interface {
    var interface = Interface(link: LinkType(UInt32(reader.half(body.lowerBound, littleEndian: little))), resolution: 1_000_000)
    var place = body.lowerBound + 8
    while body.upperBound - place >= 4 {
      let (code, length) = (reader.half(place, littleEndian: little), Int(reader.half(place + 2, littleEndian: little)))
      guard code != 0, length <= body.upperBound - place - 4 else { break }
      // if_tsresol: a power of ten, or of two with the highest bit set.
      if code == 9, length >= 1 {
        let value = reader.byte(place + 4)
        let exponent = Int(value & 0x7f)
        interface.resolution = value & 0x80 == 0 ? (0..<min(exponent, 18)).reduce(1) { power, _ in power * 10 } : 1 << UInt64(min(exponent, 60))
      }
      place += 4 + (length + 3) / 4 * 4
    }
    return interface
  }

  private mutating func takeEnhanced(_ reader: Reader, _ body: Range<Int>, _ little: Bool, _ interfaces: [Interface]) {
    let start = body.lowerBound
    let number = Int(reader.word(start, littleEndian: little))
    guard number < interfaces.count else { return skipped += 1 }
    let units = UInt64(reader.word(start + 4, littleEndian: little)) << 32 | UInt64(reader.word(start + 8, littleEndian: little))
    let length = min(Int(reader.word(start + 12, littleEndian: little)), body.count - 20)
    let resolution = interfaces[number].resolution
    let (seconds, rest) = units.quotientAndRemainder(dividingBy: resolution)
    let fraction = UInt64(Double(rest) / Double(resolution) * 1e9)
    take(reader, start + 20..<start + 20 + length, interfaces[number].link, seconds &* 1_000_000_000 &+ fraction)
  }

  // MARK: Packets

  private mutating func take(_ reader: Reader, _ packet: Range<Int>, _ link: LinkType, _ time: UInt64) {
    guard let start = link.network(reader, packet), var datagram = reader.datagram(start..<packet.upperBound) else {
      skipped += 1
      return
    }
    datagram.time = time
    datagrams.append(datagram)
  }
}
