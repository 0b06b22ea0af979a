import CLinux
import Glibc

/// A connected socket that takes whole messages, many at a call.
final class ReplaySocket {
  /// Messages handed over in one call over UDP.
  static let batchLimit = 64
  private let peer: Peer
  private let descriptor: Int32
  private let headers: UnsafeMutablePointer<flowcep_mmsghdr>
  private let parts: UnsafeMutablePointer<iovec>
  private let secure: SecureSender?
  private let began = now()
  /// How often the peer's machine has said that nobody listens.
  private(set) var refusals = 0

  /// Who does not listen at the beginning is not there; who does not later is perhaps being restarted.
  private static let beginning: UInt64 = 1_000_000_000

  init(_ peer: Peer) throws(ReplayError) {
    self.peer = peer
    descriptor = try ReplaySocket.connect(peer)
    headers = .allocate(capacity: Self.batchLimit)
    headers.initialize(repeating: flowcep_mmsghdr(), count: Self.batchLimit)
    parts = .allocate(capacity: Self.batchLimit)
    parts.initialize(repeating: iovec(), count: Self.batchLimit)
    do throws(ReplayError) {
      secure = if let security = peer.security { try SecureSender(security, peer, descriptor: descriptor) } else { nil }
    } catch {
      // An object that is not whole yet does not clean up by itself.
      close(descriptor)
      headers.deallocate()
      parts.deallocate()
      throw error
    }
  }

  deinit {
    close(descriptor)
    headers.deallocate()
    parts.deallocate()
  }

  private static func connect(_ peer: Peer) throws(ReplayError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32((peer.transport == .tcp ? SOCK_STREAM : SOCK_DGRAM).rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var found: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(peer.host, String(peer.port), &hints, &found)
    guard status == 0 else {
      throw ReplayError(description: "cannot find the address of \(peer.host): \(String(cString: gai_strerror(status)))")
    }
    defer { freeaddrinfo(found) }
    var failure: Int32 = 0
    var next = found
    while let info = next?.pointee {
      let descriptor = socket(info.ai_family, info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), info.ai_protocol)
      if descriptor >= 0 {
        if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return descriptor }
        failure = errno
        close(descriptor)
      } else {
        failure = errno
      }
      next = info.ai_next
    }
    throw ReplayError(description: "cannot connect to \(peer): \(reason(failure))")
  }

  /// Hands over messages that lie one behind the other.
  func send(_ bytes: UnsafeRawBufferPointer, lengths: ArraySlice<Int>) throws(ReplayError) {
    if let secure { return try secure.send(bytes, lengths: lengths) }
    switch peer.transport {
    case .tcp: try sendStream(bytes)
    case .udp: try sendDatagrams(bytes, lengths)
    }
  }

  private func sendStream(_ bytes: UnsafeRawBufferPointer) throws(ReplayError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      if count < 0 {
        if errno == EINTR { continue }
        throw ReplayError(description: "connection to \(peer) lost: \(reason(errno))")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  private func sendDatagrams(_ bytes: UnsafeRawBufferPointer, _ lengths: ArraySlice<Int>) throws(ReplayError) {
    guard let start = bytes.baseAddress else { return }
    var offset = 0
    for (i, length) in lengths.enumerated() {
      parts[i] = iovec(iov_base: UnsafeMutableRawPointer(mutating: start + offset), iov_len: length)
      headers[i].msg_hdr.msg_iov = parts + i
      headers[i].msg_hdr.msg_iovlen = 1
      offset += length
    }
    var sent = 0
    while sent < lengths.count {
      let count = flowcep_sendmmsg(descriptor, headers + sent, UInt32(lengths.count - sent), Int32(MSG_NOSIGNAL))
      if count >= 0 {
        sent += Int(count)
      } else if errno == ENOBUFS {
        usleep(1_000)
      } else if errno == ECONNREFUSED {
        guard now() - began > Self.beginning else { throw ReplayError(description: "nobody listens at \(peer): \(reason(ECONNREFUSED))") }
        refusals += 1
      } else if errno != EINTR {
        throw ReplayError(description: "cannot send to \(peer): \(reason(errno))")
      }
    }
  }

  /// Waits until the peer's TCP has acknowledged everything, then says that nothing more will come.
  func finish() throws(ReplayError) {
    try secure?.finish()
    guard peer.transport == .tcp else { return }
    while true {
      let left = flowcep_unacknowledged(descriptor)
      if left <= 0 { break }
      var poll = pollfd(fd: descriptor, events: 0, revents: 0)
      if Glibc.poll(&poll, 1, 2) > 0, Int32(poll.revents) & (POLLERR | POLLHUP) != 0 {
        throw ReplayError(description: "connection to \(peer) lost with \(left) bytes unacknowledged")
      }
    }
    shutdown(descriptor, Int32(SHUT_WR))
  }
}
