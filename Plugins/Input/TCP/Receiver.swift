import IPFIX
import PluginABI
import PluginKit

/// Fills lent buffers with whole messages, of several exporters in one where they come together.
struct Receiver {
  private let host: Host
  private var buffer: flowcep_buffer?
  private var used = 0
  private var packets: [flowcep_packet] = []
  /// Bytes of the next buffer: small while little comes, so that few bytes do not hold much memory in a queue.
  private var capacity = smallest

  private static let smallest = 1 << 14
  private static let largest = 1 << 18
  /// A message is no longer than this.
  private static let longestMessage = 1 << 16

  enum Outcome {
    case goesOn
    /// The session's stream has ended; why, unless in order.
    case ended(String?)
    /// The stream cannot be followed any further.
    case bad(String)
    /// The collector stops.
    case stopped
  }

  init(_ host: Host) { self.host = host }

  /// Receives once from a connection, and keeps what is not a whole message for its next turn.
  mutating func receive(from connection: Connection) throws(PluginError) -> Outcome {
    guard try makeRoom(for: connection), let buffer else { return .stopped }
    let room = UnsafeMutableRawBufferPointer(start: buffer.bytes + used, count: buffer.capacity - used)
    switch connection.receive(into: room) {
    case .nothingYet: return .goesOn
    case .ended(let reason): return .ended(reason)
    case .bytes(let count): return frame(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[..<count]), connection)
    }
  }

  private mutating func frame(_ bytes: UnsafeRawBufferPointer, _ connection: Connection) -> Outcome {
    let arrival = host.wallNanoseconds
    var place = 0
    while true {
      switch MessageFramer.step(UnsafeRawBufferPointer(rebasing: bytes[place...])) {
      case .message(let length):
        packets.append(
          flowcep_packet(
            session: connection.session, arrival_ns: arrival, offset: UInt32(used + place), length: UInt32(length)))
        place += length
        connection.hasSpoken = true
      case .needs:
        connection.keep(UnsafeRawBufferPointer(rebasing: bytes[place...]))
        used += place
        return .goesOn
      case .bad(let reason):
        used += place
        return .bad(reason.description)
      }
    }
  }

  /// A buffer with room for the connection's pending bytes and some more. False when the collector stops.
  private mutating func makeRoom(for connection: Connection) throws(PluginError) -> Bool {
    // Once a message has begun, there is room for the whole of it.
    let needed = connection.pending.isEmpty ? Self.smallest / 2 : Self.longestMessage + Self.smallest / 2
    if let buffer, buffer.capacity - used < needed {
      guard try flush(emptyToo: true) else { return false }
    }
    if buffer == nil {
      buffer = host.newBuffer(capacity: max(capacity, needed))
      used = 0
    }
    return buffer != nil
  }

  /// Hands over what has come. False when the collector stops.
  mutating func flush(emptyToo: Bool = false) throws(PluginError) -> Bool {
    guard let lent = buffer, emptyToo || !packets.isEmpty else { return true }
    buffer = nil
    if packets.isEmpty {
      host.release(lent)
      return true
    }
    if used < capacity / 4 { capacity = max(Self.smallest, capacity / 2) }
    if used > capacity / 2 { capacity = min(Self.largest, capacity * 2) }
    let sealed = packets
    packets.removeAll(keepingCapacity: true)
    let result = sealed.withUnsafeBufferPointer { packets in
      Result { () throws(PluginError) in try host.emit(lent, packets: packets) }
    }
    return try result.get()
  }

  /// At the end: gives the buffer back.
  mutating func release() {
    if let lent = buffer { host.release(lent) }
    buffer = nil
  }
}
