import PluginABI
import RecordBatch
import RecordJSON

/// Single kinds of values as JSON: records of twenty fields of one kind, each figure that of a field with its name.
enum JSONValuesBench {
  private static let fields = 20
  private static let records = 2000
  private static let passes = 50

  static func run() {
    measure("one byte", FLOWCEP_UNSIGNED8, 1) { [UInt8(truncatingIfNeeded: $0)] }
    measure("two bytes", FLOWCEP_UNSIGNED16, 2) { bytes($0, 2) }
    measure("four bytes, 1 to 10 digits", FLOWCEP_UNSIGNED32, 4) { bytes($0 & 0xffff_ffff >> ($0 >> 40 & 31), 4) }
    measure("eight bytes, 1 to 20 digits", FLOWCEP_UNSIGNED64, 8) { bytes($0 >> ($0 & 63), 8) }
    measure("a time in milliseconds, as a number", FLOWCEP_DATE_TIME_MILLISECONDS, 8) { bytes(1_700_000_000_000 + $0 & 0xffff, 8) }
    measure("the same as ISO 8601", FLOWCEP_DATE_TIME_MILLISECONDS, 8, iso8601: true) { bytes(1_700_000_000_000 + $0 & 0xffff, 8) }
    measure("an IPv4 address", FLOWCEP_IPV4_ADDRESS, 4) { bytes($0, 4) }
    measure("an IPv6 address", FLOWCEP_IPV6_ADDRESS, 16) { bytes($0, 8) + bytes($0 &* 0x9e37_79b9_7f4a_7c15, 8) }
    measure("a text of 16 letters", FLOWCEP_STRING, 16) { value in (0..<16).map { 97 + UInt8(value >> ($0 * 4) & 15) } }
    measure("a text of 16 bytes, every second escaped", FLOWCEP_STRING, 16) { value in
      (0..<16).map { $0 % 2 == 0 ? 34 : 97 + UInt8(value >> ($0 * 4) & 15) }
    }
    measure("a real number of eight bytes", FLOWCEP_FLOAT64, 8) { bytes((Double($0 >> 12) / 1000).bitPattern, 8) }
  }

  private static func bytes(_ value: UInt64, _ length: Int) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (length - 1 - $0))) }
  }

  /// - Parameter value: a field's bytes, of any 64 bits.
  private static func measure(_ name: String, _ type: Int, _ length: Int, iso8601: Bool = false, _ value: (UInt64) -> [UInt8]) {
    let batch = batch(type, length, value)
    var options = RecordJSONOptions()
    if iso8601 { options.timestamp = .iso8601 }
    let writer = RecordJSONWriter(options: options)
    Bench.measure("json-values: \(name)", items: records * fields * passes) {
      for _ in 0..<passes {
        _ = writer.append(batch.raw)
        writer.removeAll()
      }
    }
  }

  private static func batch(_ type: Int, _ length: Int, _ value: (UInt64) -> [UInt8]) -> BatchStorage {
    let template = Template(
      id: 256, kind: .flow,
      fields: (0..<fields).map {
        Template.Field(enterprise: 0, element: UInt16(1000 + $0), length: UInt16(length), type: UInt16(type), name: "aField\(10 + $0)")
      })
    let recordBytes = fields * length
    let buffer = Buffer(capacity: records * recordBytes)
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: records * recordBytes, recordCapacity: records)
    let index = batch.index(of: template)
    var (state, place): (UInt64, Int) = (1, 0)
    for record in 0..<records {
      batch.records.advanced(by: record).initialize(
        to: flowcep_record(offset: UInt32(place), length: UInt32(recordBytes), template_index: index, message_index: 0))
      for _ in 0..<fields {
        // Knuth's linear congruential numbers; their upper bits are the good ones.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let bytes = value(state >> 32 | state << 32)
        buffer.bytes.advanced(by: place).copyMemory(from: bytes, byteCount: length)
        place += length
      }
    }
    batch.recordCount = records
    return batch
  }
}
