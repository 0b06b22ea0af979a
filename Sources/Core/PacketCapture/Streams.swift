import IPFIX

/// Follows the TCP connections of a capture, one direction each, and finds the IPFIX messages in them.
///
/// Segments that come early wait, bounded, for those before them; where a gap is never filled, or where the capture begins in the middle
/// of a connection, the next message is looked for. Connections that carry something else are left alone.
struct Streams {
  struct Segment {
    var sequence: UInt32
    /// The connection begins.
    var isStart: Bool
    var bytes: [UInt8]
    /// Whose it is, as the messages in it will be.
    var ends: PacketCapture.Datagram
  }

  /// What a segment has brought to light.
  struct Found {
    var messages: [(PacketCapture.Datagram, [UInt8])] = []
    /// Packets of connections that turned out to carry something else.
    var otherPackets = 0
    var gaps = 0
    var partialMessages = 0
  }

  private struct Key: Hashable {
    let ends: [UInt8]
    let ports: UInt32

    init(_ datagram: PacketCapture.Datagram) {
      ends = datagram.source + datagram.destination
      ports = UInt32(datagram.sourcePort) << 16 | UInt32(datagram.destinationPort)
    }
  }

  private var streams: [Key: Stream] = [:]
  /// Those that have not shown a message yet, and those that have, in the order in which they began.
  private var strangers: [Key] = []
  private var exporters: [Key] = []

  /// Of each kind.
  static let most = 4096

  mutating func take(_ segment: Segment) -> Found {
    var found = Found()
    guard segment.isStart || !segment.bytes.isEmpty else { return found }
    let key = Key(segment.ends)
    if streams[key] == nil {
      streams[key] = Stream(segment)
      strangers.append(key)
      Self.makeRoom(&strangers, &streams, &found)
    }
    let wasExporter = streams[key]?.isExporter ?? false
    streams[key]?.take(segment, &found)
    if !wasExporter, streams[key]?.isExporter == true {
      exporters.append(key)
      strangers.removeAll { $0 == key }
      Self.makeRoom(&exporters, &streams, &found)
    }
    return found
  }

  /// The capture has ended: what waits for a gap is taken as it is.
  mutating func finish() -> Found {
    var found = Found()
    for key in exporters + strangers { streams[key]?.finish(&found) }
    streams = [:]
    return found
  }

  private static func makeRoom(_ list: inout [Key], _ streams: inout [Key: Stream], _ found: inout Found) {
    // Half at once, so that a flood does not move the list for each.
    guard list.count > most else { return }
    for key in list.prefix(most / 2) {
      streams[key]?.abandon(&found)
      streams[key] = nil
    }
    list.removeFirst(most / 2)
  }
}

/// One direction of a TCP connection.
private struct Stream {
  private enum State {
    /// `bytes` begins with a message.
    case inStep
    /// A message is looked for.
    case searching
    /// It carries something else.
    case other
  }

  private var ends: PacketCapture.Datagram
  /// The number of the next byte.
  private var next: UInt32
  private var state: State
  /// What has come in order and is no whole message yet.
  private var bytes: [UInt8] = []
  private var early: [(sequence: UInt32, bytes: [UInt8])] = []
  private var earlyCount = 0
  /// What has been searched in vain.
  private var searched = 0
  private var packets = 0
  private(set) var isExporter = false

  /// What may wait for a gap, as no sender has more under way.
  private static let mostEarly = 4 << 20
  private static let mostEarlySegments = 1024
  private static let longestSearch = 1 << 18
  /// A number that far off is of another connection.
  private static let farthest = 1 << 26

  init(_ first: Streams.Segment) {
    ends = first.ends
    next = first.sequence &+ (first.isStart ? 1 : 0)
    state = first.isStart ? .inStep : .searching
  }

  mutating func take(_ segment: Streams.Segment, _ found: inout Streams.Found) {
    (ends.time, ends.offset) = (segment.ends.time, segment.ends.offset)
    var sequence = segment.sequence
    if segment.isStart {
      sequence &+= 1
      if sequence != next { begin(at: sequence, isStart: true, &found) }
    }
    guard !segment.bytes.isEmpty else { return }
    var ahead = Int(Int32(bitPattern: sequence &- next))
    if abs(ahead) > Self.farthest {
      begin(at: sequence, isStart: false, &found)
      ahead = 0
    }
    if case .other = state {
      found.otherPackets += 1
      next = sequence &+ UInt32(truncatingIfNeeded: segment.bytes.count)
      return
    }
    packets += 1
    if ahead <= 0 {
      append(segment.bytes.dropFirst(-ahead), &found)
      takeEarly(&found)
    } else {
      wait(sequence, segment.bytes, &found)
    }
  }

  /// A new connection between the same ends.
  private mutating func begin(at sequence: UInt32, isStart: Bool, _ found: inout Streams.Found) {
    finish(&found)
    ends.connection += 1
    (next, state, bytes, packets, searched) = (sequence, isStart ? .inStep : .searching, [], 0, 0)
  }

  mutating func finish(_ found: inout Streams.Found) {
    while !early.isEmpty { skipGap(&found) }
    abandon(&found)
  }

  /// What is left is of no whole message.
  mutating func abandon(_ found: inout Streams.Found) {
    if isExporter {
      if !bytes.isEmpty { found.partialMessages += 1 }
    } else {
      found.otherPackets += packets
    }
    (bytes, early, earlyCount, packets) = ([], [], 0, 0)
  }

  // MARK: Order

  private mutating func wait(_ sequence: UInt32, _ bytes: [UInt8], _ found: inout Streams.Found) {
    let distance = sequence &- next
    let before = early.lastIndex { $0.sequence &- next <= distance }
    early.insert((sequence, bytes), at: before.map { $0 + 1 } ?? 0)
    earlyCount += bytes.count
    if earlyCount > Self.mostEarly || early.count > Self.mostEarlySegments { skipGap(&found) }
  }

  private mutating func takeEarly(_ found: inout Streams.Found) {
    while let first = early.first, case let ahead = Int(Int32(bitPattern: first.sequence &- next)), ahead <= 0 {
      early.removeFirst()
      earlyCount -= first.bytes.count
      append(first.bytes.dropFirst(-ahead), &found)
    }
  }

  private mutating func skipGap(_ found: inout Streams.Found) {
    guard let first = early.first else { return }
    found.gaps += 1
    if !bytes.isEmpty, isExporter { found.partialMessages += 1 }
    (bytes, state) = ([], .searching)
    next = first.sequence
    takeEarly(&found)
  }

  private mutating func append(_ more: ArraySlice<UInt8>, _ found: inout Streams.Found) {
    next &+= UInt32(truncatingIfNeeded: more.count)
    if case .other = state { return }
    bytes += more
    extract(&found)
  }

  // MARK: Messages

  private mutating func extract(_ found: inout Streams.Found) {
    var place = 0
    loop: while place < bytes.count {
      switch state {
      case .inStep:
        switch bytes[place...].withUnsafeBytes({ MessageFramer.step($0) }) {
        case .message(let length):
          found.messages.append((ends, Array(bytes[place..<place + length])))
          isExporter = true
          place += length
        case .needs: break loop
        case .bad:
          // What a connection begins with says what it carries.
          if isExporter { lose(&found) } else { return giveUp(&found) }
        }
      case .searching:
        switch Self.search(bytes[place...]) {
        case .found(let at): (place, state, searched) = (at, .inStep, 0)
        case .unsure(let at):
          searched += at - place
          place = at
          break loop
        }
      case .other: return
      }
    }
    bytes.removeFirst(place)
    if !isExporter, searched > Self.longestSearch { giveUp(&found) }
  }

  private mutating func lose(_ found: inout Streams.Found) {
    found.partialMessages += 1
    state = .searching
  }

  private mutating func giveUp(_ found: inout Streams.Found) {
    found.otherPackets += packets
    (state, bytes, early, earlyCount, packets) = (.other, [], [], 0, 0)
  }

  private enum Search {
    case found(Int)
    /// Nothing before that place; what begins there has not come yet.
    case unsure(Int)
  }

  /// Where a message begins: a header, a set that fits into it, and another message behind it or nothing yet.
  private static func search(_ bytes: ArraySlice<UInt8>) -> Search {
    func half(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
    var place = bytes.startIndex
    while bytes.endIndex - place >= 20 {
      defer { place += 1 }
      guard bytes[place] == 0, bytes[place + 1] == 10 else { continue }
      let (length, set, setLength) = (half(place + 2), half(place + 16), half(place + 18))
      guard length >= 20, set == 2 || set == 3 || set >= 256, setLength >= 4, setLength <= length - 16 else { continue }
      let end = place + length
      guard end <= bytes.endIndex else { return .unsure(place) }
      if end == bytes.endIndex || zip(bytes[end...], [0, 10]).allSatisfy({ $0 == $1 }) { return .found(place) }
    }
    return .unsure(place)
  }
}
