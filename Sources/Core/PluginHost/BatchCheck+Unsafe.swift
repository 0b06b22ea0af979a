import PluginABI
import RecordBatch

/// Whether what a plugin hands over makes sense. Nothing is read before it has been found to lie inside.
enum BatchCheck {
  /// Why records do not fit the bytes, templates and messages that they name; nil where they do.
  static func fault(
    records: UnsafeBufferPointer<flowcep_record>, bytes: UnsafePointer<UInt8>?, byteCount: Int,
    templates: (UInt32) -> TemplateView?, messageCount: Int
  ) -> String? {
    var last: (index: UInt32, view: TemplateView)?
    for (i, record) in records.enumerated() {
      guard Int(record.offset) + Int(record.length) <= byteCount else {
        return "record \(i) (offset \(record.offset), length \(record.length)) lies outside the batch's \(byteCount) bytes"
      }
      if last?.index != record.template_index {
        guard let view = templates(record.template_index) else {
          return "record \(i) names template \(record.template_index), which is not in the batch"
        }
        last = (record.template_index, view)
      }
      guard Int(record.message_index) < messageCount else {
        return "record \(i) names message \(record.message_index) of \(messageCount)"
      }
      guard let view = last?.view else { continue }
      if view.recordLength > 0 || view.fieldCount == 0 {
        guard Int(record.length) == view.recordLength else {
          return "record \(i) has \(record.length) bytes, its template \(view.recordLength)"
        }
      } else if !fits(record, view, bytes) {
        return "record \(i) is shorter than its fields of variable length say"
      }
    }
    return nil
  }

  private static func fits(_ record: flowcep_record, _ template: TemplateView, _ bytes: UnsafePointer<UInt8>?) -> Bool {
    guard Int(record.length) >= template.minimumLength else { return false }
    guard let bytes else { return record.length == 0 }
    let start = bytes + Int(record.offset)
    let end = Int(record.length)
    var at = 0
    for field in template.fields {
      var length = Int(field.length)
      if field.length == UInt16(FLOWCEP_VARIABLE_LENGTH) {
        guard at < end else { return false }
        length = Int(start[at])
        at += 1
        if length == 255 {
          guard at + 2 <= end else { return false }
          length = Int(start[at]) << 8 | Int(start[at + 1])
          at += 2
        }
      }
      at += length
      guard at <= end else { return false }
    }
    return true
  }

  /// A template from a plugin's description, or why it makes no sense.
  static func template(from description: flowcep_template) -> Result<Template, Fault> {
    func fault(_ reason: String) -> Result<Template, Fault> { .failure(Fault(reason: "template: \(reason)")) }
    guard description.struct_size == MemoryLayout<flowcep_template>.size else {
      return fault("it has \(description.struct_size) bytes, expected \(MemoryLayout<flowcep_template>.size)")
    }
    guard let kind = TemplateView.Kind(rawValue: description.kind) else { return fault("unknown kind \(description.kind)") }
    let count = Int(description.field_count)
    guard count == 0 || description.fields != nil else { return fault("its fields are missing") }
    guard count == 0 || description.field_stride == MemoryLayout<flowcep_field>.stride else {
      return fault("its fields have \(description.field_stride) bytes, expected \(MemoryLayout<flowcep_field>.stride)")
    }
    guard description.scope_count <= description.field_count else { return fault("it has more scope fields than fields") }
    var fields: [Template.Field] = []
    for field in UnsafeBufferPointer(start: description.fields, count: count) {
      guard let name = field.name else { return fault("field \(fields.count) has no name") }
      guard Int(field.type) <= FLOWCEP_SUB_TEMPLATE_MULTI_LIST else {
        return fault("field \"\(String(cString: name))\" is of the unknown type \(field.type)")
      }
      fields.append(
        Template.Field(
          enterprise: field.enterprise, element: field.element, length: field.length, type: field.type, flags: field.flags,
          name: String(cString: name), aliases: aliases(field.aliases)))
    }
    return .success(
      Template(
        id: description.id, kind: kind, fields: fields, scopeCount: Int(description.scope_count),
        name: description.name.map { String(cString: $0) } ?? ""))
  }

  private static func aliases(_ list: UnsafePointer<UnsafePointer<CChar>?>?) -> [String] {
    guard let list else { return [] }
    var names: [String] = []
    while names.count < 64, let name = list[names.count] { names.append(String(cString: name)) }
    return names
  }

  struct Fault: Error { var reason: String }
}
