/// Reads numbers and headers out of a file's bytes; what lies outside reads as 0.
struct Reader {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var count: Int { bytes.count }

  func byte(_ place: Int) -> UInt8 { bytes.indices.contains(place) ? bytes[place] : 0 }

  func half(_ place: Int, littleEndian: Bool) -> UInt16 {
    guard place >= 0, place + 2 <= bytes.count else { return 0 }
    let value = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
    return littleEndian ? UInt16(littleEndian: value) : UInt16(bigEndian: value)
  }

  func word(_ place: Int, littleEndian: Bool) -> UInt32 {
    guard place >= 0, place + 4 <= bytes.count else { return 0 }
    let value = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
    return littleEndian ? UInt32(littleEndian: value) : UInt32(bigEndian: value)
  }

  /// The UDP datagram in an IP packet; nil where there is no whole one.
  func datagram(_ packet: Range<Int>) -> PacketCapture.Datagram? {
    guard packet.count >= 20 else { return nil }
    switch byte(packet.lowerBound) >> 4 {
    case 4: return datagram4(packet)
    case 6: return datagram6(packet)
    default: return nil
    }
  }

  private func datagram4(_ packet: Range<Int>) -> PacketCapture.Datagram? {
    let start = packet.lowerBound
    let header = Int(byte(start) & 15) * 4
    let total = Int(half(start + 2, littleEndian: false))
    // More fragments, or not the first.
    guard header >= 20, total >= header, total <= packet.count, half(start + 6, littleEndian: false) & 0x3fff == 0, byte(start + 9) == 17
    else { return nil }
    let mapped: [UInt8] = Array(repeating: 0, count: 10) + [255, 255]
    return datagram(
      start + header..<start + total, mapped + bytes[start + 12..<start + 16], mapped + bytes[start + 16..<start + 20])
  }

  private func datagram6(_ packet: Range<Int>) -> PacketCapture.Datagram? {
    let start = packet.lowerBound
    guard packet.count >= 40 else { return nil }
    let end = start + 40 + Int(half(start + 4, littleEndian: false))
    guard end <= packet.upperBound else { return nil }
    var (next, place) = (byte(start + 6), start + 40)
    // Hop-by-hop, routing and destination options may stand before UDP; fragments are left out.
    while [0, 43, 60].contains(next), end - place >= 8 {
      next = byte(place)
      place += (Int(byte(place + 1)) + 1) * 8
    }
    guard next == 17, place <= end else { return nil }
    return datagram(place..<end, Array(bytes[start + 8..<start + 24]), Array(bytes[start + 24..<start + 40]))
  }

  private func datagram(_ segment: Range<Int>, _ source: [UInt8], _ destination: [UInt8]) -> PacketCapture.Datagram? {
    let length = Int(half(segment.lowerBound + 4, littleEndian: false))
    guard segment.count >= 8, length >= 8, length <= segment.count else { return nil }
    return PacketCapture.Datagram(
      source: source, sourcePort: half(segment.lowerBound, littleEndian: false), destination: destination,
      destinationPort: half(segment.lowerBound + 2, littleEndian: false),
      payload: segment.lowerBound + 8..<segment.lowerBound + length, time: 0)
  }
}
