import Glibc
import InputKit
import PluginKit
import SecureTransport
import Sockets

/// Connections whose TLS handshake is under way. None is waited for; each has its time, and all together their number.
final class SecureReception {
  private struct Guest {
    let peer: SocketAddress
    let secure: SecureStream
  }

  private let host: Host
  private let context: SecureContext
  private var guests: [Int32: Guest] = [:]
  private var handshakes: Handshakes<Int32, SocketAddress.InlineBytes>
  private var refusals: RefusalLog
  private var refusedPeers: RefusedPeers

  private let refused: Counter
  private let late: Counter
  private let tooMany: Counter
  private let done: Counter
  private let underWay: Counter

  /// Nil where the configuration asks for plain TCP.
  init?(_ host: Host, _ options: Options) throws(PluginError) {
    guard let context = try TransportSecurity.context(host, options, isDatagrams: false),
      let group = options.group(TransportSecurity.element)
    else { return nil }
    self.host = host
    self.context = context
    handshakes = Handshakes(
      maximum: group.integer("maximumHandshakes") ?? 256, timeout: UInt64(group.integer("handshakeTimeout") ?? 10_000_000_000))
    refusals = RefusalLog(host)
    refusedPeers = RefusedPeers(host)
    refused = host.informationCounter("tls-refused", help: "Connections whose TLS handshake failed: no certificate, the wrong one, no TLS.")
    late = host.informationCounter("tls-timeout", help: "Connections whose TLS handshake took longer than handshakeTimeout.")
    tooMany = host.informationCounter("tls-too-many", help: "Connections that gave way because maximumHandshakes were under way.")
    done = host.informationCounter("tls-established", help: "TLS handshakes that succeeded.")
    underWay = host.gauge("tls-handshakes", help: "TLS handshakes that are under way.")
  }

  /// A connection has been accepted; it is this object's until its handshake is done.
  func begin(_ descriptor: Int32, _ peer: SocketAddress, _ waiter: Waiter) {
    if let surplus = handshakes.surplus(for: peer.bytes) {
      tooMany.add(1)
      end(surplus, "too many handshakes are under way")
    }
    guard let secure = SecureStream(context, descriptor: descriptor) else {
      close(descriptor)
      return
    }
    guests[descriptor] = Guest(peer: peer, secure: secure)
    handshakes.begin(descriptor, of: peer.bytes, now: host.monotonicNanoseconds)
    waiter.add(descriptor)
    underWay.set(UInt64(guests.count))
  }

  /// The descriptor is ready: its handshake goes on. Gives the connection away when it is done.
  func proceed(_ descriptor: Int32, _ waiter: Waiter) -> (SocketAddress, SecureStream)? {
    guard let guest = guests[descriptor] else { return nil }
    switch guest.secure.handshake() {
    case .wantsRead: waiter.watch(descriptor, forWriting: false)
    case .wantsWrite: waiter.watch(descriptor, forWriting: true)
    case .failed(let reason):
      refused.add(1)
      end(descriptor, reason)
    case .done:
      waiter.watch(descriptor, forWriting: false)
      handshakes.end(descriptor)
      guests[descriptor] = nil
      done.add(1)
      underWay.set(UInt64(guests.count))
      return (guest.peer, guest.secure)
    }
    return nil
  }

  func endExpired() {
    guard !guests.isEmpty else { return }
    for descriptor in handshakes.expired(now: host.monotonicNanoseconds) {
      late.add(1)
      end(descriptor, "its TLS handshake took too long")
    }
  }

  func endAll() {
    for descriptor in guests.keys { close(descriptor) }
    guests = [:]
  }

  private func end(_ descriptor: Int32, _ reason: String) {
    handshakes.end(descriptor)
    guard let guest = guests.removeValue(forKey: descriptor) else { return }
    refusals.say("refused \(guest.peer): \(reason)")
    refusedPeers.note(guest.peer.host, reason)
    close(descriptor)
    underWay.set(UInt64(guests.count))
  }
}
