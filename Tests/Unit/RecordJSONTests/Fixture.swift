import PluginABI
import RecordBatch
import RecordJSON

/// Builds batches by hand: a template, records of its fields, one message.
struct Fixture {
  struct Field {
    var name: String
    var type: Int
    var length: Int
    var enterprise: UInt32 = 0
    var element: UInt16 = 1000
    var flags: UInt32

    init(_ name: String, _ type: Int, _ length: Int, enterprise: UInt32 = 0, element: UInt16 = 1000, known: Bool = true, null: Bool = false)
    {
      (self.name, self.type, self.length, self.enterprise, self.element) = (name, type, length, enterprise, element)
      flags = (known ? UInt32(FLOWCEP_FIELD_KNOWN) : 0) | (null ? UInt32(FLOWCEP_FIELD_NULL) : 0)
    }

    static func variable(_ name: String, _ type: Int) -> Field { Field(name, type, 65535) }
  }

  static func batch(_ fields: [Field], records: [[UInt8]], kind: TemplateView.Kind = .flow, name: String = "") -> BatchStorage {
    let template = Template(
      id: 300, kind: kind,
      fields: fields.map {
        Template.Field(
          enterprise: $0.enterprise, element: $0.element, length: UInt16($0.length), type: UInt16($0.type), flags: UInt16($0.flags),
          name: $0.name)
      }, name: name)
    let all = records.flatMap { $0 }
    let buffer = Buffer(capacity: all.count)
    buffer.bytes.copyMemory(from: all, byteCount: all.count)
    let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: all.count, recordCapacity: records.count)
    let index = batch.index(of: template)
    let message = batch.append(
      flowcep_message(
        session: nil, arrival_ns: 0, offset: 0, length: 1402, export_time: 1_523_546_564, sequence: 4_000_000_000,
        observation_domain: 77, reserved: 0))
    batch.reserveRecords(records.count)
    var offset = 0
    for (place, record) in records.enumerated() {
      batch.records.advanced(by: place).initialize(
        to: flowcep_record(offset: UInt32(offset), length: UInt32(record.count), template_index: index, message_index: message))
      offset += record.count
    }
    batch.recordCount = records.count
    return batch
  }

  /// The lines that a writer gives for one batch.
  static func lines(_ batch: BatchStorage, _ change: (inout RecordJSONOptions) -> Void = { _ in }) -> [String] {
    var options = RecordJSONOptions()
    change(&options)
    let writer = RecordJSONWriter(options: options)
    _ = writer.append(batch.raw)
    var lines: [String] = []
    var start = 0
    for end in writer.lineEnds {
      lines.append(String(decoding: writer.bytes[start..<end - 1], as: UTF8.self))
      start = end
    }
    return lines
  }

  /// The value of one field of one record.
  static func value(_ type: Int, _ bytes: [UInt8], variable: Bool = false, _ change: (inout RecordJSONOptions) -> Void = { _ in }) -> String
  {
    let field = variable ? Field.variable("x", type) : Field("x", type, bytes.count)
    let record = variable ? [UInt8(bytes.count)] + bytes : bytes
    let line = lines(batch([field], records: [record]), change).first ?? ""
    let head = #"{"@type": "ipfix.entry", "ipfix.x": "#
    return line.hasPrefix(head) && line.hasSuffix("}") ? String(line.dropFirst(head.count).dropLast()) : "unexpected: \(line)"
  }

  static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
