import PluginABI
import PluginKit
import SecureTransport
import Sockets

/// Datagrams that are DTLS: each record of a session is a message.
extension UDPInput {
  /// As `handOver`: takes what `reader` holds, decrypts it, and hands the messages over.
  func handOverSecure(_ count: Int, _ listener: Listener, _ reception: SecureReception) throws(PluginError) -> Bool {
    let arrival = host.wallNanoseconds
    let now = host.monotonicNanoseconds
    packets.removeAll(keepingCapacity: true)
    messages.removeAll(keepingCapacity: true)
    for index in 0..<count {
      guard let address = reader.source(index) else { continue }
      let first = messages.count
      var lengths: [Int] = []
      let source = takeSecure(reader.datagram(index), address, listener, reception, now) { record in
        messages.append(contentsOf: record)
        lengths.append(record.count)
      }
      guard let source else { continue }
      source.lastHeard = now
      var offset = first
      for length in lengths {
        packets.append(
          flowcep_packet(session: source.session, arrival_ns: arrival, offset: UInt32(offset), length: UInt32(length)))
        offset += length
      }
    }
    defer { endForgotten() }
    guard !packets.isEmpty else { return true }
    guard let buffer = host.newBuffer(capacity: messages.count) else {
      stopping.add(packets.count)
      return false
    }
    UnsafeMutableRawBufferPointer(start: buffer.bytes, count: messages.count).copyBytes(from: messages)
    return try emit(buffer)
  }

  /// The source whose session the records are of; nil where there is none yet, or none any more.
  private func takeSecure(
    _ datagram: UnsafeRawBufferPointer, _ address: SocketAddress, _ listener: Listener, _ reception: SecureReception, _ now: UInt64,
    record: (UnsafeRawBufferPointer) -> Void
  ) -> SourceTable.Source? {
    let hello = SecureDatagrams.helloRandom(datagram)
    if let source = sources.find(address), let secure = source.secure, hello == nil || hello == source.random {
      return proceed(source, secure, datagram, reception, record)
    }
    if let guest = reception.guest(at: address, hello) {
      let outcome = guest.secure.receive(datagram, record: record)
      switch outcome {
      case .handshaking, .goesOn: return nil
      case .failed(let reason):
        reception.refuse(address, reason)
        return nil
      case .established, .ended:
        reception.release(address)
        // The source has begun anew, from the same port.
        if let old = sources.find(address) { end(old, "the exporter began a new DTLS session") }
        guard let source = open(address, listener, now, guest) else { return nil }
        if case .ended(let reason) = outcome { end(source, reason) }
        return source
      }
    }
    guard let hello else {
      reception.stray.add(1)
      return nil
    }
    if isAllowed(address) { reception.knock(datagram, hello, from: address, on: listener.socket.descriptor) }
    return nil
  }

  private func proceed(
    _ source: SourceTable.Source, _ secure: SecureDatagrams, _ datagram: UnsafeRawBufferPointer, _ reception: SecureReception,
    _ record: (UnsafeRawBufferPointer) -> Void
  ) -> SourceTable.Source {
    var records = 0
    let outcome = secure.receive(datagram) {
      records += 1
      record($0)
    }
    switch outcome {
    case .failed(let reason): end(source, reason)
    case .ended(let reason): end(source, reason)
    default: if records == 0 { reception.discarded.add(1) }
    }
    return source
  }
}
