/// Packets as they stand on a wire, layer by layer.
enum Packets {
  static func big16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  static func big32(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - $0 * 8) & 255) } }

  static func udp(_ payload: [UInt8], from source: Int = 2055, to destination: Int = 4739) -> [UInt8] {
    big16(source) + big16(destination) + big16(8 + payload.count) + [0, 0] + payload
  }

  static func tcp(_ payload: [UInt8], sequence: UInt32, flags: UInt8 = 0x18, from source: Int = 40000) -> [UInt8] {
    big16(source) + big16(4739) + big32(sequence) + big32(1) + [0x50, flags, 1, 0, 0, 0, 0, 0] + payload
  }

  static func ipv4(_ body: [UInt8], transport: UInt8 = 17, number: Int = 0, fragment: Int = 0) -> [UInt8] {
    [0x45, 0] + big16(20 + body.count) + big16(number) + big16(fragment) + [64, transport, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2] + body
  }

  static let host6: [UInt8] = [0x20, 1, 0x0d, 0xb8] + Array(repeating: UInt8(0), count: 11) + [1]

  static func ipv6(_ body: [UInt8], next: UInt8 = 17) -> [UInt8] {
    [0x60, 0, 0, 0] + big16(body.count) + [next, 64] + host6 + host6 + body
  }

  static func ethernet(_ packet: [UInt8], _ header: [UInt8] = []) -> [UInt8] {
    Array(repeating: 0, count: 12) + (header.isEmpty ? type(packet) : header) + packet
  }

  static func type(_ packet: [UInt8]) -> [UInt8] { packet[0] >> 4 == 4 ? [8, 0] : [0x86, 0xdd] }

  /// The pieces of a packet's body, each with its offset and whether more follow.
  static func pieces(_ body: [UInt8], of size: Int) -> [(offset: Int, bytes: [UInt8], more: Bool)] {
    stride(from: 0, to: body.count, by: size).map { start in
      (start, Array(body[start..<min(start + size, body.count)]), start + size < body.count)
    }
  }

  /// An IPFIX message of that many bytes: a header and a data set.
  static func message(_ length: Int, mark: UInt8) -> [UInt8] {
    let rest: [UInt8] = [1, 0] + big16(length - 16) + Array(repeating: mark, count: length - 20)
    return [0, 10] + big16(length) + big32(1_700_000_000) + big32(UInt32(mark)) + big32(7) + rest
  }
}
