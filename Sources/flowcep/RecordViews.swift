import Glibc
import IPFIX
import InformationElements
import PluginABI
import RecordBatch
import RecordJSON

/// A JSON line for each record, unknown elements and all that is known of its message included.
struct JSONView: RecordView {
  private let output: ViewOutput
  private let writer: RecordJSONWriter

  init(_ output: ViewOutput) {
    self.output = output
    var options = RecordJSONOptions()
    options.namesProtocols = false
    options.ignoresUnknown = false
    options.observationDomain = true
    options.detailedInfo = true
    writer = RecordJSONWriter(options: options)
  }

  func show(_ message: CaptureReader.Message) throws {
    _ = writer.append(message.batch.raw)
    try output.write(writer.bytes)
    writer.removeAll()
  }

  func finish() {}
}

/// Values as people read them.
private func readableWriter() -> RecordJSONWriter {
  var options = RecordJSONOptions()
  options.timestamp = .iso8601
  options.ignoresUnknown = false
  options.prefix = ""
  return RecordJSONWriter(options: options)
}

/// One record's values by name, in the order of its template.
private func values(of record: Int, in batch: Batch, _ writer: RecordJSONWriter) -> [(name: String, value: String)] {
  writer.removeAll()
  // The limit ends after the first record.
  _ = writer.append(batch.raw, from: record, limit: 1)
  return jsonMembers(String(decoding: writer.bytes, as: UTF8.self)).filter { $0.name != "@type" }
    .map { ($0.name, withoutPadding($0.value)) }
}

/// A text without the NUL bytes that fill its field.
private func withoutPadding(_ value: String) -> String {
  var text = value[...]
  while text.hasSuffix("\\u0000\"") { text = text.dropLast(7) + "\"" }
  return String(text)
}

/// Messages, templates and records, one below the other.
final class TextView: RecordView {
  private let output: ViewOutput
  /// Templates that have been shown; of NetFlow they are shown where they are first used.
  private var shown: Set<UInt64> = []
  private let writer = readableWriter()

  init(_ output: ViewOutput) { self.output = output }

  func show(_ message: CaptureReader.Message) throws {
    let batch = message.batch
    let sender = message.source.map { " from \($0)" } ?? ""
    if let header = batch.messages.first {
      try output.write(
        """
        message \(message.number)\(sender): \(header.length) bytes at offset \(message.offset), domain \(header.observation_domain), \
        sequence \(header.sequence), exported \(utcTime(header.export_time))\n
        """)
    } else {
      try output.write("message \(message.number)\(sender): \(message.bytes.count) bytes at offset \(message.offset), discarded\n")
    }
    for fault in message.faults { try output.write("  cannot be decoded: \(fault.rawValue)\n") }
    for template in MessageContents.templates(in: message.bytes) {
      try show(template.isOptions, template.id, template.fields.isEmpty ? nil : template.resolved(with: message.registry))
    }
    if message.bytes.count >= 2, message.bytes[1] != UInt8(Wire.version) {
      for index in 0..<batch.templateCount {
        let template = batch.template(at: index)
        if shown.insert(template.serial).inserted { try show(template) }
      }
    }
    for index in batch.records.indices { try show(record: index, in: batch) }
  }

  func finish() {}

  /// - Parameter template: nil where it is withdrawn.
  private func show(_ isOptions: Bool, _ id: UInt16, _ template: Template?) throws {
    guard let template else { return try output.write("  \(isOptions ? "options template" : "template") \(id): withdrawn\n") }
    try show(template.view)
    withExtendedLifetime(template) {}
  }

  private func show(_ template: TemplateView) throws {
    let kind = template.kind == .options ? "options template" : "template"
    let size = template.recordLength > 0 ? "\(template.recordLength) bytes" : "at least \(template.minimumLength) bytes"
    try output.write("  \(kind) \(template.id): \(template.fieldCount) fields, \(size) a record\n")
    for (index, field) in template.fields.enumerated() {
      let length = field.length == Wire.variableLength ? "variable length" : field.length == 1 ? "1 byte" : "\(field.length) bytes"
      let type = AbstractType(rawValue: field.type)?.name ?? "unknown"
      let element = field.enterprise == 0 ? "\(field.element)" : "\(field.enterprise)/\(field.element)"
      let scope = index < template.scopeCount ? ", scope" : ""
      try output.write("    \(padded(template.fieldName(index), 32)) \(padded(element, 12)) \(type), \(length)\(scope)\n")
    }
  }

  private func show(record index: Int, in batch: Batch) throws {
    let template = batch.template(at: Int(batch.records[index].template_index))
    try output.write("  \(template.kind == .options ? "options record" : "record") \(index + 1), template \(template.id)\n")
    for (name, value) in values(of: index, in: batch, writer) { try output.write("    \(padded(name, 32)) \(value)\n") }
  }
}

/// A line for each field that occurs.
final class FieldsView: RecordView {
  private struct Use {
    var name: String
    var element: String
    var type: String
    var records = 0
    var samples: [String] = []
  }

  private let output: ViewOutput
  private let writer = readableWriter()
  private var uses: [Use] = []
  private var indices: [String: Int] = [:]
  private static let sampleCount = 3

  init(_ output: ViewOutput) { self.output = output }

  func show(_ message: CaptureReader.Message) throws {
    for (index, record) in message.batch.records.enumerated() {
      let template = message.batch.template(at: Int(record.template_index))
      let places = template.fields.indices.map { use(of: $0, in: template) }
      for place in Set(places) { uses[place].records += 1 }
      guard places.contains(where: { uses[$0].samples.count < Self.sampleCount }) else { continue }
      for (name, value) in values(of: index, in: message.batch, writer) {
        guard let place = places.first(where: { uses[$0].name == name }) else { continue }
        if uses[place].samples.count < Self.sampleCount, !uses[place].samples.contains(value) { uses[place].samples.append(value) }
      }
    }
  }

  func finish() throws {
    let heads = ["name", "element", "type", "records", "values"]
    let lines = [heads] + uses.map { [$0.name, $0.element, $0.type, "\($0.records)", $0.samples.joined(separator: " ")] }
    let widths = (0..<4).map { column in lines.map { $0[column].count }.max() ?? 0 }
    for line in lines {
      try output.write(zip(line, widths).map { padded($0, $1) }.joined(separator: "  ") + "  " + line[4] + "\n")
    }
  }

  private func use(of index: Int, in template: TemplateView) -> Int {
    let field = template.fields[index]
    let key = "\(field.enterprise)/\(field.element)/\(field.type)"
    if let known = indices[key] { return known }
    indices[key] = uses.count
    uses.append(
      Use(
        name: template.fieldName(index), element: field.enterprise == 0 ? "\(field.element)" : "\(field.enterprise)/\(field.element)",
        type: AbstractType(rawValue: field.type)?.name ?? "unknown"))
    return uses.count - 1
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// `2018-04-12T15:22:44Z`.
private func utcTime(_ seconds: UInt32) -> String {
  var time = time_t(seconds)
  var parts = tm()
  gmtime_r(&time, &parts)
  var text = [CChar](repeating: 0, count: 32)
  let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
