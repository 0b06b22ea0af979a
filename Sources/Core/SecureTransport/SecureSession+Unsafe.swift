import COpenSSL
import Glibc

/// One peer's TLS or DTLS session (an `SSL`): its handshake, and what it failed of. Of one thread.
public class SecureSession {
  public enum Step: Sendable {
    case done
    /// The handshake goes on when the socket can be read, or written to.
    case wantsRead, wantsWrite
    case failed(String)
  }

  let ssl: OpaquePointer
  private let context: SecureContext
  private let check: PeerCheck
  private(set) var isEstablished = false
  private(set) var hasFailed = false

  /// Nil where OpenSSL has no memory.
  init?(_ context: SecureContext) {
    guard let ssl = SSL_new(context.raw) else { return nil }
    self.ssl = ssl
    self.context = context
    check = PeerCheck(context.settings)
    check.attach(to: ssl)
    if context.role == .server { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
  }

  deinit { SSL_free(ssl) }

  /// The peer's certificate must be of this name or address, which it is also told (SNI). Before the handshake, of a client.
  public func expect(_ host: String) {
    if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 { return }
    SSL_set1_host(ssl, host)
    _ = flowcep_ssl_set_server_name(ssl, host)
  }

  /// As far as the handshake goes without waiting.
  public func handshake() -> Step {
    if isEstablished { return .done }
    ERR_clear_error()
    errno = 0
    let result = SSL_do_handshake(ssl)
    if result == 1 {
      isEstablished = true
      return .done
    }
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .wantsRead
    case SSL_ERROR_WANT_WRITE: return .wantsWrite
    case let code: return .failed(handshakeFailure(code))
    }
  }

  /// Version, cipher and the peer's name: `TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of /CN=exporter`.
  public var summary: String {
    let version = SSL_get_version(ssl).map { String(cString: $0) } ?? "?"
    let cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "?"
    return "\(version), \(cipher), certificate of \(check.subject ?? "nobody")"
  }

  /// Tells the peer that nothing more will come (close_notify). Once, and not within a handshake.
  public func sayGoodbye() {
    guard isEstablished, !hasFailed, SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
    ERR_clear_error()
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  // MARK: Reading

  enum Read {
    case bytes(Int)
    case nothingYet
    /// In order, or why not.
    case ended(String?)
  }

  func read(into room: UnsafeMutableRawBufferPointer) -> Read {
    ERR_clear_error()
    errno = 0
    let count = SSL_read(ssl, room.baseAddress, Int32(clamping: room.count))
    if count > 0 { return .bytes(Int(count)) }
    switch SSL_get_error(ssl, count) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .nothingYet
    case SSL_ERROR_ZERO_RETURN: return .ended(nil)
    case let code:
      hasFailed = true
      return .ended(failure(code))
    }
  }

  /// How a session that has been established broke.
  func failure(_ code: Int32) -> String {
    hasFailed = true
    if code == SSL_ERROR_SYSCALL { return errno == 0 ? Self.cutOff : LibraryErrors.system }
    let reason = LibraryErrors.take() ?? "no reason"
    return reason.contains("unexpected eof") ? Self.cutOff : reason
  }

  private static let cutOff = "the connection ended without a goodbye (close_notify): something may be missing"

  // MARK: Why a handshake failed

  private func handshakeFailure(_ code: Int32) -> String {
    hasFailed = true
    let name = context.isDatagrams ? "DTLS" : "TLS"
    let of = check.subject.map { "; certificate of \($0)" } ?? ""
    if let failure = check.failure {
      _ = LibraryErrors.take()
      return "\(name) handshake failed: certificate refused: \(failure)\(of)"
    }
    if code == SSL_ERROR_SYSCALL, errno != 0 { return "\(name) handshake failed: \(LibraryErrors.system)" }
    guard let reason = LibraryErrors.take() else { return "\(name) handshake failed: the connection ended in its middle" }
    return "\(name) handshake failed: \(Self.plain(reason))\(of)"
  }

  private static func plain(_ reason: String) -> String {
    switch reason {
    case "peer did not return a certificate": "the peer gave no certificate"
    case "unexpected eof while reading": "the connection ended in its middle"
    case "wrong version number", "http request", "https proxy request", "packet length too long", "bad record type", "unexpected message":
      "what came is no handshake (\(reason))"
    default: reason.contains(" alert ") ? "the peer refused it (\(reason))" : reason
    }
  }
}
