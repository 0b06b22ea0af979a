import IPFIX
import PluginABI
import RecordBatch

/// Messages in memory to records that are found, validated and indexed; then a checksum over one field of each.
enum DecodeBench {
  static func run() throws {
    // Few enough pieces that they stay in the processor's caches, as what an input has just read does.
    let capture = try BenchCapture(records: 12_000)
    let messages = capture.pieces.reduce(0) { $0 + $1.packets.count }
    let passes = 40
    Bench.measure("decode-memory", items: capture.recordCount * passes) {
      for _ in 0..<passes { _ = decode(capture) }
    }
    Bench.measure("decode-memory and checksum", items: capture.recordCount * passes) {
      for _ in 0..<passes {
        for batch in decode(capture) { sum &+= checksum(batch.view) }
      }
    }
    print("  \(capture.recordCount / max(1, messages)) records a message, checksum \(sum)")
  }

  nonisolated(unsafe) private static var sum: UInt64 = 0

  private static func decode(_ capture: BenchCapture) -> [BatchStorage] {
    let decoder = Decoder(registry: BenchCapture.registry)
    // Templates come first in the capture: a session of this run alone.
    let session = Session(copying: flowcep_session(), name: "capture")
    return capture.pieces.map { piece in
      let batch = BatchStorage(
        kind: .records, buffer: piece.buffer, byteCount: piece.byteCount, recordCapacity: piece.byteCount / 48,
        messageCapacity: piece.packets.count)
      let packets = piece.packets.map { packet in
        var packet = packet
        packet.session = UnsafePointer(session.raw)
        return packet
      }
      packets.withUnsafeBufferPointer { decoder.decode($0, into: batch) }
      return batch
    }
  }

  /// Adds up `octetDeltaCount`.
  private static func checksum(_ batch: Batch) -> UInt64 {
    let locators = (0..<batch.templateCount).map { index in
      let template = batch.template(at: index)
      return template.fieldIndex(enterprise: 0, element: 1).map { FieldLocator(template, field: $0) }
    }
    var sum: UInt64 = 0
    for record in batch.records {
      guard let field = locators[Int(record.template_index)]?.bytes(in: batch.bytes(of: record)), let start = field.baseAddress
      else { continue }
      sum &+= readUnsigned(start, field.count)
    }
    return sum
  }
}
