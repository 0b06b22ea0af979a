import CLinux
import Glibc

/// A socket that is bound to a local address. Closed when it goes.
public struct BoundSocket: ~Copyable {
  public enum Kind: Sendable {
    case tcp, udp
    public var name: String { self == .tcp ? "tcp" : "udp" }
  }

  /// Why a socket cannot be had.
  public struct Failure: Error, Sendable {
    /// The call's name.
    public let step: String
    public let errno: Int32
    public var reason: String { String(cString: strerror(errno)) }
  }

  public let descriptor: Int32
  /// Where it really is bound: with port 0 asked for, the port that the kernel chose.
  public let address: SocketAddress
  public let kind: Kind

  /// Binds, and for TCP listens. Never blocks afterwards. All addresses (`SocketAddress.any`) are those of both families; where
  /// the machine has no IPv6, those of IPv4.
  ///
  /// - Parameters:
  ///   - reusingPort: whether other sockets of this user may be bound to the same address; the kernel divides the peers among them, by
  ///     address and port.
  ///   - closed: whether nothing is received until `open` is called.
  public init(_ kind: Kind, on wanted: SocketAddress, reusingPort: Bool = false, closed: Bool = false) throws(Failure) {
    do throws(Failure) {
      self = try Self.make(kind, wanted, reusingPort, closed)
    } catch {
      guard !wanted.isIPv4, wanted.isAny, error.errno == EAFNOSUPPORT || error.errno == EADDRNOTAVAIL,
        let four = SocketAddress("0.0.0.0", port: wanted.port)
      else { throw error }
      self = try Self.make(kind, four, reusingPort, closed)
    }
  }

  private init(descriptor: Int32, address: SocketAddress, kind: Kind) {
    self.descriptor = descriptor
    self.address = address
    self.kind = kind
  }

  deinit { close(descriptor) }

  private static func make(_ kind: Kind, _ wanted: SocketAddress, _ reusingPort: Bool, _ closed: Bool) throws(Failure) -> BoundSocket {
    let type = kind == .tcp ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue
    let flags = SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
    let descriptor = socket(wanted.isIPv4 ? AF_INET : AF_INET6, Int32(type | flags), 0)
    guard descriptor >= 0 else { throw Failure(step: "socket", errno: errno) }
    func fail(_ step: String) -> Failure {
      let failure = Failure(step: step, errno: errno)
      close(descriptor)
      return failure
    }
    if kind == .tcp { set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) }
    if reusingPort { set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
    if closed { guard flowcep_close_gate(descriptor) == 0 else { throw fail("SO_ATTACH_FILTER") } }
    if !wanted.isIPv4 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, wanted.isAny ? 0 : 1) }
    guard wanted.withSockAddr({ bind(descriptor, $0, $1) }) == 0 else { throw fail("bind") }
    if kind == .tcp { guard listen(descriptor, 512) == 0 else { throw fail("listen") } }
    guard let bound = localAddress(of: descriptor) else { throw fail("getsockname") }
    return BoundSocket(descriptor: descriptor, address: bound, kind: kind)
  }

  @discardableResult
  private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Bool {
    var value = value
    return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
  }

  /// From now on a socket that was made closed receives.
  public func open() { _ = flowcep_open_gate(descriptor) }

  /// The receive buffer in bytes as the kernel counts it (twice what was asked for); asks for `bytes` first where given.
  public func receiveBuffer(asking bytes: Int? = nil) -> Int {
    if let bytes { Self.set(descriptor, SOL_SOCKET, SO_RCVBUF, Int32(clamping: bytes)) }
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &value, &length)
    return Int(value)
  }

  /// The next waiting connection, not blocking; nil with the errno where there is none.
  public func accept() -> (descriptor: Int32, peer: SocketAddress)? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let accepted = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(descriptor, $0, &length) }
    }
    guard accepted >= 0 else { return nil }
    _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
    _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
    guard let peer = SocketAddress(storage) else {
      close(accepted)
      errno = EPROTO
      return nil
    }
    return (accepted, peer)
  }
}

/// The local end of a socket.
public func localAddress(of descriptor: Int32) -> SocketAddress? {
  var storage = sockaddr_storage()
  var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
  let result = withUnsafeMutablePointer(to: &storage) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
  }
  return result == 0 ? SocketAddress(storage) : nil
}
