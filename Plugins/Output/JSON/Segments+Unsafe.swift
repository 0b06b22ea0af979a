import CLinux
import Glibc

/// Datagrams that go through the kernel together (UDP_SEGMENT): it cuts them from one piece, into equal parts. So all but the last are
/// made as long as the longest, with spaces before their last line end.
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
  /// Spaces and a line end.
  private let filler: UnsafeMutableRawBufferPointer
  private let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: 2 * Segments.mostDatagrams)

  /// The kernel's own limits (UDP_MAX_SEGMENTS before Linux 6.9; a datagram over IPv4).
  private static let mostDatagrams = 64
  private static let mostBytes = 65_507

  /// - Parameter size: the most bytes of a datagram.
  init(size: Int) {
    filler = .allocate(byteCount: size + 1, alignment: 1)
    filler.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: " "))
    filler[size] = UInt8(ascii: "\n")
    waiting.reserveCapacity(Self.mostDatagrams)
  }

  deinit {
    filler.deallocate()
    pieces.deallocate()
  }

  /// Whether a datagram of so many bytes may be among them at all: a line too long for the size that was asked for goes by itself.
  func takes(_ count: Int) -> Bool { count < filler.count }

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

  /// The errors of a kernel that does not cut, or not for a way whose datagrams must be smaller.
  static func cannotBeCut(_ error: Int32) -> Bool { [EIO, EINVAL, EMSGSIZE, EOPNOTSUPP, ENOPROTOOPT].contains(error) }

  /// Sends some of them. False where the system took none; errno says why.
  func send(_ range: Range<Int>, on descriptor: Int32) -> Bool {
    let size = range.reduce(0) { max($0, waiting[$1].count) }
    var used = 0
    for index in range {
      let datagram = waiting[index]
      let missing = index == range.upperBound - 1 ? 0 : size - datagram.count
      pieces[used] = iovec(iov_base: datagram.start, iov_len: datagram.count - (missing > 0 ? 1 : 0))
      used += 1
      if missing > 0 {
        pieces[used] = iovec(iov_base: filler.baseAddress.map { $0 + filler.count - missing - 1 }, iov_len: missing + 1)
        used += 1
      }
    }
    return flowcep_send_segments(descriptor, pieces, used, range.count > 1 ? UInt16(clamping: size) : 0) >= 0
  }
}
