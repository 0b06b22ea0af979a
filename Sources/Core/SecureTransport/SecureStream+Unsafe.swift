import COpenSSL

/// TLS over a TCP connection. The descriptor stays its owner's.
public final class SecureStream: SecureSession {
  /// What came behind the bytes of the last `receive`.
  private var end: Read?

  public init?(_ context: SecureContext, descriptor: Int32) {
    super.init(context)
    guard SSL_set_fd(ssl, descriptor) == 1 else { return nil }
  }

  public enum Received: Sendable {
    case bytes(Int)
    case nothingYet
    /// In order, or why not.
    case ended(String?)
  }

  /// What has come, as much as there is room for.
  public func receive(into room: UnsafeMutableRawBufferPointer) -> Received {
    var used = 0
    while end == nil, used < room.count {
      switch read(into: UnsafeMutableRawBufferPointer(rebasing: room[used...])) {
      case .bytes(let count): used += count
      case .nothingYet: return used > 0 ? .bytes(used) : .nothingYet
      case let other: end = other
      }
    }
    if used > 0 { return .bytes(used) }
    if case .ended(let reason)? = end { return .ended(reason) }
    return .nothingYet
  }

  /// Something can be received though the socket itself has nothing.
  public var hasMore: Bool { end != nil || SSL_pending(ssl) > 0 }

  /// Hands bytes over; waits where the descriptor does.
  /// - Returns: nil, or why they could not be sent.
  public func send(_ bytes: UnsafeRawBufferPointer) -> String? {
    var rest = bytes
    while !rest.isEmpty {
      ERR_clear_error()
      let count = SSL_write(ssl, rest.baseAddress, Int32(clamping: min(rest.count, 1 << 20)))
      guard count > 0 else { return farewell() ?? failure(SSL_get_error(ssl, count)) }
      rest = UnsafeRawBufferPointer(rebasing: rest[Int(count)...])
    }
    return nil
  }

  /// Says that nothing more will come, and waits for the peer to say the same: a peer that refuses this end's certificate may say
  /// so only after this end's handshake (TLS 1.3).
  /// - Returns: nil, or why the peer has not taken what was sent.
  public func finish() -> String? {
    sayGoodbye()
    return farewell()
  }

  /// What the peer said last, where it has ended the session for a reason.
  private func farewell() -> String? {
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    defer { scratch.deallocate() }
    while true {
      ERR_clear_error()
      let count = SSL_read(ssl, scratch.baseAddress, Int32(scratch.count))
      if count > 0 { continue }
      guard SSL_get_error(ssl, count) == SSL_ERROR_SSL, let reason = LibraryErrors.take(), reason.contains("alert") else { return nil }
      return "the peer refused it (\(reason))"
    }
  }
}
