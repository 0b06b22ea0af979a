import CLinux
import Glibc
import Sockets

/// Receives many datagrams with one system call, into memory of its own.
///
/// A datagram may be as long as 64 KiB, and most are short: a slot for each is address space, of which the kernel gives memory
/// only where a datagram has been. What came is then copied into a buffer of just its size.
final class DatagramReader {
  static let slots = 128
  /// Not a power of two: the beginnings of all datagrams would share the few places that the processor's caches have for such a distance.
  private static let slotSize = (1 << 16) + 24 * 64

  private let memory: UnsafeMutableRawPointer
  private let vectors: UnsafeMutablePointer<iovec>
  private let names: UnsafeMutablePointer<sockaddr_storage>
  private let headers: UnsafeMutablePointer<flowcep_mmsghdr>
  /// How many datagrams the last call gave.
  private(set) var count = 0

  init() {
    memory = .allocate(byteCount: Self.slots * Self.slotSize, alignment: 4096)
    vectors = .allocate(capacity: Self.slots)
    names = .allocate(capacity: Self.slots)
    headers = .allocate(capacity: Self.slots)
    names.initialize(repeating: sockaddr_storage(), count: Self.slots)
    headers.initialize(repeating: flowcep_mmsghdr(), count: Self.slots)
    for i in 0..<Self.slots {
      vectors.advanced(by: i).initialize(to: iovec(iov_base: memory + i * Self.slotSize, iov_len: Self.slotSize))
      headers[i].msg_hdr.msg_iov = vectors + i
      headers[i].msg_hdr.msg_iovlen = 1
      headers[i].msg_hdr.msg_name = UnsafeMutableRawPointer(names + i)
    }
  }

  deinit {
    memory.deallocate()
    vectors.deallocate()
    names.deallocate()
    headers.deallocate()
  }

  /// What waits at a socket, not blocking; how many datagrams.
  func receive(from descriptor: Int32) -> Int {
    for i in 0..<Self.slots { headers[i].msg_hdr.msg_namelen = socklen_t(MemoryLayout<sockaddr_storage>.size) }
    count = max(0, Int(flowcep_recvmmsg(descriptor, headers, UInt32(Self.slots), Int32(MSG_DONTWAIT))))
    return count
  }

  func datagram(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: memory + index * Self.slotSize, count: Int(headers[index].msg_len))
  }

  /// Who sent it; nil for a family that is neither IPv4 nor IPv6.
  func source(_ index: Int) -> SocketAddress? { SocketAddress(names[index]) }
}
