import Glibc
import InputKit
import PluginKit
import SecureTransport
import Sockets

/// Connections whose TLS handshake is under way.
final class SecureReception {
  private let context: SecureContext
  private let guests: Guests<Int32, SecureStream>

  /// Nil where the configuration asks for plain TCP.
  init?(_ host: Host, _ options: Options) throws(PluginError) {
    guard let context = try TransportSecurity.context(host, options, isDatagrams: false),
      let group = options.group(TransportSecurity.element)
    else { return nil }
    self.context = context
    guests = Guests(host, "TLS", group)
  }

  /// A connection has been accepted; it is this object's until its handshake is done.
  func begin(_ descriptor: Int32, _ peer: SocketAddress, _ waiter: Waiter) {
    guard let secure = SecureStream(context, descriptor: descriptor) else {
      close(descriptor)
      return
    }
    if let surplus = guests.admit(secure, as: descriptor, of: peer) { close(surplus) }
    waiter.add(descriptor)
  }

  /// The descriptor is ready: its handshake goes on. Gives the connection away when it is done.
  func proceed(_ descriptor: Int32, _ waiter: Waiter) -> (SecureStream, SocketAddress)? {
    guard let secure = guests[descriptor] else { return nil }
    switch secure.handshake() {
    case .wantsRead: waiter.watch(descriptor, forWriting: false)
    case .wantsWrite: waiter.watch(descriptor, forWriting: true)
    case .failed(let reason):
      guests.refuse(descriptor, reason)
      close(descriptor)
    case .done:
      waiter.watch(descriptor, forWriting: false)
      return guests.release(descriptor)
    }
    return nil
  }

  func endExpired() { for descriptor in guests.endExpired() { close(descriptor) } }
  func endAll() { for descriptor in guests.removeAll() { close(descriptor) } }
}
