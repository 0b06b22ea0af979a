internal import PluginABI

/// How records of one template are written: prepared once, used for each record.
final class JSONPlan {
  /// A plan as the loop over records sees it: plain pointers, alive as long as the plan.
  struct Shape {
    let steps: UnsafePointer<JSONStep>
    let stepCount: Int
    /// The bytes before each value and behind the last, each padded to a multiple of 32 bytes and readable so.
    let leads: UnsafePointer<UInt8>
    let tailOffset: Int
    let tailLength: Int
    /// The fields' lengths where they move from record to record; nil where each lies at the same place.
    let lengths: UnsafePointer<UInt16>?
    let fieldCount: Int
    /// Structured data among the values: see `append`.
    let hasLists: Bool
    /// A detection is written whole, whatever the options say.
    let isDetection: Bool
    /// The most bytes that a record takes, besides six for each of its own.
    let bound: Int
  }

  enum Form {
    /// A record as a line of its own.
    case line
    /// A record inside a list.
    case object
    /// The value of the template's one field.
    case value
  }

  let serial: UInt64
  let shape: Shape
  private let steps: UnsafeMutablePointer<JSONStep>
  private let leads: UnsafeMutablePointer<UInt8>
  /// Of all fields, skipped ones too: the template itself may be gone while the plan is kept.
  private let lengths: UnsafeMutablePointer<UInt16>

  init(_ layout: UnsafePointer<flowcep_template>, options: RecordJSONOptions, tables: Tables, form: Form = .line) {
    let template = layout.pointee
    var builder = PlanBuilder(
      options: options, isDetection: Int(template.kind) == Int(FLOWCEP_TEMPLATE_DETECTION), tables: tables, form: form)
    builder.addFields(of: template)
    builder.addTail(of: template)
    serial = template.serial
    steps = .allocate(capacity: max(1, builder.steps.count))
    steps.initialize(from: builder.steps, count: builder.steps.count)
    leads = .allocate(capacity: builder.leads.count)
    leads.initialize(from: builder.leads, count: builder.leads.count)
    let fieldCount = Int(template.field_count)
    lengths = .allocate(capacity: max(1, fieldCount))
    for index in 0..<fieldCount { lengths[index] = PlanBuilder.field(index, of: template).length }
    shape = Shape(
      steps: steps, stepCount: builder.steps.count, leads: leads, tailOffset: builder.tail.offset, tailLength: builder.tail.length,
      lengths: template.record_length == 0 ? UnsafePointer(lengths) : nil, fieldCount: fieldCount,
      hasLists: builder.steps.contains { $0.kind == .list }, isDetection: builder.isDetection,
      bound: builder.leads.count + builder.steps.count * JSONStep.longestValue + 64)
  }

  deinit {
    steps.deallocate()
    leads.deallocate()
    lengths.deallocate()
  }
}

/// Collects a plan's steps: whatever is the same in every record goes into the leads.
struct PlanBuilder {
  let options: RecordJSONOptions
  let isDetection: Bool
  let tables: Tables
  let form: JSONPlan.Form
  private(set) var steps: [JSONStep] = []
  private(set) var leads: [UInt8] = []
  private(set) var tail = (offset: 0, length: 0)
  /// What stands before the next value.
  private var pending: [UInt8] = []
  private var isEmpty = true

  init(options: RecordJSONOptions, isDetection: Bool, tables: Tables, form: JSONPlan.Form) {
    (self.options, self.isDetection, self.tables, self.form) = (options, isDetection, tables, form)
    if form != .value { pending.append(UInt8(ascii: "{")) }
    if !isDetection, form == .line {
      pending += Array("\"@type\": \"ipfix.entry\"".utf8)
      isEmpty = false
    }
  }

  /// The fields in the template's order; one that occurs several times becomes an array at its first place.
  mutating func addFields(of template: flowcep_template) {
    if form == .value { return value(of: PlanBuilder.field(0, of: template), index: 0) }
    var fields: [(name: String, field: flowcep_field, index: Int)] = []
    var places: [String: [Int]] = [:]
    for index in 0..<Int(template.field_count) {
      let field = PlanBuilder.field(index, of: template)
      if !isDetection, options.ignoresUnknown, field.flags & UInt16(FLOWCEP_FIELD_KNOWN) == 0 { continue }
      let name = field.name.map { String(cString: $0) } ?? "e\(field.enterprise)id\(field.element)"
      places[name, default: []].append(fields.count)
      fields.append((name, field, index))
    }
    for (place, entry) in fields.enumerated() {
      let same = places[entry.name] ?? []
      guard same.first == place else { continue }
      key(isDetection ? entry.name : options.prefix + entry.name)
      if same.count > 1 { pending.append(UInt8(ascii: "[")) }
      for (position, other) in same.enumerated() {
        if position > 0 { pending += Array(", ".utf8) }
        value(of: fields[other].field, index: fields[other].index)
      }
      if same.count > 1 { pending.append(UInt8(ascii: "]")) }
    }
  }

  /// What follows the fields, up to the end of the line.
  mutating func addTail(of template: flowcep_template) {
    guard form == .line else {
      if form == .object { pending.append(UInt8(ascii: "}")) }
      tail = takePending()
      return
    }
    if isDetection {
      addType(of: template)
    } else {
      if options.metadata {
        key(options.prefix + "metadata")
        pending += Array(
          #"{"srcAS": "0", "dstAS": "0", "srcCountry": "0", "dstCountry": "0", "srcName": "", "dstName": "", "profiles": []}"#.utf8)
      }
      if options.observationDomain { message("\(options.prefix)odid", .observationDomain) }
      if options.detailedInfo {
        message("ipfixcol.packet_length", .packetLength)
        message("ipfixcol.export_time", .exportTime)
        message("ipfixcol.sequence_number", .sequence)
        key("ipfixcol.template_id")
        pending += Array("\(template.id)".utf8)
      }
    }
    pending += Array("}\n".utf8)
    tail = takePending()
  }

  /// A detection's own column of that name takes the place of the template's name.
  private mutating func addType(of template: flowcep_template) {
    guard let name = template.name else { return }
    for index in 0..<Int(template.field_count) {
      if let column = PlanBuilder.field(index, of: template).name, String(cString: column) == "type" { return }
    }
    key("type")
    pending += [UInt8(ascii: "\"")] + JSONText.escaped(String(cString: name), tables) + [UInt8(ascii: "\"")]
  }

  private mutating func key(_ name: String) {
    if !isEmpty { pending += Array(", ".utf8) }
    isEmpty = false
    pending += [UInt8(ascii: "\"")] + JSONText.escaped(name, tables) + Array("\": ".utf8)
  }

  private mutating func message(_ name: String, _ kind: StepKind) {
    key(name)
    add(JSONStep(kind: kind))
  }

  private mutating func value(of field: flowcep_field, index: Int) {
    if field.flags & UInt16(FLOWCEP_FIELD_NULL) != 0 || field.length == 0 && field.type != UInt16(FLOWCEP_STRING) {
      pending += Array("null".utf8)
      return
    }
    let choice = StepChoice(options: options, isDetection: isDetection)
    var step = JSONStep(kind: choice.kind(of: field), type: field.type)
    step.offset = field.offset == FLOWCEP_NO_OFFSET ? 0 : field.offset
    step.length = UInt32(field.length)
    step.field = UInt32(index)
    add(step)
  }

  private mutating func add(_ step: JSONStep) {
    var step = step
    if step.isQuoted { pending.append(UInt8(ascii: "\"")) }
    let lead = takePending()
    (step.leadOffset, step.leadLength) = (UInt32(lead.offset), UInt32(lead.length))
    steps.append(step)
    if step.isQuoted { pending.append(UInt8(ascii: "\"")) }
  }

  private mutating func takePending() -> (offset: Int, length: Int) {
    let place = (leads.count, pending.count)
    leads += pending
    // Also where nothing stands there, 32 bytes are read.
    leads += [UInt8](repeating: 0, count: pending.isEmpty ? 32 : (32 - pending.count % 32) % 32)
    pending = []
    return place
  }

  static func field(_ index: Int, of template: flowcep_template) -> flowcep_field {
    UnsafeRawPointer(template.fields).load(fromByteOffset: index * Int(template.field_stride), as: flowcep_field.self)
  }
}
