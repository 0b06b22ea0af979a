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

  private func contents(of file: String) -> Buffer? {
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
      if count == 0 { break }
      if count < 0 {
        if errno == EINTR { continue }
        writeError("\(file): \(String(cString: strerror(errno)))\n")
        return nil
      }
      bytes.append(contentsOf: piece[..<count])
    }
    let buffer = Buffer(capacity: bytes.count)
    buffer.bytes.copyMemory(from: bytes, byteCount: bytes.count)
    return buffer
  }

  private func show(_ buffer: Buffer, _ file: String, _ number: inout Int, _ view: any RecordView) throws -> Bool {
    let file = file == "-" ? "<standard input>" : file
    let all = UnsafeRawBufferPointer(start: buffer.bytes, count: buffer.capacity)
    let capture = PacketCapture(all)
    if let capture {
      var sessions: [String: Session] = [:]
      let decoder = Decoder(registry: registry)
      var faults = FaultCounts()
      for datagram in capture.datagrams where Self.isExport(all[datagram.payload]) {
        let source = SocketAddress(bytes: datagram.source, port: datagram.sourcePort)?.description ?? ""
        let key = "\(source) \(datagram.destination) \(datagram.destinationPort)"
        let session = sessions[key] ?? Self.session(FLOWCEP_TRANSPORT_UDP, source)
        sessions[key] = session
        number += 1
        try show(datagram.payload, of: buffer, number, session, source, decoder, &faults, view)
      }
      if capture.isBroken { writeError("\(file): ends in the middle of a packet\n") }
      return !capture.isBroken
    }
    return try showStream(buffer, file, &number, view)
  }

  /// Messages one after another.
  private func showStream(_ buffer: Buffer, _ file: String, _ number: inout Int, _ view: any RecordView) throws -> Bool {
    let session = Self.session(FLOWCEP_TRANSPORT_FILE, file)
    let decoder = Decoder(registry: registry)
    var faults = FaultCounts()
    var place = 0
    while place < buffer.capacity {
      let rest = UnsafeRawBufferPointer(start: buffer.bytes + place, count: buffer.capacity - place)
      switch DatagramFramer.step(rest, atEnd: true) {
      case .message(let length):
        number += 1
        try show(place..<place + length, of: buffer, number, session, nil, decoder, &faults, view)
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
    _ range: Range<Int>, of buffer: Buffer, _ number: Int, _ session: Session, _ source: String?, _ decoder: Decoder,
    _ faults: inout FaultCounts, _ view: any RecordView
  ) throws {
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: buffer.capacity)
    let packet = flowcep_packet(
      session: session.raw, arrival_ns: 0, offset: UInt32(range.lowerBound), length: UInt32(range.count))
    withUnsafePointer(to: packet) { decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: batch) }
    try view.show(
      Message(
        number: number, offset: range.lowerBound, source: source,
        bytes: UnsafeRawBufferPointer(start: buffer.bytes + range.lowerBound, count: range.count), batch: batch.view,
        faults: faults.new(in: decoder.counts), registry: registry))
    withExtendedLifetime((batch, session)) {}
  }

  private static func session(_ transport: Int, _ name: String) -> Session {
    var description = flowcep_session()
    description.transport = UInt16(transport)
    return Session(copying: description, name: name)
  }

  /// Whether a datagram may be an exporter's: by its version, and for IPFIX by its length.
  private static func isExport(_ payload: Slice<UnsafeRawBufferPointer>) -> Bool {
    let head = payload.prefix(4).map(Int.init)
    guard head.count == 4 else { return false }
    switch head[0] << 8 | head[1] {
    case 5, 9: return true
    case 10: return head[2] << 8 | head[3] == payload.count
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
