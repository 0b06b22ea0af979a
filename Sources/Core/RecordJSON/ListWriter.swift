internal import PluginABI
internal import RecordBatch

/// Writes structured data (RFC 6313) as JSON objects, with the values in `data`:
///
///     {"@type": "basicList", "semantic": "allOf", "fieldID": "interfaceName", "data": ["eth0", "eth1"]}
///     {"@type": "subTemplateList", "semantic": "allOf", "data": [{"ipfix.sourceIPv4Address": "192.0.2.1"}]}
///     {"@type": "subTemplateMultiList", "semantic": "allOf", "data": [[{…}, {…}], [{…}]]}
///
/// What the decoder could not make sense of is written as its bytes. Rare enough that memory may be taken.
struct ListWriter {
  let options: RecordJSONOptions
  let tables: Tables
  /// Plans of records inside lists, by the template's serial, and of a basicList's values.
  private var plans: [UInt64: JSONPlan] = [:]
  private static let keptPlans = 1024

  init(options: RecordJSONOptions, tables: Tables) {
    (self.options, self.tables) = (options, tables)
  }

  /// The texts of a record's lists, by the field's index.
  mutating func texts(
    of template: UnsafePointer<flowcep_template>, _ record: UnsafeRawBufferPointer, in batch: UnsafePointer<flowcep_batch>,
    times: inout TimeWriter, depth: Int = 1
  ) -> [Int: [UInt8]] {
    var texts: [Int: [UInt8]] = [:]
    var end = 0
    for index in 0..<Int(template.pointee.field_count) {
      let field = PlanBuilder.field(index, of: template.pointee)
      guard let value = fieldRange(field.length, at: end, in: record) else { break }
      if field.type >= UInt16(FLOWCEP_BASIC_LIST) {
        texts[index] = text(of: field.type, UnsafeRawBufferPointer(rebasing: record[value]), in: batch, times: &times, depth: depth)
      }
      end = value.upperBound
    }
    return texts
  }

  /// Nesting that the decoder allows is bounded; this bound only guards the stack.
  private static let deepest = 16

  private mutating func text(
    of type: UInt16, _ value: UnsafeRawBufferPointer, in batch: UnsafePointer<flowcep_batch>, times: inout TimeWriter, depth: Int
  ) -> [UInt8] {
    guard depth <= Self.deepest, let list = StructuredData(type: type, value, in: batch) else { return hex(value) }
    var out = Array("{\"@type\": \"\(Self.typeName(type))\", \"semantic\": \"\(Self.semanticName(list.semantic))\", ".utf8)
    let isMulti = Int(type) == FLOWCEP_SUB_TEMPLATE_MULTI_LIST
    if Int(type) == FLOWCEP_BASIC_LIST, let template = list.parts.first?.template {
      let name = PlanBuilder.field(0, of: template.pointee).name.map { String(cString: $0) } ?? ""
      out += Array("\"fieldID\": \"".utf8) + JSONText.escaped(name, tables) + Array("\", ".utf8)
    }
    out += Array(isMulti ? "\"data\": [".utf8 : "\"data\": ".utf8)
    for (index, part) in list.parts.enumerated() {
      if index > 0 { out += Array(", ".utf8) }
      append(part, isValues: Int(type) == FLOWCEP_BASIC_LIST, in: batch, times: &times, depth: depth, to: &out)
    }
    if !list.rest.isEmpty { out += Array(list.parts.isEmpty ? "".utf8 : ", ".utf8) + hex(list.rest) }
    out += Array(isMulti ? "]}".utf8 : "}".utf8)
    return out
  }

  private mutating func append(
    _ part: StructuredData.Part, isValues: Bool, in batch: UnsafePointer<flowcep_batch>, times: inout TimeWriter, depth: Int,
    to out: inout [UInt8]
  ) {
    guard let template = part.template else {
      out += part.content.isEmpty ? Array("[]".utf8) : hex(part.bytes)
      return
    }
    out.append(UInt8(ascii: "["))
    let plan = plan(of: template, isValues: isValues)
    var rest = part.content
    var isFirst = true
    while let length = recordLength(template, rest) {
      if !isFirst { out += Array(", ".utf8) }
      isFirst = false
      let record = UnsafeRawBufferPointer(rebasing: rest[..<length])
      let texts = plan.shape.hasLists ? texts(of: template, record, in: batch, times: &times, depth: depth + 1) : [:]
      plan.append(
        record, lists: texts, message: nil, tables: tables, times: &times, drops: !options.escapesNonPrintable, to: &out)
      rest = UnsafeRawBufferPointer(rebasing: rest[length...])
    }
    out.append(UInt8(ascii: "]"))
  }

  private mutating func plan(of template: UnsafePointer<flowcep_template>, isValues: Bool) -> JSONPlan {
    let key = template.pointee.serial << 1 | (isValues ? 1 : 0)
    if let known = plans[key] { return known }
    if plans.count >= Self.keptPlans { plans.removeAll() }
    let plan = JSONPlan(template, options: options, tables: tables, form: isValues ? .value : .object)
    plans[key] = plan
    return plan
  }

  private func hex(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    if bytes.isEmpty { return Array("null".utf8) }
    let digits = Array("0123456789abcdef".utf8)
    return Array("\"0x".utf8) + bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] } + [UInt8(ascii: "\"")]
  }

  private static func typeName(_ type: UInt16) -> String {
    switch Int(type) {
    case FLOWCEP_BASIC_LIST: "basicList"
    case FLOWCEP_SUB_TEMPLATE_LIST: "subTemplateList"
    default: "subTemplateMultiList"
    }
  }

  private static func semanticName(_ semantic: UInt8) -> String {
    let names = ["noneOf", "exactlyOneOf", "oneOrMoreOf", "allOf", "ordered"]
    return Int(semantic) < names.count ? names[Int(semantic)] : semantic == 255 ? "undefined" : "\(semantic)"
  }
}
