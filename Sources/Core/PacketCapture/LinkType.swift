/// What stands before the IP header in a captured packet, by tcpdump's numbers.
enum LinkType {
  case ethernet, loopback, raw, linuxAny, linuxAny2, other

  init(_ number: UInt32) {
    switch number {
    case 1: self = .ethernet
    case 0, 108: self = .loopback
    case 12, 14, 101, 228, 229: self = .raw
    case 113: self = .linuxAny
    case 276: self = .linuxAny2
    default: self = .other
    }
  }

  /// Where the IP header begins; nil where the packet carries no IP.
  func network(_ reader: Reader, _ packet: Range<Int>) -> Int? {
    let start = packet.lowerBound
    switch self {
    case .ethernet: return Self.behindTags(reader, start + 12, packet.upperBound)
    case .loopback: return packet.count >= 4 ? start + 4 : nil
    case .raw: return start
    case .linuxAny: return Self.behindTags(reader, start + 14, packet.upperBound)
    case .linuxAny2:
      guard packet.count >= 20, [0x0800, 0x86dd].contains(reader.half(start, littleEndian: false)) else { return nil }
      return start + 20
    case .other: return nil
    }
  }

  /// Behind the EtherType at `place`, and behind VLAN tags that come in between.
  private static func behindTags(_ reader: Reader, _ place: Int, _ end: Int) -> Int? {
    var place = place
    while end - place >= 2 {
      switch reader.half(place, littleEndian: false) {
      case 0x0800, 0x86dd: return place + 2
      case 0x8100, 0x88a8, 0x9100: place += 4
      default: return nil
      }
    }
    return nil
  }
}
