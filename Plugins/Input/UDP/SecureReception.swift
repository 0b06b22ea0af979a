import Glibc
import InputKit
import PluginKit
import SecureTransport
import Sockets

/// Sources whose DTLS handshake is under way, and those who ask for one. None is waited for; each has its time, and all together their
/// number. Of those who have not given their cookie back, nothing is kept.
final class SecureReception {
  struct Guest {
    let secure: SecureDatagrams
    /// Names the handshake, so that a further one of the same source is told from a repetition.
    let random: [UInt8]
  }

  private let host: Host
  private let gate: SecureGate
  private var guests: [SocketAddress: Guest] = [:]
  private var handshakes: Handshakes<SocketAddress, SocketAddress.InlineBytes>
  private var refusals: RefusalLog
  private var refusedPeers: RefusedPeers

  private let refused: Counter
  private let late: Counter
  private let tooMany: Counter
  private let done: Counter
  private let underWay: Counter
  let stray: Counter
  let discarded: Counter

  /// Nil where the configuration asks for plain UDP.
  init?(_ host: Host, _ options: Options) throws(PluginError) {
    guard let context = try TransportSecurity.context(host, options, isDatagrams: true),
      let group = options.group(TransportSecurity.element)
    else { return nil }
    self.host = host
    gate = SecureGate(context)
    handshakes = Handshakes(
      maximum: group.integer("maximumHandshakes") ?? 256, timeout: UInt64(group.integer("handshakeTimeout") ?? 10_000_000_000))
    refusals = RefusalLog(host)
    refusedPeers = RefusedPeers(host)
    refused = host.informationCounter("dtls-refused", help: "DTLS handshakes that failed: no certificate, the wrong one.")
    late = host.informationCounter("dtls-timeout", help: "DTLS handshakes that took longer than handshakeTimeout.")
    tooMany = host.informationCounter("dtls-too-many", help: "DTLS handshakes that gave way because maximumHandshakes were under way.")
    done = host.informationCounter("dtls-established", help: "DTLS handshakes that succeeded.")
    underWay = host.gauge("dtls-handshakes", help: "DTLS handshakes that are under way.")
    stray = host.lostCounter("no-dtls-session", help: "Datagrams of sources that have no DTLS session and begin none.")
    discarded = host.informationCounter(
      "dtls-no-message", help: "Datagrams of DTLS sessions without a message: of the protocol itself, repeated, or forged.")
  }

  /// The guest's handshake that a datagram belongs to.
  func guest(at address: SocketAddress, _ hello: [UInt8]?) -> Guest? {
    guard let guest = guests[address], hello == nil || hello == guest.random else { return nil }
    return guest
  }

  /// A handshake's first message: a cookie is sent, or the one that came back begins the handshake.
  func knock(_ datagram: UnsafeRawBufferPointer, _ random: [UInt8], from address: SocketAddress, on descriptor: Int32) {
    var peer = [UInt8](repeating: 0, count: 16)
    peer.withUnsafeMutableBytes { address.store($0) }
    peer += [UInt8(address.port >> 8), UInt8(address.port & 0xff)]
    let admitted = gate.receive(datagram, from: peer) { bytes in
      _ = address.withSockAddr { sendto(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), $0, $1) }
    }
    guard let secure = admitted else { return }
    if guests[address] == nil, let surplus = handshakes.surplus(for: address.bytes) {
      tooMany.add(1)
      end(surplus, "too many handshakes are under way")
    }
    guests[address] = Guest(secure: secure, random: random)
    handshakes.begin(address, of: address.bytes, now: host.monotonicNanoseconds)
    underWay.set(UInt64(guests.count))
    if case .failed(let reason) = secure.handshake() { refuse(address, reason) }
  }

  func refuse(_ address: SocketAddress, _ reason: String) {
    refused.add(1)
    end(address, reason)
  }

  /// The handshake is done: the source is its input's from now on.
  func release(_ address: SocketAddress) {
    handshakes.end(address)
    guests[address] = nil
    done.add(1)
    underWay.set(UInt64(guests.count))
  }

  /// Sends again what has been lost, and ends those whose time is over.
  func tend() {
    guard !guests.isEmpty else { return }
    for guest in guests.values { guest.secure.handleTimeout() }
    for address in handshakes.expired(now: host.monotonicNanoseconds) {
      late.add(1)
      end(address, "its DTLS handshake took too long")
    }
  }

  private func end(_ address: SocketAddress, _ reason: String) {
    handshakes.end(address)
    guard guests.removeValue(forKey: address) != nil else { return }
    refusals.say("refused \(address): \(reason)")
    refusedPeers.note(address.host, reason)
    underWay.set(UInt64(guests.count))
  }
}
