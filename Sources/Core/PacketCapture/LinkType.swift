/// What stands before the IP header in a captured packet, by tcpdump's numbers.
enum LinkType {
  case ethernet, loopback, raw, linuxAny, linuxAny2, ppp, pppWithDirection, pppoe, ciscoHDLC, llc, nflog, other

  init(_ number: UInt32) {
    switch number {
    case 1: self = .ethernet
    case 0, 108: self = .loopback
    case 9, 50: self = .ppp
    case 51: self = .pppoe
    case 204: self = .pppWithDirection
    case 100: self = .llc
    case 104: self = .ciscoHDLC
    case 12, 14, 101, 228, 229: self = .raw
    case 113: self = .linuxAny
    case 239: self = .nflog
    case 276: self = .linuxAny2
    default: self = .other
    }
  }

  /// Where the IP header begins; nil where the packet carries no IP.
  func network(_ reader: Reader, _ packet: Range<Int>) -> Int? {
    let (start, end) = (packet.lowerBound, packet.upperBound)
    switch self {
    case .ethernet: return Self.behind(reader.half(start + 12), start + 14, end, reader)
    case .loopback: return start + 4
    case .raw: return start
    case .linuxAny: return Self.behind(reader.half(start + 14), start + 16, end, reader)
    case .linuxAny2: return Self.behind(reader.half(start), start + 20, end, reader)
    case .ppp: return Self.behindPPP(start, end, reader)
    case .pppWithDirection: return Self.behindPPP(start + 1, end, reader)
    case .pppoe: return Self.behind(Self.pppoeSession, start, end, reader)
    case .ciscoHDLC: return Self.behind(reader.half(start + 2), start + 4, end, reader)
    case .llc: return Self.behind(0, start, end, reader)
    case .nflog: return Self.payloadOfNflog(reader, packet)
    case .other: return nil
    }
  }

  private static let pppoeSession: UInt16 = 0x8864
  private static let ethernetTypes: Set<UInt16> = [0x0800, 0x86dd, 0x8100, 0x88a8, 0x8847, 0x8864]

  /// Behind what an EtherType announces at `place`: tags of VLANs, labels of MPLS, PPPoE, LLC, one in the other.
  static func behind(_ type: UInt16, _ place: Int, _ end: Int, _ reader: Reader) -> Int? {
    var (type, place) = (type, place)
    for _ in 0..<16 where place < end {
      switch type {
      case 0x0800, 0x86dd: return place
      case 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300:
        (type, place) = (reader.half(place + 2), place + 4)
      case 0x8847, 0x8848:
        guard let bottom = behindLabels(reader, place, end) else { return nil }
        switch reader.byte(bottom) >> 4 {
        case 4, 6: return bottom
        // Ethernet over MPLS, behind a control word or without.
        case 0 where ethernetTypes.contains(reader.half(bottom + 16)): (type, place) = (reader.half(bottom + 16), bottom + 18)
        default: (type, place) = (reader.half(bottom + 12), bottom + 14)
        }
      case 0x88e7:  // Provider backbone: a service's number, then the customer's own header.
        (type, place) = (reader.half(place + 16), place + 18)
      case 0x6558: (type, place) = (reader.half(place + 12), place + 14)
      case pppoeSession: return behindPPP(place + 6, end, reader)
      case 0...1500:
        guard reader.half(place) == 0xaaaa, reader.byte(place + 2) == 3 else { return nil }
        (type, place) = (reader.half(place + 6), place + 8)
      default: return nil
      }
    }
    return nil
  }

  private static func behindLabels(_ reader: Reader, _ place: Int, _ end: Int) -> Int? {
    var place = place
    while end - place >= 4 {
      let isBottom = reader.byte(place + 2) & 1 != 0
      place += 4
      if isBottom { return place }
    }
    return nil
  }

  private static func behindPPP(_ place: Int, _ end: Int, _ reader: Reader) -> Int? {
    var place = place
    switch reader.half(place) {
    case 0xff03: place += 2
    // A serial line may speak Cisco's protocol instead.
    case 0x0f00, 0x8f00: return behind(reader.half(place + 2), place + 4, end, reader)
    default: break
    }
    // An odd first byte is all of the protocol's number.
    let isShort = reader.byte(place) & 1 != 0
    let type = isShort ? UInt16(reader.byte(place)) : reader.half(place)
    place += isShort ? 1 : 2
    switch type {
    case 0x21, 0x57: return place < end ? place : nil
    case 0x281: return behind(0x8847, place, end, reader)
    default: return nil
    }
  }

  /// Linux's netfilter log: values with their lengths, of which one is the packet.
  private static func payloadOfNflog(_ reader: Reader, _ packet: Range<Int>) -> Int? {
    var place = packet.lowerBound + 4
    while packet.upperBound - place >= 4 {
      let length = Int(reader.half(place, littleEndian: true))
      if reader.half(place + 2, littleEndian: true) == 9 { return place + 4 }
      guard length >= 4 else { return nil }
      place += (length + 3) / 4 * 4
    }
    return nil
  }
}
