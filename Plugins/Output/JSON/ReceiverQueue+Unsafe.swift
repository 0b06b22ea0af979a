import CLinux
import Glibc
import Sockets

/// The receive queue of the socket on this machine that datagrams go to, asked of the kernel (sock_diag, `man 7 sock_diag`).
///
/// UDP tells a sender nothing of a receiver that is too slow: its kernel drops what finds no room, and no one counts that. Where the
/// receiver is on this machine its queue can be looked at, so that a burst waits for room rather than overrun it.
final class ReceiverQueue {
  struct State {
    /// Bytes of memory that the queue takes.
    var used: Int
    /// Bytes of memory that it may take.
    var size: Int
    /// Datagrams that found no room since the socket was made, from whomever, modulo 2^32.
    var drops: UInt32
  }

  private let descriptor: Int32
  private var request = Request()
  private var sequence: UInt32 = 0

  private struct Request {
    var header = nlmsghdr()
    var body = inet_diag_req_v2()
  }

  /// Nil where the receiver is not on this machine, or the kernel cannot be asked.
  ///
  /// - Parameter own: the sending socket's address. One that equals the receiver's is this machine's.
  init?(from own: SocketAddress, to receiver: SocketAddress) {
    guard receiver.isLoopback || own.bytes == receiver.bytes else { return nil }
    descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
    guard descriptor >= 0 else { return nil }
    request.header.nlmsg_len = UInt32(MemoryLayout<Request>.size)
    request.header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
    request.header.nlmsg_flags = UInt16(NLM_F_REQUEST)
    request.body.sdiag_family = UInt8(receiver.isIPv4 ? AF_INET : AF_INET6)
    request.body.sdiag_protocol = UInt8(IPPROTO_UDP)
    request.body.idiag_ext = UInt8(1 << (INET_DIAG_SKMEMINFO - 1))
    request.body.idiag_states = .max
    // The kernel looks for the socket that a datagram from "source" to "destination" would reach.
    request.body.id.idiag_sport = own.port.bigEndian
    request.body.id.idiag_dport = receiver.port.bigEndian
    Self.store(own, into: &request.body.id.idiag_src)
    Self.store(receiver, into: &request.body.id.idiag_dst)
    request.body.id.idiag_cookie = (.max, .max)
  }

  deinit { close(descriptor) }

  private static func store(_ address: SocketAddress, into words: inout (UInt32, UInt32, UInt32, UInt32)) {
    withUnsafeMutableBytes(of: &words) { words in
      if address.isIPv4 {
        words.storeBytes(of: UInt32(truncatingIfNeeded: address.bytes.low).bigEndian, as: UInt32.self)
      } else {
        words.storeBytes(of: address.bytes.high.bigEndian, as: UInt64.self)
        words.storeBytes(of: address.bytes.low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
    }
  }

  /// Nil where nobody listens, or the kernel does not say.
  func state() -> State? {
    sequence &+= 1
    request.header.nlmsg_seq = sequence
    let sent = withUnsafeBytes(of: &request) { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
    guard sent == MemoryLayout<Request>.size else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { answer in
      while true {
        let count = recv(descriptor, answer.baseAddress, answer.count, 0)
        if count < 0, errno == EINTR { continue }
        guard count >= MemoryLayout<nlmsghdr>.size else { return nil }
        let header = answer.loadUnaligned(as: nlmsghdr.self)
        // An answer to an earlier question that was interrupted.
        if header.nlmsg_seq != sequence { continue }
        guard header.nlmsg_type == UInt16(SOCK_DIAG_BY_FAMILY) else { return nil }
        return Self.memory(UnsafeRawBufferPointer(rebasing: answer[..<min(count, Int(header.nlmsg_len))]))
      }
    }
  }

  /// What the kernel's notes of a datagram that it has cut from a larger piece take in a queue, beside its bytes. It differs from kernel to
  /// kernel, so it is tried on sockets of our own; nil where that does not work.
  static func notesOfCutDatagram() -> Int? {
    guard let any = SocketAddress("127.0.0.1", port: 0), let receiver = try? BoundSocket(.udp, on: any),
      let sender = try? BoundSocket(.udp, on: any), receiver.address.withSockAddr({ connect(sender.descriptor, $0, $1) }) == 0,
      let queue = ReceiverQueue(from: sender.address, to: receiver.address)
    else { return nil }
    let (count, size) = (4, 1024)
    let sent = withUnsafeTemporaryAllocation(byteCount: count * size, alignment: 8) { bytes in
      bytes.initializeMemory(as: UInt8.self, repeating: 0)
      return flowcep_send_segments(sender.descriptor, bytes.baseAddress, bytes.count, UInt16(size))
    }
    guard sent == count * size, let used = queue.state()?.used else { return nil }
    // Less than the notes can be: not all of them are there yet.
    let notes = (used + count - 1) / count - size
    return notes >= 512 ? notes : nil
  }

  /// The attribute INET_DIAG_SKMEMINFO: 32-bit numbers in the order of `enum` SK_MEMINFO.
  private static func memory(_ answer: UnsafeRawBufferPointer) -> State? {
    var at = MemoryLayout<nlmsghdr>.size + MemoryLayout<inet_diag_msg>.size
    while at + 4 <= answer.count {
      let length = Int(answer.loadUnaligned(fromByteOffset: at, as: UInt16.self))
      let type = answer.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self)
      guard length >= 4, at + length <= answer.count else { return nil }
      if type == UInt16(INET_DIAG_SKMEMINFO) {
        func number(_ index: Int) -> UInt32? {
          let place = 4 + index * 4
          return place + 4 <= length ? answer.loadUnaligned(fromByteOffset: at + place, as: UInt32.self) : nil
        }
        guard let used = number(SK_MEMINFO_RMEM_ALLOC), let size = number(SK_MEMINFO_RCVBUF),
          let drops = number(SK_MEMINFO_DROPS)
        else { return nil }
        return State(used: Int(used), size: Int(size), drops: drops)
      }
      at += (length + 3) & ~3
    }
    return nil
  }
}
