import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import Synthesis

/// A synthetic capture, decoded into batches of about the size that the collector makes.
struct BenchCapture {
  /// A piece of the capture as an input hands it over.
  struct Piece {
    var buffer: Buffer
    var byteCount: Int
    var packets: [flowcep_packet]
  }

  let pieces: [Piece]
  let batches: [BatchStorage]
  let recordCount: Int
  /// Of all pieces.
  let session: Session

  /// The capture of a size, made once.
  static func shared(records: Int) throws -> BenchCapture {
    if let known = made[records] { return known }
    let capture = try BenchCapture(records: records)
    made[records] = capture
    return capture
  }
  nonisolated(unsafe) private static var made: [Int: BenchCapture] = [:]

  init(records: Int) throws {
    var options = SynthesisOptions()
    options.records = records
    var capture: [UInt8] = []
    _ = try CaptureGenerator(options).write { capture.append(contentsOf: $0) }
    let session = Session(copying: flowcep_session(), name: "capture")
    let decoder = Decoder(registry: Self.registry)
    var (pieces, batches, offset) = ([Piece](), [BatchStorage](), 0)
    while offset < capture.count {
      let (lengths, total) = Self.messages(capture[offset...], atMost: 1 << 18)
      guard total > 0 else { break }
      let buffer = Buffer(capacity: total)
      capture.withUnsafeBytes { buffer.bytes.copyMemory(from: $0.baseAddress! + offset, byteCount: total) }
      let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: total)
      let packets = Self.packets(lengths, session)
      packets.withUnsafeBufferPointer { decoder.decode($0, into: batch) }
      pieces.append(Piece(buffer: buffer, byteCount: total, packets: packets))
      batches.append(batch)
      offset += total
    }
    self.pieces = pieces
    self.batches = batches
    self.session = session
    recordCount = batches.reduce(0) { $0 + $1.recordCount }
  }

  /// Whole messages, copied into a batch of their own and decoded.
  static func batch(of bytes: UnsafeRawBufferPointer, _ decoder: Decoder, _ session: Session) -> BatchStorage {
    let buffer = Buffer(capacity: bytes.count)
    if let start = bytes.baseAddress { buffer.bytes.copyMemory(from: start, byteCount: bytes.count) }
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: bytes.count)
    packets(messages(Array(bytes)[...], atMost: .max).lengths, session).withUnsafeBufferPointer { decoder.decode($0, into: batch) }
    return batch
  }

  private static func packets(_ lengths: [Int], _ session: Session) -> [flowcep_packet] {
    var place = 0
    return lengths.map { length in
      defer { place += length }
      return flowcep_packet(session: session.raw, arrival_ns: 0, offset: UInt32(place), length: UInt32(length))
    }
  }

  private static func messages(_ bytes: ArraySlice<UInt8>, atMost limit: Int) -> (lengths: [Int], total: Int) {
    var (lengths, total) = ([Int](), 0)
    while total < limit {
      let step = bytes.dropFirst(total).withUnsafeBytes { MessageFramer.step($0) }
      guard case .message(let length) = step else { break }
      lengths.append(length)
      total += length
    }
    return (lengths, total)
  }

  /// The elements that a synthetic capture uses.
  static let registry = ElementRegistry(elements)
  static let elements: [Element] =
    [
      (1, "octetDeltaCount", .unsigned64), (2, "packetDeltaCount", .unsigned64), (4, "protocolIdentifier", .unsigned8),
      (6, "tcpControlBits", .unsigned16), (7, "sourceTransportPort", .unsigned16), (8, "sourceIPv4Address", .ipv4Address),
      (11, "destinationTransportPort", .unsigned16), (12, "destinationIPv4Address", .ipv4Address), (27, "sourceIPv6Address", .ipv6Address),
      (28, "destinationIPv6Address", .ipv6Address), (32, "icmpTypeCodeIPv4", .unsigned16), (139, "icmpTypeCodeIPv6", .unsigned16),
      (60, "ipVersion", .unsigned8), (152, "flowStartMilliseconds", .dateTimeMilliseconds),
      (153, "flowEndMilliseconds", .dateTimeMilliseconds),
    ].map { (id: Int, name: String, type: AbstractType) in Element(id: UInt16(id), name: name, type: type) }
    + [Element(enterprise: 39499, id: 2, scope: "flowmon", name: "HTTPRequestURL", type: .string)]
}
