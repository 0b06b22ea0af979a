public import Glibc

/// An IPv4 or IPv6 address and a port.
public struct SocketAddress: Sendable, Hashable {
  /// In network order; an IPv4 address as ::ffff:a.b.c.d.
  public let bytes: InlineBytes
  /// In host order.
  public var port: UInt16
  public let isIPv4: Bool
  /// Of a link-local IPv6 address: the interface's number.
  public var scope: UInt32 = 0

  /// Sixteen bytes as two words in network order.
  public struct InlineBytes: Sendable, Hashable {
    public var high: UInt64
    public var low: UInt64
  }

  /// All addresses of both families.
  public static func any(port: UInt16) -> SocketAddress {
    SocketAddress(bytes: InlineBytes(high: 0, low: 0), port: port, isIPv4: false)
  }

  private init(bytes: InlineBytes, port: UInt16, isIPv4: Bool) {
    self.bytes = bytes
    self.port = port
    self.isIPv4 = isIPv4
  }

  private init(ipv4: UInt32, port: UInt16) {
    self.init(bytes: InlineBytes(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4)), port: port, isIPv4: true)
  }

  /// An address in text; empty stands for all addresses. Nil where it is none. No names are looked up.
  public init?(_ text: String, port: UInt16) {
    if text.isEmpty {
      self = .any(port: port)
      return
    }
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      self.init(ipv4: UInt32(bigEndian: four.s_addr), port: port)
      return
    }
    var six = in6_addr()
    guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
    self = withUnsafeBytes(of: &six) { SocketAddress(sixteen: $0, port: port) }
  }

  /// - Parameter sixteen: 16 bytes in network order.
  private init(sixteen: UnsafeRawBufferPointer, port: UInt16) {
    let high = UInt64(bigEndian: sixteen.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
    let low = UInt64(bigEndian: sixteen.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    self.init(bytes: InlineBytes(high: high, low: low), port: port, isIPv4: high == 0 && low >> 32 == 0xffff)
  }

  /// An address of 16 bytes in network order, an IPv4 address as ::ffff:a.b.c.d. Nil where they are not 16.
  public init?(bytes: [UInt8], port: UInt16) {
    guard bytes.count == 16 else { return nil }
    self = bytes.withUnsafeBytes { SocketAddress(sixteen: $0, port: port) }
  }

  /// What the kernel gave; an IPv4 address in IPv6 clothes (of a dual-stack socket) is an IPv4 address. Nil for other families.
  public init?(_ storage: sockaddr_storage) {
    let family = Int32(storage.ss_family)
    let made: SocketAddress? = withUnsafeBytes(of: storage) { raw in
      switch family {
      case AF_INET:
        let four = raw.load(as: sockaddr_in.self)
        return SocketAddress(ipv4: UInt32(bigEndian: four.sin_addr.s_addr), port: UInt16(bigEndian: four.sin_port))
      case AF_INET6:
        let six = raw.load(as: sockaddr_in6.self)
        var made = withUnsafeBytes(of: six.sin6_addr) { SocketAddress(sixteen: $0, port: UInt16(bigEndian: six.sin6_port)) }
        made.scope = six.sin6_scope_id
        return made
      default: return nil
      }
    }
    guard let made else { return nil }
    self = made
  }

  public var isAny: Bool { !isIPv4 ? bytes.high == 0 && bytes.low == 0 : bytes.low == 0xffff_0000_0000 }
  public var isLoopback: Bool { isIPv4 ? (bytes.low >> 24) & 0xff == 127 : bytes.high == 0 && bytes.low == 1 }

  /// The address alone: `127.0.0.1`, `2001:db8::1`.
  public var host: String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if isIPv4 {
      var four = in_addr(s_addr: UInt32(truncatingIfNeeded: bytes.low).bigEndian)
      inet_ntop(AF_INET, &four, &text, socklen_t(text.count))
    } else {
      var six = sixteen
      inet_ntop(AF_INET6, &six, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private var sixteen: in6_addr {
    var six = in6_addr()
    withUnsafeMutableBytes(of: &six) {
      $0.storeBytes(of: bytes.high.bigEndian, toByteOffset: 0, as: UInt64.self)
      $0.storeBytes(of: bytes.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return six
  }

  /// As the kernel takes it.
  public func withSockAddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
    if isIPv4 {
      var four = sockaddr_in()
      four.sin_family = sa_family_t(AF_INET)
      four.sin_port = port.bigEndian
      four.sin_addr = in_addr(s_addr: UInt32(truncatingIfNeeded: bytes.low).bigEndian)
      return withUnsafePointer(to: &four) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
      }
    }
    var six = sockaddr_in6()
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = port.bigEndian
    six.sin6_addr = sixteen
    six.sin6_scope_id = scope
    return withUnsafePointer(to: &six) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
    }
  }

  /// Copies the 16 bytes to where a C struct keeps them.
  public func store(_ place: UnsafeMutableRawBufferPointer) {
    place.storeBytes(of: bytes.high.bigEndian, toByteOffset: 0, as: UInt64.self)
    place.storeBytes(of: bytes.low.bigEndian, toByteOffset: 8, as: UInt64.self)
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:4739`, `[::1]:4739`.
  public var description: String { isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}
