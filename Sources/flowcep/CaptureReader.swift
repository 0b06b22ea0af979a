import Glibc
import IPFIX
import InformationElements
import PacketCapture
import PluginABI
import RecordBatch
import Sockets

/// Shows records as they come. A batch is one message.
protocol RecordView {
  func show(_ message: CaptureReader.Message) throws
  func finish() throws
}

/// Reads files of IPFIX or NetFlow messages, and packet captures with such in them, one message at a time: for looking at them, not for speed.
struct CaptureReader {
  struct Message {
    /// From 1, over all files.
    var number: Int
    /// In its file, in bytes.
    var offset: Int
    /// Who sent it, where the file says so.
    var source: String?
    var bytes: UnsafeRawBufferPointer
    /// Its records; no message in it where it was discarded.
    var batch: Batch
    /// What could not be decoded.
    var faults: [Undecodable]
    let registry: ElementRegistry
  }

  let registry: ElementRegistry

  /// False where a file could not be read, or not to its end; why has been said on standard error.
  func read(_ files: [String], into view: any RecordView) throws -> Bool {
    var complete = true
    var number = 0
    for file in files {
      guard let bytes = contents(of: file) else {
        complete = false
        continue
      }
      complete = try show(bytes, file, &number, view) && complete
    }
    return complete
  }

  private func contents(of file: String) -> [UInt8]? {
    let descriptor = file == "-" ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      writeError("\(file): \(String(cString: strerror(errno)))\n")
      return nil
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        writeError("\(file): \(String(cString: strerror(errno)))\n")
        return nil
      }
      bytes.append(contentsOf: piece[..<count])
    }
  }

  private func show(_ bytes: [UInt8], _ file: String, _ number: inout Int, _ view: any RecordView) throws -> Bool {
    let file = file == "-" ? "<standard input>" : file
    return try bytes.withUnsafeBytes { all in
      guard let capture = PacketCapture(all) else { return try showStream(all, file, &number, view) }
      let (others, counts) = try showPackets(capture, all, &number, view)
      sayLeftOut(PacketCapture.Omission.allCases.map { ($0.rawValue, capture.omitted($0)) } + [("other-udp", others)], counts, file)
      if capture.isBroken { writeError("\(file): ends in the middle of a packet\n") }
      return !capture.isBroken
    }
  }

  /// One line of all that was not shown, by reason.
  private func sayLeftOut(_ omitted: [(reason: String, number: Int)], _ counts: DecodeCounts, _ file: String) {
    let undecodable = Undecodable.allCases.map { (reason: $0.rawValue, number: Int(counts[$0])) }
    let reasons = (omitted + undecodable).filter { $0.number > 0 }.map { "\($0.reason)=\($0.number)" }
    if !reasons.isEmpty { writeError("\(file): left out: \(reasons.joined(separator: " "))\n") }
  }

  /// What exporters sent among a capture's packets: each pair of ends is a session. Gives how many datagrams went to other ends.
  private func showPackets(
    _ capture: PacketCapture, _ all: UnsafeRawBufferPointer, _ number: inout Int, _ view: any RecordView
  ) throws -> (others: Int, counts: DecodeCounts) {
    let collectors = Set(capture.datagrams.filter { Self.isExport(capture.bytes(of: $0, in: all)) }.map(Collector.init))
    var sessions: [String: Session] = [:]
    let decoder = Decoder(registry: registry)
    var faults = FaultCounts()
    for datagram in capture.datagrams where collectors.contains(Collector(datagram)) {
      let source = SocketAddress(bytes: datagram.source, port: datagram.sourcePort)?.description ?? ""
      let key = "\(datagram.transport) \(source) \(datagram.destination) \(datagram.destinationPort) \(datagram.connection)"
      let session = sessions[key] ?? Self.session(Self.transports[datagram.transport] ?? FLOWCEP_TRANSPORT_UDP, source)
      sessions[key] = session
      number += 1
      let bytes = capture.bytes(of: datagram, in: all)
      try bytes.withUnsafeBytes { try show($0, at: datagram.offset, number, session, source, decoder, &faults, view) }
    }
    sessions.values.forEach(decoder.close)
    return (capture.datagrams.count { $0.transport == .udp && !collectors.contains(Collector($0)) }, decoder.counts)
  }

  private static let transports: [PacketCapture.Transport: Int] = [
    .udp: FLOWCEP_TRANSPORT_UDP, .tcp: FLOWCEP_TRANSPORT_TCP, .sctp: FLOWCEP_TRANSPORT_SCTP,
  ]

  /// An end that exporters send to. What it gets is shown, also where it makes no sense.
  private struct Collector: Hashable {
    let transport: PacketCapture.Transport
    let address: [UInt8]
    let port: UInt16

    init(_ datagram: PacketCapture.Datagram) {
      (transport, address, port) = (datagram.transport, datagram.destination, datagram.destinationPort)
    }
  }

  /// Messages one after another.
  private func showStream(_ all: UnsafeRawBufferPointer, _ file: String, _ number: inout Int, _ view: any RecordView) throws -> Bool {
    let session = Self.session(FLOWCEP_TRANSPORT_FILE, file)
    let decoder = Decoder(registry: registry)
    var faults = FaultCounts()
    defer {
      decoder.close(session)
      sayLeftOut([], decoder.counts, file)
    }
    var place = 0
    while place < all.count {
      let rest = UnsafeRawBufferPointer(rebasing: all[place...])
      switch DatagramFramer.step(rest, atEnd: true) {
      case .message(let length):
        number += 1
        let message = UnsafeRawBufferPointer(rebasing: rest[..<length])
        try show(message, at: place, number, session, nil, decoder, &faults, view)
        place += length
      case .needs(let needed):
        writeError("\(file): at offset \(place): ends in the middle of a message: \(rest.count) of \(needed) bytes\n")
        return false
      case .bad(let reason):
        writeError("\(file): at offset \(place): \(reason)\n")
        return false
      }
    }
    return true
  }

  private func show(
    _ message: UnsafeRawBufferPointer, at offset: Int, _ number: Int, _ session: Session, _ source: String?, _ decoder: Decoder,
    _ faults: inout FaultCounts, _ view: any RecordView
  ) throws {
    // The decoder writes into structured data; what is shown of the message is what came.
    let buffer = Buffer(capacity: message.count)
    UnsafeMutableRawBufferPointer(start: buffer.bytes, count: message.count).copyMemory(from: message)
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: message.count)
    let packet = flowcep_packet(session: session.raw, arrival_ns: 0, offset: 0, length: UInt32(message.count))
    withUnsafePointer(to: packet) { decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: batch) }
    try view.show(
      Message(
        number: number, offset: offset, source: source, bytes: message, batch: batch.view, faults: faults.new(in: decoder.counts),
        registry: registry))
    withExtendedLifetime((batch, session)) {}
  }

  private static func session(_ transport: Int, _ name: String) -> Session {
    var description = flowcep_session()
    description.transport = UInt16(transport)
    return Session(copying: description, name: name)
  }

  /// Whether a datagram may be an exporter's: by its version, and by its length or that of its first set.
  private static func isExport(_ payload: [UInt8]) -> Bool {
    guard payload.count >= 16, payload[0] == 0 else { return false }
    let second = Int(payload[2]) << 8 | Int(payload[3])
    switch payload[1] {
    case 5: return second > 0 && Wire.messageHeader5 + second * Wire.record5 <= payload.count
    case 9:
      guard payload.count >= Wire.messageHeader9 + Wire.setHeader else { return false }
      let (set, length) = (Int(payload[20]) << 8 | Int(payload[21]), Int(payload[22]) << 8 | Int(payload[23]))
      return (set < 2 || set >= 256) && length >= Wire.setHeader && length <= payload.count - Wire.messageHeader9
    case 10: return second >= Wire.messageHeader && second <= payload.count && payload[second...].allSatisfy { $0 == 0 }
    default: return false
    }
  }
}

/// What has been counted since the last look.
private struct FaultCounts {
  private var seen = DecodeCounts()

  mutating func new(in counts: DecodeCounts) -> [Undecodable] {
    defer { seen = counts }
    return Undecodable.allCases.filter { counts[$0] > seen[$0] }
  }
}
