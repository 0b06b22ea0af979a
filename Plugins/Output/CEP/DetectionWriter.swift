import Engine
import EventModel
import JSONLines
import PluginABI
import PluginKit
import RecordBatch

/// Makes batches of records out of one statement's result rows, so that every output serves detections with no code of its own.
///
/// A template stands for what the values of a row are (a null, an IPv4 address where the next row has IPv6); rows of one shape share it.
/// The last field is `timestamp`, the engine's time.
final class DetectionWriter {
  /// What a value is on the wire.
  enum Shape: UInt8 {
    case null, boolean, integer32, integer64, float64, text, address4, address6, mac, octets, json
  }

  private let host: Host
  private let typeName: String
  private let columns: [(name: String, type: ValueType)]
  /// What the rule's annotations say, behind the columns of each row.
  private let ruleFields: [Value]
  private var templates: [[Shape]: TemplateView] = [:]
  private var order: [[Shape]] = []
  private var bytes: [UInt8] = []
  private var records: [flowcep_record] = []
  private var used: [UnsafePointer<flowcep_template>?] = []
  /// Rows of so many shapes at once are rare; older templates are made anew when they come back.
  private static let templateLimit = 256

  init(host: Host, statement: StatementInfo) {
    self.host = host
    typeName = statement.outputName
    let fields = statement.ruleFields
    columns = statement.columns + fields.map { ($0.name, .string) } + [("incomplete", .boolean)]
    ruleFields = fields.map(\.value)
  }

  /// - Parameter isIncomplete: the row gets a column that says so; other rows have none.
  func add(_ row: Event, time: Int64, isIncomplete: Bool = false) throws(PluginError) {
    let own = columns.count - ruleFields.count - 1
    let values = (0..<own).map { row[$0] } + ruleFields + (isIncomplete ? [.bool(true)] : [])
    var shapes: [Shape] = []
    for (i, value) in values.enumerated() { shapes.append(Self.shape(of: value, declared: columns[i].type)) }
    let layout = try template(shapes)
    let start = bytes.count
    for (i, value) in values.enumerated() { append(value, shapes[i]) }
    append(UInt64(bitPattern: time), bytes: 8)
    let index = used.firstIndex { $0 == layout.raw } ?? used.count
    if index == used.count { used.append(layout.raw) }
    records.append(
      flowcep_record(offset: UInt32(start), length: UInt32(bytes.count - start), template_index: UInt32(index), message_index: 0))
  }

  /// Hands the rows over as one batch, and starts anew. Nothing happens where no row was added.
  /// - Parameter session: the engine's own session, which the batch's only message names.
  func flush(session: UnsafePointer<flowcep_session>, time: Int64, emit: (Batch) throws(PluginError) -> Void) throws(PluginError) {
    guard !records.isEmpty else { return }
    defer {
      bytes.removeAll(keepingCapacity: true)
      records.removeAll(keepingCapacity: true)
      used.removeAll(keepingCapacity: true)
    }
    var message = flowcep_message()
    message.session = session
    message.arrival_ns = host.wallNanoseconds
    message.length = UInt32(bytes.count)
    message.export_time = UInt32(clamping: time / 1000)
    try bytes.withUnsafeBufferPointer { bytes throws(PluginError) in
      try records.withUnsafeBufferPointer { records throws(PluginError) in
        try used.withUnsafeBufferPointer { templates throws(PluginError) in
          try withUnsafePointer(to: message) { message throws(PluginError) in
            var description = flowcep_batch()
            description.struct_size = UInt32(MemoryLayout<flowcep_batch>.size)
            description.kind = UInt32(FLOWCEP_BATCH_RECORDS)
            description.bytes = bytes.baseAddress
            description.byte_count = bytes.count
            description.templates = templates.baseAddress
            description.template_count = UInt32(templates.count)
            description.messages = message
            description.message_count = 1
            description.message_stride = UInt32(MemoryLayout<flowcep_message>.stride)
            description.records = records.baseAddress
            description.record_count = UInt32(records.count)
            description.record_stride = UInt32(MemoryLayout<flowcep_record>.stride)
            description.time_ns = host.wallNanoseconds
            try emit(try host.newBatch(&description))
          }
        }
      }
    }
  }

  func release() {
    for layout in templates.values { host.release(layout) }
    templates.removeAll()
  }

  // MARK: Shapes

  static func shape(of value: Value, declared: ValueType) -> Shape {
    switch value {
    case .null: .null
    case .bool: .boolean
    case .int(let number): declared == .int && Int64(Int32(truncatingIfNeeded: number)) == number ? .integer32 : .integer64
    case .double: .float64
    case .string: .text
    case .ip4: .address4
    case .mac: .mac
    case .octets(let octets): octets.kind == .ip6 ? .address6 : .octets
    case .array, .event, .map: .json
    }
  }

  private func append(_ value: Value, _ shape: Shape) {
    switch value {
    case .null: break
    // RFC 7011 §6.1.5: 1 is true, 2 is false.
    case .bool(let flag): bytes.append(flag ? 1 : 2)
    case .int(let number): append(UInt64(bitPattern: number), bytes: shape == .integer32 ? 4 : 8)
    case .double(let number): append(number.bitPattern, bytes: 8)
    case .string(let text): appendVariable(Array(text.utf8))
    case .ip4(let address): append(UInt64(address), bytes: 4)
    case .mac(let address): append(address, bytes: 6)
    case .octets(let octets): if shape == .address6 { bytes.append(contentsOf: octets.bytes) } else { appendVariable(octets.bytes) }
    case .array, .event, .map:
      let text = Array(JSONText.text(value).utf8)
      // Half of a JSON text is none.
      appendVariable(text.count > 65535 ? Array("\"left out: \(text.count) bytes\"".utf8) : text)
    }
  }

  private func append(_ value: UInt64, bytes count: Int) {
    for i in stride(from: count - 1, through: 0, by: -1) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(i * 8))) }
  }

  /// RFC 7011 §7; a text beyond 65,535 bytes is cut, at the start of a character.
  private func appendVariable(_ text: [UInt8]) {
    var count = text.count
    if count > 65535 {
      count = 65535
      while count > 0, text[count] & 0xc0 == 0x80 { count -= 1 }
    }
    if count < 255 {
      bytes.append(UInt8(count))
    } else {
      bytes.append(255)
      append(UInt64(count), bytes: 2)
    }
    bytes.append(contentsOf: text[..<count])
  }

  // MARK: Templates

  private func template(_ shapes: [Shape]) throws(PluginError) -> TemplateView {
    if let known = templates[shapes] { return known }
    if order.count >= Self.templateLimit {
      // A template that rows of the current batch use stays alive until the batch is made.
      let oldest = order.removeFirst()
      if let layout = templates[oldest], !used.contains(layout.raw) {
        templates[oldest] = nil
        host.release(layout)
      } else {
        order.append(oldest)
      }
    }
    let layout = try makeTemplate(shapes)
    templates[shapes] = layout
    order.append(shapes)
    return layout
  }

  private func makeTemplate(_ shapes: [Shape]) throws(PluginError) -> TemplateView {
    var texts: [UnsafeMutablePointer<CChar>] = []
    func keep(_ text: String) -> UnsafePointer<CChar> {
      let utf8 = Array(text.utf8CString)
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count)
      copy.initialize(from: utf8, count: utf8.count)
      texts.append(copy)
      return UnsafePointer(copy)
    }
    defer { texts.forEach { $0.deallocate() } }
    let noAliases = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 1)
    noAliases.initialize(to: nil)
    defer { noAliases.deallocate() }
    var fields: [flowcep_field] = []
    func add(_ name: String, _ type: Int, _ length: Int, flags: Int = 0) {
      fields.append(
        flowcep_field(
          enterprise: FLOWCEP_DETECTION_ENTERPRISE, element: UInt16(fields.count + 1), length: UInt16(length), offset: 0,
          type: UInt16(type), flags: UInt16(FLOWCEP_FIELD_KNOWN | flags), name: keep(name), aliases: UnsafePointer(noAliases)))
    }
    for (i, shape) in shapes.enumerated() {
      let wire = Self.wire(shape)
      add(columns[i].name, wire.type, wire.length, flags: wire.flags)
    }
    add("timestamp", FLOWCEP_DATE_TIME_MILLISECONDS, 8)
    return try fields.withUnsafeBufferPointer { fields throws(PluginError) in
      var description = flowcep_template()
      description.struct_size = UInt32(MemoryLayout<flowcep_template>.size)
      description.id = 256
      description.kind = UInt16(FLOWCEP_TEMPLATE_DETECTION)
      description.fields = fields.baseAddress
      description.field_stride = UInt32(MemoryLayout<flowcep_field>.stride)
      description.field_count = UInt16(fields.count)
      description.name = keep(typeName)
      return try host.newTemplate(&description)
    }
  }

  private static func wire(_ shape: Shape) -> (type: Int, length: Int, flags: Int) {
    let variable = Int(FLOWCEP_VARIABLE_LENGTH)
    return switch shape {
    case .null: (FLOWCEP_STRING, 0, FLOWCEP_FIELD_NULL)
    case .boolean: (FLOWCEP_BOOLEAN, 1, 0)
    case .integer32: (FLOWCEP_SIGNED32, 4, 0)
    case .integer64: (FLOWCEP_SIGNED64, 8, 0)
    case .float64: (FLOWCEP_FLOAT64, 8, 0)
    case .text: (FLOWCEP_STRING, variable, 0)
    case .address4: (FLOWCEP_IPV4_ADDRESS, 4, 0)
    case .address6: (FLOWCEP_IPV6_ADDRESS, 16, 0)
    case .mac: (FLOWCEP_MAC_ADDRESS, 6, 0)
    case .octets: (FLOWCEP_OCTET_ARRAY, variable, 0)
    case .json: (FLOWCEP_STRING, variable, FLOWCEP_FIELD_JSON)
    }
  }
}
