import Glibc
import IPFIX
import InformationElements
import PluginABI
import RecordBatch

/// Shows records as they come. A batch is one message.
protocol RecordView {
  func show(_ message: CaptureReader.Message) throws
  func finish() throws
}

/// Reads files of IPFIX or NetFlow messages, one message at a time: for looking at them, not for speed.
struct CaptureReader {
  struct Message {
    /// From 1, over all files.
    var number: Int
    /// In its file, in bytes.
    var offset: Int
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
    var description = flowcep_session()
    description.transport = UInt16(FLOWCEP_TRANSPORT_FILE)
    let file = file == "-" ? "<standard input>" : file
    let session = Session(copying: description, name: file)
    let decoder = Decoder(registry: registry)
    var faults = FaultCounts()
    var place = 0
    while place < buffer.capacity {
      let rest = UnsafeRawBufferPointer(start: buffer.bytes + place, count: buffer.capacity - place)
      let length: Int
      switch DatagramFramer.step(rest, atEnd: true) {
      case .message(let found): length = found
      case .needs(let needed):
        writeError("\(file): at offset \(place): ends in the middle of a message: \(rest.count) of \(needed) bytes\n")
        return false
      case .bad(let reason):
        writeError("\(file): at offset \(place): \(reason)\n")
        return false
      }
      let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: buffer.capacity)
      let packet = flowcep_packet(session: session.raw, arrival_ns: 0, offset: UInt32(place), length: UInt32(length))
      withUnsafePointer(to: packet) { decoder.decode(UnsafeBufferPointer(start: $0, count: 1), into: batch) }
      number += 1
      try view.show(
        Message(
          number: number, offset: place, bytes: UnsafeRawBufferPointer(rebasing: rest[..<length]), batch: batch.view,
          faults: faults.new(in: decoder.counts), registry: registry))
      withExtendedLifetime(batch) {}
      place += length
    }
    return true
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
