/// Finds what exporters sent in what tcpdump and its kin write: pcap and pcapng files of many link types, with fragments put together,
/// TCP connections followed and tunnels looked into.
///
/// Pure: bytes in, messages out. Nothing in a file is trusted; what cannot be followed is left out and counted by name.
public struct PacketCapture {
  public enum Transport: Sendable, Hashable {
    case udp, tcp, sctp
  }

  /// What one UDP datagram carried, or one message of a TCP connection or an SCTP association.
  public struct Datagram: Sendable {
    public var transport = Transport.udp
    /// 16 bytes each in network order, an IPv4 address as ::ffff:a.b.c.d.
    public var source: [UInt8]
    public var sourcePort: UInt16
    public var destination: [UInt8]
    public var destinationPort: UInt16
    /// Over TCP: the how manieth connection between these ends it belongs to, from 0.
    public var connection = 0
    /// When it was captured, in nanoseconds since 1970; 0 where the file does not say.
    public var time: UInt64 = 0
    /// Where the packet that completed it begins in the file.
    public var offset = 0
    var place = Place.file(0..<0)

    enum Place: Sendable {
      case file(Range<Int>)
      /// In what was put together from several packets.
      case assembled(Range<Int>)
    }

    /// In bytes.
    public var length: Int {
      switch place {
      case .file(let range), .assembled(let range): range.count
      }
    }
  }

  /// Why packets, or parts of streams, were left out.
  public enum Omission: String, Sendable, CaseIterable {
    /// Packets of a link type, or of a protocol on the link, that carries no IP.
    case link = "no-ip"
    /// Packets of protocols that no exporter speaks.
    case transport = "other-protocol"
    /// Packets of which the capture holds only the beginning.
    case cut = "cut"
    /// Packets whose headers lie.
    case malformed
    /// Fragments of datagrams that never became whole.
    case fragment = "incomplete-fragments"
    /// Packets of TCP connections that carry no IPFIX.
    case otherStream = "other-tcp"
    /// Gaps in TCP connections that were never filled.
    case gap = "tcp-gaps"
    /// Messages of TCP connections whose beginning or end is missing.
    case partialMessage = "tcp-partial-messages"
  }

  private var dissector = Dissector()
  /// True where the file ends in the middle of a packet, or cannot be followed further.
  public private(set) var isBroken = false

  /// In the order in which they became whole.
  public var datagrams: [Datagram] { dissector.datagrams }
  public func omitted(_ reason: Omission) -> Int { dissector.omissions[reason] ?? 0 }

  /// A datagram's bytes; empty where `file` is not what the capture was read from.
  public func bytes(of datagram: Datagram, in file: UnsafeRawBufferPointer) -> [UInt8] {
    switch datagram.place {
    case .file(let range): range.upperBound <= file.count ? Array(file[range]) : []
    case .assembled(let range): Array(dissector.assembled[range])
    }
  }

  /// Whether the bytes begin as a pcap or pcapng file does.
  public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 24 else { return false }
    let number = Reader(bytes).word(0, littleEndian: true)
    return PacketFile(number) != nil || number == sectionHeader
  }

  /// Nil where the bytes are no capture file.
  public init?(_ bytes: UnsafeRawBufferPointer) {
    guard Self.begins(bytes) else { return nil }
    let reader = Reader(bytes)
    if let file = PacketFile(reader.word(0, littleEndian: true)) { readPackets(reader, file) } else { readBlocks(reader) }
    dissector.finish()
  }

  // MARK: pcap

  /// How a pcap file is written, by its first four bytes.
  private struct PacketFile {
    var isLittleEndian: Bool
    var fractionUnit: UInt64 = 1000
    var packetHeader = 16

    init?(_ number: UInt32) {
      switch number {
      case 0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34: isLittleEndian = true
      case 0xd4c3_b2a1, 0x4d3c_b2a1, 0x34cd_b2a1: isLittleEndian = false
      default: return nil
      }
      let own = isLittleEndian ? number : number.byteSwapped
      if own == 0xa1b2_3c4d { fractionUnit = 1 }
      // A variant with the interface's number and more behind each packet's lengths.
      if own == 0xa1b2_cd34 { packetHeader = 24 }
    }
  }

  private mutating func readPackets(_ reader: Reader, _ file: PacketFile) {
    let little = file.isLittleEndian
    let link = LinkType(reader.word(20, littleEndian: little) & 0xffff)
    var place = 24
    while place < reader.count {
      guard reader.count - place >= file.packetHeader else { return isBroken = true }
      let seconds = UInt64(reader.word(place, littleEndian: little))
      let fraction = UInt64(reader.word(place + 4, littleEndian: little))
      let length = Int(reader.word(place + 8, littleEndian: little))
      place += file.packetHeader
      guard length <= reader.count - place else { return isBroken = true }
      dissector.take(reader, place..<place + length, link, time: seconds * 1_000_000_000 + fraction * file.fractionUnit)
      place += length
    }
  }

  // MARK: pcapng

  private static let sectionHeader: UInt32 = 0x0a0d_0d0a

  private struct Interface {
    var link: LinkType
    /// Time units in a second.
    var resolution: UInt64 = 1_000_000
    /// Seconds to add.
    var offset: UInt64 = 0
  }

  private mutating func readBlocks(_ reader: Reader) {
    var (place, little) = (0, true)
    var interfaces: [Interface] = []
    while place < reader.count {
      guard reader.count - place >= 12 else { return isBroken = true }
      if reader.word(place, littleEndian: true) == Self.sectionHeader {
        little = reader.word(place + 8, littleEndian: true) == 0x1a2b_3c4d
        interfaces = []
      }
      let kind = reader.word(place, littleEndian: little)
      let length = Int(reader.word(place + 4, littleEndian: little))
      guard length >= 12, length % 4 == 0, length <= reader.count - place else { return isBroken = true }
      let body = place + 8..<place + length - 4
      let start = body.lowerBound
      switch kind {
      case 1 where body.count >= 8: interfaces.append(Self.interface(reader, body, little))
      case 6 where body.count >= 20:
        takeEnhanced(reader, body, little, interfaces, Int(reader.word(start, littleEndian: little)))
      // What enhanced packet blocks were before.
      case 2 where body.count >= 20:
        takeEnhanced(reader, body, little, interfaces, Int(reader.half(start, littleEndian: little)))
      case 3 where body.count >= 4:
        guard let first = interfaces.first else { break }
        let size = min(Int(reader.word(start, littleEndian: little)), body.count - 4)
        dissector.take(reader, start + 4..<start + 4 + size, first.link, time: 0)
      default: break
      }
      place += length
    }
  }

  private static func interface(_ reader: Reader, _ body: Range<Int>, _ little: Bool) -> Interface {
    var interface = Interface(link: LinkType(UInt32(reader.half(body.lowerBound, littleEndian: little))))
    var place = body.lowerBound + 8
    while body.upperBound - place >= 4 {
      let (code, length) = (reader.half(place, littleEndian: little), Int(reader.half(place + 2, littleEndian: little)))
      guard code != 0, length <= body.upperBound - place - 4 else { break }
      if code == 9, length >= 1 { interface.resolution = resolution(reader.byte(place + 4)) }
      if code == 14, length == 8 {
        let (first, second) = (reader.word(place + 4, littleEndian: little), reader.word(place + 8, littleEndian: little))
        interface.offset = little ? UInt64(second) << 32 | UInt64(first) : UInt64(first) << 32 | UInt64(second)
      }
      place += 4 + (length + 3) / 4 * 4
    }
    return interface
  }

  /// if_tsresol: a power of ten, or of two with the highest bit set.
  private static func resolution(_ value: UInt8) -> UInt64 {
    let exponent = Int(value & 0x7f)
    return value & 0x80 == 0 ? (0..<min(exponent, 18)).reduce(1) { power, _ in power * 10 } : 1 << UInt64(min(exponent, 60))
  }

  private mutating func takeEnhanced(
    _ reader: Reader, _ body: Range<Int>, _ little: Bool, _ interfaces: [Interface], _ number: Int
  ) {
    let start = body.lowerBound
    guard interfaces.indices.contains(number) else { return dissector.leaveOut(.link) }
    let interface = interfaces[number]
    let units = UInt64(reader.word(start + 4, littleEndian: little)) << 32 | UInt64(reader.word(start + 8, littleEndian: little))
    let length = min(Int(reader.word(start + 12, littleEndian: little)), body.count - 20)
    let (seconds, rest) = units.quotientAndRemainder(dividingBy: interface.resolution)
    let product = rest.multipliedFullWidth(by: 1_000_000_000)
    // Less than a second, so the quotient fits.
    let fraction = interface.resolution.dividingFullWidth(product).quotient
    dissector.take(
      reader, start + 20..<start + 20 + length, interface.link,
      time: (seconds &+ interface.offset) &* 1_000_000_000 &+ fraction)
  }
}
