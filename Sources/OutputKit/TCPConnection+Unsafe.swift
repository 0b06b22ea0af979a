import CLinux
import Glibc

/// A TCP connection to a host and port that comes and goes. Never blocks but for the lookup of a host's name.
struct TCPConnection {
  enum State: Equatable {
    case disconnected
    case connecting(until: UInt64)
    case connected
  }

  /// Why a connection could not be made or has ended, for people.
  struct Failure: Error {
    let reason: String
    /// The peer has closed its side.
    var isOrderly = false
  }

  let host: String
  let port: Int
  private(set) var state = State.disconnected
  private(set) var descriptor: Int32 = -1
  private(set) var backoff = Backoff()
  /// The largest window that the peer has advertised on this connection.
  private(set) var largestWindow = 0

  private static let connectTimeout: UInt64 = 10_000_000_000
  /// Where the kernel does not tell: the most that Linux lets a receive buffer grow to by itself.
  private static let unknownWindow = 6 << 20

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  var name: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Begins to connect. The outcome shows when the descriptor becomes writable.
  mutating func connect(at now: UInt64) throws(Failure) {
    backoff.tried(at: now)
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, "\(port)", &hints, &list)
    guard status == 0, let first = list else { throw Failure(reason: String(cString: gai_strerror(status))) }
    defer { freeaddrinfo(first) }
    var (candidate, reason) = (list, "no address")
    while let address = candidate {
      candidate = address.pointee.ai_next
      let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
      descriptor = socket(address.pointee.ai_family, type, 0)
      guard descriptor >= 0 else {
        reason = Self.describe(errno)
        continue
      }
      setOptions()
      let outcome = Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
      if outcome == 0 || errno == EINPROGRESS {
        state = .connecting(until: now + Self.connectTimeout)
        return
      }
      reason = Self.describe(errno)
      close()
    }
    throw Failure(reason: reason)
  }

  /// Called when the descriptor is writable, or time is up, while connecting.
  mutating func finishConnecting(at now: UInt64, isWritable: Bool) throws(Failure) {
    guard case .connecting(let deadline) = state else { return }
    var (error, length): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
    if isWritable {
      getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    } else if now < deadline {
      return
    } else {
      error = ETIMEDOUT
    }
    guard error == 0 else {
      close()
      throw Failure(reason: Self.describe(error))
    }
    state = .connected
    backoff.succeeded()
    largestWindow = 0
    noteWindow()
  }

  /// Hands runs of bytes to the kernel; returns how many it took.
  func write(_ runs: UnsafeBufferPointer<iovec>) throws(Failure) -> Int {
    guard !runs.isEmpty else { return 0 }
    var message = msghdr()
    message.msg_iov = UnsafeMutablePointer(mutating: runs.baseAddress)
    message.msg_iovlen = runs.count
    let taken = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    if taken >= 0 { return taken }
    if errno == EAGAIN || errno == EINTR || errno == ENOBUFS { return 0 }
    throw Failure(reason: Self.describe(errno))
  }

  /// Reads and discards what the peer says. Throws when it has closed or reset the connection.
  func discardInput() throws(Failure) {
    while true {
      let count = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) {
        recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
      }
      if count > 0 { continue }
      if count == 0 { throw Failure(reason: "closed by the peer", isOrderly: true) }
      if errno == EAGAIN || errno == EINTR { return }
      throw Failure(reason: Self.describe(errno))
    }
  }

  /// Bytes handed over and not acknowledged by the peer's TCP; nil where the kernel does not say.
  func unacknowledged() -> Int? {
    let bytes = flowcep_unacknowledged(descriptor)
    return bytes >= 0 ? Int(bytes) : nil
  }

  mutating func noteWindow() {
    let window = flowcep_peer_window(descriptor)
    largestWindow = max(largestWindow, window >= 0 ? Int(window) : Self.unknownWindow)
  }

  /// No more will come from us.
  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  mutating func close() {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    (descriptor, state) = (-1, .disconnected)
  }

  /// Closes at once: what the kernel still holds is not sent, for it will be sent again.
  mutating func abort() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  private func setOptions() {
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
    for (option, seconds): (Int32, Int32) in [(TCP_KEEPIDLE, 30), (TCP_KEEPINTVL, 10), (TCP_KEEPCNT, 3)] {
      var value = seconds
      setsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, size)
    }
  }

  private static func describe(_ error: Int32) -> String { String(cString: strerror(error)).lowercasedFirst }
}

extension String {
  /// "Connection refused" in the middle of a sentence.
  var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
