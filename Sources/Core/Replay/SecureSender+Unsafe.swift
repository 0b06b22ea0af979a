import CLinux
import Glibc
import SecureTransport

/// TLS over a replay's connected TCP socket, or DTLS over its UDP socket.
final class SecureSender {
  private enum Session {
    case stream(SecureStream)
    case datagrams(SecureDatagrams)
  }

  private let peer: Peer
  private let descriptor: Int32
  private let session: Session
  private let line: Line

  /// How long a handshake may take.
  private static let patience = 10
  /// A record holds no more.
  private static let longestRecord = 1 << 14

  /// What a DTLS session sends goes through here.
  private final class Line {
    let descriptor: Int32
    /// The errno of a datagram that could not be sent.
    var failure: Int32 = 0
    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func send(_ datagram: UnsafeRawBufferPointer) {
      while Glibc.send(descriptor, datagram.baseAddress, datagram.count, Int32(MSG_NOSIGNAL)) < 0 {
        if errno == ENOBUFS {
          usleep(1_000)
        } else if errno != EINTR {
          failure = errno
          return
        }
      }
    }
  }

  /// Makes the handshake.
  init(_ settings: Peer.Security, _ peer: Peer, descriptor: Int32) throws(ReplayError) {
    self.peer = peer
    self.descriptor = descriptor
    let context: SecureContext
    do throws(SecureFailure) {
      context = try SecureContext(.client, isDatagrams: peer.transport == .udp, settings.identity)
    } catch {
      throw ReplayError(description: error.description)
    }
    let line = Line(descriptor)
    self.line = line
    let made: Session? =
      peer.transport == .tcp
      ? SecureStream(context, descriptor: descriptor).map { .stream($0) }
      : SecureDatagrams(context) { line.send($0) }.map { .datagrams($0) }
    guard let made else { throw ReplayError(description: "no session to be had with \(peer)") }
    session = made
    if let name = settings.serverName { secure.expect(name) }
    try handshake()
  }

  private var secure: SecureSession {
    switch session {
    case .stream(let stream): stream
    case .datagrams(let datagrams): datagrams
    }
  }

  private func handshake() throws(ReplayError) {
    var time = timeval(tv_sec: Self.patience, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += Self.patience
    var step = secure.handshake()
    while true {
      switch step {
      case .done: return
      case .failed(let reason): throw ReplayError(description: "\(peer): \(reason)")
      case .wantsRead, .wantsWrite:
        guard case .datagrams(let datagrams) = session else { throw noAnswer }
        step = try awaitAnswer(datagrams, deadline)
      }
    }
  }

  private var noAnswer: ReplayError { ReplayError(description: "\(peer) does not answer the handshake within \(Self.patience) s") }

  /// The next datagram of the handshake; sends again what may have been lost while none comes.
  private func awaitAnswer(_ datagrams: SecureDatagrams, _ deadline: timespec) throws(ReplayError) -> SecureSession.Step {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    guard now.tv_sec < deadline.tv_sec else { throw noAnswer }
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    if Glibc.poll(&entry, 1, Int32(min(datagrams.timeoutMilliseconds ?? 1000, 1000) + 1)) > 0 {
      switch receive(datagrams) {
      case .established?, .goesOn?: return .done
      case .failed(let reason)?: return .failed(reason)
      case .ended(let reason)?: return .failed(reason ?? "it ended the session")
      case .handshaking?, nil: break
      }
    } else {
      datagrams.handleTimeout()
    }
    if line.failure == ECONNREFUSED { throw ReplayError(description: "nobody listens at \(peer): \(reason(ECONNREFUSED))") }
    return .wantsRead
  }

  /// Feeds the session what has come; nil where nothing has.
  private func receive(_ datagrams: SecureDatagrams) -> SecureDatagrams.Outcome? {
    withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
      guard count > 0 else {
        if errno == ECONNREFUSED { line.failure = ECONNREFUSED }
        return nil
      }
      return datagrams.receive(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])) { _ in }
    }
  }

  /// Hands over messages that lie one behind the other; over DTLS each is a record.
  func send(_ bytes: UnsafeRawBufferPointer, lengths: ArraySlice<Int>) throws(ReplayError) {
    switch session {
    case .stream(let stream):
      if let reason = stream.send(bytes) { throw ReplayError(description: "connection to \(peer) lost: \(reason)") }
    case .datagrams(let datagrams):
      var offset = 0
      for length in lengths {
        guard length <= Self.longestRecord else {
          throw ReplayError(
            description: "a message of \(length) bytes does not fit into a record of DTLS (\(Self.longestRecord) bytes): use --tls")
        }
        if let reason = datagrams.send(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])) {
          throw ReplayError(description: "cannot send to \(peer): \(reason)")
        }
        offset += length
      }
      try listen(datagrams)
    }
  }

  /// What the peer has said in between: that it has ended the session, or is not there.
  private func listen(_ datagrams: SecureDatagrams) throws(ReplayError) {
    if case .ended(let reason)? = receive(datagrams) {
      throw ReplayError(description: "\(peer) has ended the session: \(reason ?? "without a reason")")
    }
    if line.failure != 0 { throw ReplayError(description: "cannot send to \(peer): \(reason(line.failure))") }
  }

  /// Says that nothing more will come. Over TLS the peer's own goodbye is waited for: only then is it known that this end was not refused.
  func finish() throws(ReplayError) {
    switch session {
    case .stream(let stream): if let reason = stream.finish() { throw ReplayError(description: "\(peer): \(reason)") }
    case .datagrams(let datagrams):
      try listen(datagrams)
      datagrams.sayGoodbye()
    }
  }
}
