import COpenSSL

/// Where a DTLS session's datagrams come from and go to: a BIO of our own, since one socket serves many sessions.
final class DatagramPort {
  /// Sends one datagram.
  var send: (UnsafeRawBufferPointer) -> Void
  /// The peer's address and port, which its cookie must be of.
  var peer: [UInt8]
  let secret: CookieSecret?
  /// The datagram that has come and has not been read yet.
  private var input: UnsafeRawBufferPointer?

  init(peer: [UInt8], secret: CookieSecret?, send: @escaping (UnsafeRawBufferPointer) -> Void) {
    (self.peer, self.secret, self.send) = (peer, secret, send)
  }

  /// Runs `body` while the session can read this datagram.
  func with<R>(_ datagram: UnsafeRawBufferPointer, _ body: () -> R) -> R {
    input = datagram
    defer { input = nil }
    return body()
  }

  /// Makes the port the session's; it must live as long.
  func attach(to ssl: OpaquePointer) -> Bool {
    guard let method = Self.method, let bio = BIO_new(method) else { return false }
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    BIO_set_init(bio, 1)
    SSL_set_bio(ssl, bio, bio)
    return true
  }

  static func of(_ bio: OpaquePointer?) -> DatagramPort? {
    guard let bio, let data = BIO_get_data(bio) else { return nil }
    return Unmanaged<DatagramPort>.fromOpaque(data).takeUnretainedValue()
  }

  private func read(_ place: UnsafeMutablePointer<CChar>, _ count: Int32) -> Int32 {
    guard let datagram = input else { return -1 }
    input = nil
    // A datagram is read whole; what does not fit is gone, as from a socket.
    let taken = min(datagram.count, Int(count))
    UnsafeMutableRawBufferPointer(start: place, count: taken).copyMemory(from: UnsafeRawBufferPointer(rebasing: datagram[..<taken]))
    return Int32(taken)
  }

  /// Made once, and kept for as long as the process runs.
  nonisolated(unsafe) private static let method: OpaquePointer? = {
    let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = BIO_meth_new(kind, "flowcep datagrams") else { return nil }
    BIO_meth_set_read(method) { bio, place, count in
      flowcep_bio_clear_retry(bio)
      guard let port = DatagramPort.of(bio), let place, count > 0 else { return -1 }
      let taken = port.read(place, count)
      if taken < 0 { flowcep_bio_retry_read(bio) }
      return taken
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      flowcep_bio_clear_retry(bio)
      guard let port = DatagramPort.of(bio), let bytes, count > 0 else { return -1 }
      port.send(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in
      switch command {
      case BIO_CTRL_FLUSH, BIO_CTRL_DUP, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: 1
      // An IPv6 header and one of UDP.
      case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: 48
      default: 0
      }
    }
    return method
  }()
}
