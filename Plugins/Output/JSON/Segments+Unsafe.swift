import CLinux
import Glibc

/// Datagrams that go through the kernel together (UDP_SEGMENT): it cuts them from one piece, into equal parts. So all are made as long as
/// the longest, with spaces before their last line end.
final class Segments {
  /// A datagram's bytes, the last of them a line end, and how many lines they are.
  struct Datagram {
    var start: UnsafeMutableRawPointer
    var count: Int
    var lines: Int
  }

  private(set) var waiting: [Datagram] = []
  /// Bytes of the longest.
  private(set) var longest = 0
  /// The most bytes of a datagram.
  private let size: Int
  /// The datagrams one behind the other: the kernel takes them from one piece of memory in five sixths of the time that two for each take.
  private let bytes = UnsafeMutableRawPointer.allocate(byteCount: Segments.mostBytes, alignment: 64)

  /// The kernel's own limits (UDP_MAX_SEGMENTS before Linux 6.9; a datagram over IPv4).
  private static let mostDatagrams = 64
  private static let mostBytes = 65_507

  /// - Parameter size: the most bytes of a datagram.
  init(size: Int) {
    self.size = size
    waiting.reserveCapacity(Self.mostDatagrams)
  }

  deinit { bytes.deallocate() }

  /// Whether a datagram of so many bytes may be among them at all: a line too long for the size that was asked for goes by itself.
  func takes(_ count: Int) -> Bool { count <= size }

  /// Whether one more of so many bytes can go along.
  func hasRoom(for count: Int) -> Bool {
    waiting.count < Self.mostDatagrams && (waiting.count + 1) * max(longest, count) <= Self.mostBytes
  }

  func append(_ datagram: Datagram) {
    waiting.append(datagram)
    longest = max(longest, datagram.count)
  }

  func removeAll() {
    waiting.removeAll(keepingCapacity: true)
    longest = 0
  }

  /// Makes all that wait equally long, when the longest of them is known.
  func pad() {
    var place = bytes
    for datagram in waiting {
      let text = datagram.count - 1
      place.copyMemory(from: datagram.start, byteCount: text)
      memset(place + text, 0x20, longest - datagram.count)
      place.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: longest - 1, as: UInt8.self)
      place += longest
    }
  }

  /// Sends some of them, padded. False where the system took none; errno says why.
  func send(_ range: Range<Int>, on descriptor: Int32) -> Bool {
    flowcep_send_segments(
      descriptor, bytes + range.lowerBound * longest, range.count * longest, range.count > 1 ? UInt16(clamping: longest) : 0) >= 0
  }

  /// The errors of a kernel that does not cut, or not for a way whose datagrams must be smaller.
  static func cannotBeCut(_ error: Int32) -> Bool { [EIO, EINVAL, EMSGSIZE, EOPNOTSUPP, ENOPROTOOPT].contains(error) }
}
