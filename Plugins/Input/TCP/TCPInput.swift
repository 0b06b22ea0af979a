import Glibc
import InputKit
import PluginABI
import PluginKit
import SecureTransport
import Sockets

/// Listens, and receives from all exporters with one thread: whoever has sent something is read once in turn, never waited for.
final class TCPInput: InputPlugin {
  let host: Host
  private let listening: Listening
  private var allowed: AllowList
  private var refusals: [SocketAddress.InlineBytes: Counter] = [:]
  private let maximumSessions: Int
  private let maximumPerAddress: Int
  private(set) var waiter: Waiter?
  private var listeners: [Listener] = []
  private var connections: [Int32: Connection] = [:]
  /// How many connections an address has.
  private var perAddress: [SocketAddress.InlineBytes: Int] = [:]
  /// So many connections have been taken, ever.
  private var accepted = 0
  /// Connections of which something has been taken off the socket and not been received yet.
  private var unread: Set<Int32> = []
  /// Over TLS: those whose handshake is under way.
  let reception: SecureReception?
  private var receiver: Receiver
  /// Descriptors ran out: the listeners rest until this time (monotonic).
  private var restUntil: UInt64?

  private let refused: Counter
  private let tooMany: Counter
  private let gaveWay: Counter
  private let faulty: Counter
  private let open: Counter

  /// A step of a handshake may take a millisecond of cryptography: those who are through have their turn in between.
  private static let handshakesPerTurn = 32

  /// Why a class: a noncopyable socket cannot stand in an array.
  private final class Listener {
    let socket: BoundSocket
    init(_ socket: consuming BoundSocket) { self.socket = socket }
  }

  init(_ host: Host, _ options: Options) throws(PluginError) {
    self.host = host
    listening = try Listening(options)
    allowed = listening.allowed
    maximumSessions = options.integer("maximumSessions") ?? 10000
    maximumPerAddress = options.integer("maximumSessionsPerAddress") ?? 1000
    receiver = Receiver(host)
    reception = try SecureReception(host, options)
    refused = host.informationCounter("refused", help: "Connections of addresses that are not allowed.")
    tooMany = host.informationCounter("too-many-sessions", help: "Connections refused because too many were open.")
    gaveWay = host.informationCounter("sessions-gave-way", help: "Connections without a message that were closed to make room for others.")
    faulty = host.informationCounter("faulty-session", help: "Sessions closed because of a bad version or length.")
    open = host.gauge("sessions", help: "Exporters that are connected.")
  }

  // MARK: Start and stop

  func start() throws(PluginError) {
    guard let waiter = Waiter() else { throw PluginError("no epoll descriptor: \(String(cString: strerror(errno)))") }
    waiter.add(host.stopDescriptor)
    for address in listening.addresses {
      let listener: Listener
      do throws(PluginError) { listener = Listener(try listening.bind(.tcp, on: address)) } catch {
        listeners = []
        throw error
      }
      waiter.add(listener.socket.descriptor)
      listeners.append(listener)
    }
    self.waiter = waiter
    for listener in listeners {
      let address = listener.socket.address
      host.log(.info, "listening on tcp \(address)" + (reception == nil ? "" : ", TLS only"))
    }
  }

  func stop() {
    for connection in connections.values { host.closeSession(connection.session) }
    connections = [:]
    perAddress = [:]
    reception?.endAll()
    listeners = []
    receiver.release()
    waiter = nil
  }

  // MARK: Running

  func poll(timeoutMilliseconds: Int) throws(PluginError) -> Bool {
    guard let waiter, host.stopNanosecondsLeft == nil else { return false }
    resumeListening()
    let ready = waiter.wait(milliseconds: unread.isEmpty ? timeoutMilliseconds : 0)
    for descriptor in unread.union(ready) {
      guard let connection = connections[descriptor] else { continue }
      guard try serve(connection) else { return false }
    }
    let goesOn = try receiver.flush()
    var handshakes = 0
    for descriptor in ready where descriptor != host.stopDescriptor && connections[descriptor] == nil {
      if let listener = listeners.first(where: { $0.socket.descriptor == descriptor }) {
        acceptAll(listener)
      } else if let reception, handshakes < Self.handshakesPerTurn {
        handshakes += 1
        if let (secure, peer) = reception.proceed(descriptor, waiter) { begin(descriptor, peer, secure) }
      }
    }
    reception?.endExpired()
    return goesOn
  }

  private func serve(_ connection: Connection) throws(PluginError) -> Bool {
    switch try receiver.receive(from: connection) {
    case .goesOn:
      if reception != nil {
        if connection.hasMore { unread.insert(connection.descriptor) } else { unread.remove(connection.descriptor) }
      }
      return true
    case .stopped: return false
    case .ended(let reason): return try end(connection, reason)
    case .bad(let reason):
      faulty.add(1)
      return try end(connection, reason)
    }
  }

  /// What has been received of a session goes out before its end. The host logs the reason.
  private func end(_ connection: Connection, _ reason: String?) throws(PluginError) -> Bool {
    let goesOn = try receiver.flush()
    forget(connection, reason)
    return goesOn
  }

  // MARK: Accepting

  private func acceptAll(_ listener: Listener) {
    // Not for ever: exporters that are connected have their turn too.
    for _ in 0..<64 {
      guard let (descriptor, peer) = listener.socket.accept() else {
        let failure = errno
        guard failure == EMFILE || failure == ENFILE || failure == ENOBUFS || failure == ENOMEM else { return }
        if failure == EMFILE, makeRoom(for: listener.socket.address, force: true) { continue }
        return restListening()
      }
      admit(descriptor, peer)
    }
  }

  private func admit(_ descriptor: Int32, _ peer: SocketAddress) {
    guard allowed.allows(peer) else {
      close(descriptor)
      refused.add(1)
      note(refusalOf: peer)
      return
    }
    guard makeRoom(for: peer) else {
      close(descriptor)
      tooMany.add(1)
      return
    }
    if let reception, let waiter {
      reception.begin(descriptor, peer, waiter)
    } else if reception == nil {
      begin(descriptor, peer, nil)
      waiter?.add(descriptor)
    }
  }

  /// Whether a further connection of that peer may be kept. Where there are too many, one that has not sent a message yet gives way: of
  /// the same address, or of the address with most connections.
  private func makeRoom(for peer: SocketAddress, force: Bool = false) -> Bool {
    let own = perAddress[peer.bytes] ?? 0
    guard force || own >= maximumPerAddress || connections.count >= maximumSessions else { return true }
    var loser = peer.bytes
    if own < maximumPerAddress, let heaviest = perAddress.max(by: { $0.value < $1.value }), heaviest.value > own { loser = heaviest.key }
    let silent = connections.values.filter { !$0.hasSpoken && $0.peer.bytes == loser }
    guard let oldest = silent.min(by: { $0.number < $1.number }) else { return false }
    gaveWay.add(1)
    forget(oldest, "it had not sent a message yet, and there were too many")
    return true
  }

  private func forget(_ connection: Connection, _ reason: String?) {
    host.closeSession(connection.session, reason: reason)
    connections[connection.descriptor] = nil
    unread.remove(connection.descriptor)
    if let count = perAddress[connection.peer.bytes] { perAddress[connection.peer.bytes] = count > 1 ? count - 1 : nil }
    open.set(UInt64(connections.count))
  }

  /// A session begins: at once over plain TCP, after the handshake over TLS.
  private func begin(_ descriptor: Int32, _ peer: SocketAddress, _ secure: SecureStream?) {
    var description = flowcep_session()
    description.transport = UInt16(FLOWCEP_TRANSPORT_TCP)
    description.remote_port = peer.port
    withUnsafeMutableBytes(of: &description.remote_address) { peer.store($0) }
    if let local = localAddress(of: descriptor) {
      description.local_port = local.port
      withUnsafeMutableBytes(of: &description.local_address) { local.store($0) }
    }
    guard let session = try? host.openSession(description, name: "\(peer)") else {
      close(descriptor)
      return
    }
    if let secure { host.log(.info, "\(peer): \(secure.summary)") }
    accepted += 1
    connections[descriptor] = Connection(descriptor: descriptor, peer: peer, session: session, secure: secure, number: accepted)
    perAddress[peer.bytes, default: 0] += 1
    // What came with the handshake's last message is no longer in the socket.
    if secure != nil { unread.insert(descriptor) }
    open.set(UInt64(connections.count))
  }

  /// A listener that cannot accept would wake the thread for ever: it rests for a second.
  private func restListening() {
    guard restUntil == nil else { return }
    host.log(.warning, "no descriptors left for further exporters: \(String(cString: strerror(errno))); trying again in a second")
    for listener in listeners { waiter?.remove(listener.socket.descriptor) }
    restUntil = host.monotonicNanoseconds + 1_000_000_000
  }

  private func resumeListening() {
    guard let until = restUntil, host.monotonicNanoseconds >= until else { return }
    for listener in listeners { waiter?.add(listener.socket.descriptor) }
    restUntil = nil
  }

  /// Says it once, and counts it for the first few peers one by one.
  private func note(refusalOf peer: SocketAddress) {
    if allowed.isFirstRefusal(of: peer) {
      host.log(.warning, "refused \(peer.host): not in any <allow>")
      if refusals.count < 64 {
        refusals[peer.bytes] = host.counter(
          "refused", kind: UInt32(FLOWCEP_COUNT_INFORMATION), label: "peer", value: "\(peer.host): not in any <allow>",
          help: "How often a peer was refused, and why.")
      }
    }
    refusals[peer.bytes]?.add(1)
  }
}
