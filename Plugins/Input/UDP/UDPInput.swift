import CLinux
import Glibc
import InputKit
import PluginABI
import PluginKit
import SecureTransport
import Sockets

/// Receives datagrams, many with one system call, and gives each source address and port a session of its own.
final class UDPInput: InputPlugin {
  let host: Host
  private let listening: Listening
  private var isOpen = false
  private let receiveBuffer: Int?
  /// The operator has asked for a receive buffer of that size.
  private let wantsReceiveBuffer: Bool
  private let sessionTimeout: UInt64
  private var allowed: AllowList
  private var refusals: [SocketAddress.InlineBytes: Counter] = [:]
  private var listeners: [Listener] = []
  var sources: SourceTable
  let reader = DatagramReader()
  var packets: [flowcep_packet] = []
  /// Over DTLS: the messages that the packets refer to.
  var messages: [UInt8] = []
  /// Over DTLS: those whose handshake is under way.
  private let reception: SecureReception?
  /// The datagrams of the last receive that are taken, in order.
  private var taken: [Int] = []
  /// Sources that gave way: their sessions end when the packets that refer to them have been handed over.
  private var ending: [(source: SourceTable.Source, reason: String?)] = []
  private var nextExpiry: UInt64 = 0

  private let kernelDrop: Counter
  private let refused: Counter
  private let tooMany: Counter
  private let gaveWay: Counter
  let stopping: Counter
  private let open: Counter

  /// Why a class: a noncopyable socket cannot stand in an array.
  final class Listener {
    let socket: BoundSocket
    /// The kernel's count when it was last looked at.
    var drops: UInt32 = 0
    init(_ socket: consuming BoundSocket) { self.socket = socket }
  }

  init(_ host: Host, _ options: Options) throws(PluginError) {
    self.host = host
    listening = try Listening(options)
    allowed = listening.allowed
    receiveBuffer = options.integer("receiveBuffer")
    wantsReceiveBuffer = options.place("receiveBuffer") != nil
    sessionTimeout = UInt64(options.integer("sessionTimeout") ?? 3_600_000_000_000)
    sources = SourceTable(
      maximum: options.integer("maximumSessions") ?? 10000, maximumPerAddress: options.integer("maximumSessionsPerAddress") ?? 1000)
    reception = try SecureReception(host, options)
    kernelDrop = host.lostCounter("kernel-drop", help: "Datagrams that the kernel dropped because the receive buffer was full.")
    refused = host.lostCounter("refused", help: "Datagrams of addresses that are not allowed.")
    tooMany = host.lostCounter("too-many-sessions", help: "Datagrams of further sources while maximumSessions were known.")
    gaveWay = host.informationCounter("sessions-gave-way", help: "Sources that were forgotten to make room for others.")
    stopping = host.lostCounter("stopping", help: "Datagrams received while the collector stopped.")
    open = host.gauge("sessions", help: "Sources that are remembered.")
  }

  // MARK: Start and stop

  func start() throws(PluginError) {
    for address in listening.addresses {
      let listener: Listener
      // Among several instances sources are divided when all are there: until then none is open.
      do throws(PluginError) { listener = Listener(try listening.bind(.udp, on: address, closed: listening.isShared)) } catch {
        listeners = []
        throw error
      }
      listeners.append(listener)
    }
    for listener in listeners {
      let address = listener.socket.address
      let size = listener.socket.receiveBuffer(asking: receiveBuffer)
      host.log(.info, "listening on udp \(address)" + (reception == nil ? "" : ", DTLS only"))
      host.log(.info, "receive buffer \(size) bytes")
      if let receiveBuffer, wantsReceiveBuffer, size < receiveBuffer {
        host.log(.warning, "the system grants a receive buffer of \(size) bytes, not \(receiveBuffer): raise net.core.rmem_max")
      }
    }
  }

  func stop() {
    countKernelDrops()
    for source in sources.all {
      source.secure?.sayGoodbye()
      host.closeSession(source.session)
    }
    listeners = []
  }

  // MARK: Running

  func poll(timeoutMilliseconds: Int) throws(PluginError) -> Bool {
    guard host.stopNanosecondsLeft == nil else { return false }
    if !isOpen { openAll() }
    var waiting = listeners.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
    waiting.append(pollfd(fd: host.stopDescriptor, events: Int16(POLLIN), revents: 0))
    let ready = Glibc.poll(&waiting, nfds_t(waiting.count), Int32(clamping: timeoutMilliseconds))
    if ready > 0 {
      for (index, listener) in listeners.enumerated() where waiting[index].revents != 0 {
        guard try receive(listener) else { return false }
      }
    }
    countKernelDrops()
    forgetQuietSources()
    reception?.tend()
    return true
  }

  /// No instance is polled before all have started. What came before is as if nobody had listened yet.
  private func openAll() {
    isOpen = true
    guard listening.isShared else { return }
    for listener in listeners {
      listener.drops = UInt32(truncatingIfNeeded: max(0, flowcep_socket_drops(listener.socket.descriptor)))
      listener.socket.open()
    }
  }

  /// Takes what waits at a socket, up to a few system calls' worth, so that other sockets have their turn.
  private func receive(_ listener: Listener) throws(PluginError) -> Bool {
    for _ in 0..<8 {
      let count = reader.receive(from: listener.socket.descriptor)
      if count > 0 {
        let goesOn = if let reception { try handOverSecure(count, listener, reception) } else { try handOver(count, listener) }
        guard goesOn else { return false }
      }
      if count < DatagramReader.slots { break }
    }
    return true
  }

  private func handOver(_ count: Int, _ listener: Listener) throws(PluginError) -> Bool {
    let arrival = host.wallNanoseconds
    let now = host.monotonicNanoseconds
    taken.removeAll(keepingCapacity: true)
    packets.removeAll(keepingCapacity: true)
    var total = 0
    for index in 0..<count {
      let length = reader.datagram(index).count
      guard let address = reader.source(index), let source = source(at: address, listener, now) else { continue }
      source.lastHeard = now
      taken.append(index)
      packets.append(
        flowcep_packet(session: source.session, arrival_ns: arrival, offset: UInt32(total), length: UInt32(length)))
      total += length
    }
    defer { endForgotten() }
    guard !packets.isEmpty else { return true }
    guard let buffer = host.newBuffer(capacity: total) else {
      stopping.add(packets.count)
      return false
    }
    for (index, packet) in zip(taken, packets) {
      UnsafeMutableRawBufferPointer(start: buffer.bytes + Int(packet.offset), count: Int(packet.length))
        .copyMemory(from: reader.datagram(index))
    }
    return try emit(buffer)
  }

  /// Hands a buffer over with `packets` in it.
  func emit(_ buffer: flowcep_buffer) throws(PluginError) -> Bool {
    let sealed = packets
    let result = sealed.withUnsafeBufferPointer { packets in
      Result { () throws(PluginError) in try host.emit(buffer, packets: packets) }
    }
    return try result.get()
  }

  // MARK: Sources

  /// The source's session, begun where it is new; nil where it is not taken.
  private func source(at address: SocketAddress, _ listener: Listener, _ now: UInt64) -> SourceTable.Source? {
    if let known = sources.find(address) { return known }
    return isAllowed(address) ? open(address, listener, now, nil) : nil
  }

  func isAllowed(_ address: SocketAddress) -> Bool {
    if allowed.allows(address) { return true }
    refused.add(1)
    note(refusalOf: address)
    return false
  }

  /// Begins a session of a source that may send; nil where there are too many.
  func open(_ address: SocketAddress, _ listener: Listener, _ now: UInt64, _ guest: SecureReception.Guest?) -> SourceTable.Source? {
    switch sources.room(for: address) {
    case .free: break
    case .insteadOf(let surplus):
      gaveWay.add(1)
      end(surplus, nil)
    case .none:
      tooMany.add(1)
      return nil
    }
    var description = flowcep_session()
    description.transport = UInt16(FLOWCEP_TRANSPORT_UDP)
    description.remote_port = address.port
    withUnsafeMutableBytes(of: &description.remote_address) { address.store($0) }
    let local = listener.socket.address
    description.local_port = local.port
    withUnsafeMutableBytes(of: &description.local_address) { local.store($0) }
    guard let session = try? host.openSession(description, name: "\(address)") else { return nil }
    if let secure = guest?.secure { host.log(.info, "\(address): \(secure.summary)") }
    let source = SourceTable.Source(address, session, now, guest)
    sources.add(source)
    open.set(UInt64(sources.count))
    return source
  }

  /// Its session ends when the packets that refer to it have been handed over.
  func end(_ source: SourceTable.Source, _ reason: String?) {
    sources.remove(source)
    ending.append((source, reason))
  }

  func endForgotten() {
    guard !ending.isEmpty else { return }
    for (source, reason) in ending {
      source.secure?.sayGoodbye()
      host.closeSession(source.session, reason: reason)
    }
    ending.removeAll()
    open.set(UInt64(sources.count))
  }

  private func forgetQuietSources() {
    let now = host.monotonicNanoseconds
    guard now >= nextExpiry else { return }
    nextExpiry = now + 1_000_000_000
    guard now > sessionTimeout else { return }
    for source in sources.quiet(since: now - sessionTimeout) {
      sources.remove(source)
      source.secure?.sayGoodbye()
      host.closeSession(source.session)
    }
    open.set(UInt64(sources.count))
  }

  private func countKernelDrops() {
    for listener in listeners {
      let drops = flowcep_socket_drops(listener.socket.descriptor)
      guard drops >= 0 else { continue }
      kernelDrop.add(Int(UInt32(truncatingIfNeeded: drops) &- listener.drops))
      listener.drops = UInt32(truncatingIfNeeded: drops)
    }
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
