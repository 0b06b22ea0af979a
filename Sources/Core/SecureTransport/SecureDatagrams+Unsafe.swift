import COpenSSL

/// One peer's DTLS session. Datagrams are fed to it one by one; what it has to say goes out by itself.
public final class SecureDatagrams: SecureSession {
  fileprivate let port: DatagramPort
  /// The largest record's text.
  private static let longestRecord = 1 << 14
  /// Of a handshake's datagrams; what passes every network.
  private static let linkMTU = 1280

  init?(_ context: SecureContext, peer: [UInt8], secret: CookieSecret?, send: @escaping (UnsafeRawBufferPointer) -> Void) {
    port = DatagramPort(peer: peer, secret: secret, send: send)
    super.init(context)
    guard port.attach(to: ssl) else { return nil }
    flowcep_dtls_set_link_mtu(ssl, Self.linkMTU)
  }

  /// A session that this end begins.
  public convenience init?(_ context: SecureContext, send: @escaping (UnsafeRawBufferPointer) -> Void) {
    self.init(context, peer: [], secret: nil, send: send)
  }

  /// What a datagram led to.
  public enum Outcome: Sendable, Equatable {
    case handshaking
    /// The handshake ended with this datagram.
    case established
    case goesOn
    case failed(String)
    /// In order, or why not.
    case ended(String?)
  }

  /// - Parameter record: called with the text of each record in the datagram.
  public func receive(_ datagram: UnsafeRawBufferPointer, record: (UnsafeRawBufferPointer) -> Void) -> Outcome {
    port.with(datagram) {
      let wasEstablished = isEstablished
      switch handshake() {
      case .failed(let reason): return .failed(reason)
      case .wantsRead, .wantsWrite: return .handshaking
      case .done: break
      }
      let outcome = readRecords(record)
      return outcome == .goesOn && !wasEstablished ? .established : outcome
    }
  }

  private func readRecords(_ record: (UnsafeRawBufferPointer) -> Void) -> Outcome {
    withUnsafeTemporaryAllocation(byteCount: Self.longestRecord, alignment: 16) { scratch in
      while true {
        switch read(into: scratch) {
        case .bytes(let count): record(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        case .nothingYet: return .goesOn
        case .ended(let reason): return .ended(reason)
        }
      }
    }
  }

  /// Sends the handshake's last flight again where its time has come.
  public func handleTimeout() { if !isEstablished { _ = flowcep_dtls_handle_timeout(ssl) } }

  /// Milliseconds until `handleTimeout` has something to do; nil where it has not.
  public var timeoutMilliseconds: Int? {
    let left = flowcep_dtls_timeout(ssl)
    return left < 0 ? nil : left
  }

  /// Sends one message as one record.
  /// - Returns: nil, or why it could not be sent.
  public func send(_ message: UnsafeRawBufferPointer) -> String? {
    ERR_clear_error()
    let count = SSL_write(ssl, message.baseAddress, Int32(clamping: message.count))
    return count == message.count ? nil : failure(SSL_get_error(ssl, count))
  }

  /// Whether a datagram begins with a handshake's first message (RFC 6347 §4.2.2), and the random value that names the handshake.
  public static func helloRandom(_ datagram: UnsafeRawBufferPointer) -> [UInt8]? {
    // Record header of 13 bytes, of epoch 0; message header of 12; version of 2; random of 32.
    guard datagram.count >= 59, datagram[0] == 22, datagram[3] == 0, datagram[4] == 0, datagram[13] == 1 else { return nil }
    return Array(datagram[27..<59])
  }
}

/// Answers those who have no session yet. Nothing is kept of anybody until a cookie has come back (RFC 6347 §4.2.1).
public final class SecureGate {
  private let context: SecureContext
  private let secret = CookieSecret()
  /// Answers until it is given away.
  private var listening: SecureDatagrams?

  public init(_ context: SecureContext) { self.context = context }

  /// A session of the peer, once it has given its cookie back; its answer to the datagram is still to come. Nil where a cookie was
  /// sent, or where the datagram is none that a handshake begins with.
  ///
  /// - Parameters:
  ///   - peer: its address and port, as bytes.
  ///   - send: sends a datagram to it, now and later.
  public func receive(
    _ datagram: UnsafeRawBufferPointer, from peer: [UInt8], send: @escaping (UnsafeRawBufferPointer) -> Void
  ) -> SecureDatagrams? {
    let session = listening ?? SecureDatagrams(context, peer: peer, secret: secret, send: send)
    guard let session else { return nil }
    (session.port.peer, session.port.send) = (peer, send)
    let isVerified = session.listen(to: datagram)
    listening = isVerified ? nil : session
    return isVerified ? session : nil
  }
}

extension SecureDatagrams {
  fileprivate func listen(to datagram: UnsafeRawBufferPointer) -> Bool {
    guard let address = BIO_ADDR_new() else { return false }
    defer { BIO_ADDR_free(address) }
    ERR_clear_error()
    let isVerified = port.with(datagram) { DTLSv1_listen(ssl, address) } == 1
    ERR_clear_error()
    return isVerified
  }
}
