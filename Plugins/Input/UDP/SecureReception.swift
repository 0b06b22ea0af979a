import Glibc
import InputKit
import PluginKit
import SecureTransport
import Sockets

/// Sources whose DTLS handshake is under way, and those who ask for one. Of those who have not given their cookie back, nothing is kept.
final class SecureReception {
  struct Guest {
    let secure: SecureDatagrams
    /// Names the handshake, so that a further one of the same source is told from a repetition.
    let random: [UInt8]
  }

  private let gate: SecureGate
  private let guests: Guests<SocketAddress, Guest>
  let stray: Counter
  let discarded: Counter

  /// Nil where the configuration asks for plain UDP.
  init?(_ host: Host, _ options: Options) throws(PluginError) {
    guard let context = try TransportSecurity.context(host, options, isDatagrams: true),
      let group = options.group(TransportSecurity.element)
    else { return nil }
    gate = SecureGate(context)
    guests = Guests(host, "DTLS", group)
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
    _ = guests.admit(Guest(secure: secure, random: random), as: address, of: address)
    if case .failed(let reason) = secure.handshake() { refuse(address, reason) }
  }

  func refuse(_ address: SocketAddress, _ reason: String) { guests.refuse(address, reason) }

  /// The handshake is done: the source is its input's from now on.
  func release(_ address: SocketAddress) { _ = guests.release(address) }

  /// Sends again what has been lost, and ends those whose time is over.
  func tend() {
    for guest in guests.all { guest.secure.handleTimeout() }
    _ = guests.endExpired()
  }
}
