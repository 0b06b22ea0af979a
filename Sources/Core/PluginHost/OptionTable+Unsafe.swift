import Configuration
import PluginABI

/// A plugin's option table in C, as the configuration's rows; a table that makes no sense is the plugin's fault.
enum OptionTable {
  struct Fault: Error { var reason: String }

  private static let maximumRows = 1000
  private static let maximumDepth = 8

  static func rows(of plugin: flowcep_plugin) -> Result<[OptionRow], Fault> {
    let count = Int(plugin.option_count)
    guard count > 0 else { return .success([]) }
    guard let first = plugin.options else { return .failure(Fault(reason: "its option table is missing, with \(count) rows said")) }
    guard plugin.option_stride == MemoryLayout<flowcep_option>.stride else {
      return .failure(Fault(reason: "its option rows have \(plugin.option_stride) bytes, expected \(MemoryLayout<flowcep_option>.stride)"))
    }
    guard count <= maximumRows else { return .failure(Fault(reason: "its option table has \(count) rows")) }
    return collect(UnsafeBufferPointer(start: first, count: count), depth: 0)
  }

  private static func collect(_ options: UnsafeBufferPointer<flowcep_option>, depth: Int) -> Result<[OptionRow], Fault> {
    var rows: [OptionRow] = []
    for option in options {
      switch row(of: option, depth) {
      case .success(let row):
        if rows.contains(where: { $0.name == row.name }) { return .failure(Fault(reason: "it has two options \"\(row.name)\"")) }
        rows.append(row)
      case .failure(let fault): return .failure(fault)
      }
    }
    return .success(rows)
  }

  private static func row(of option: flowcep_option, _ depth: Int) -> Result<OptionRow, Fault> {
    guard let name = option.name.map({ String(cString: $0) }), !name.isEmpty else {
      return .failure(Fault(reason: "an option has no name"))
    }
    guard let kind = OptionRow.Kind(rawValue: option.type) else {
      return .failure(Fault(reason: "option \"\(name)\" is of the unknown type \(option.type)"))
    }
    func has(_ flag: UInt32) -> Bool { option.flags & flag != 0 }
    var row = OptionRow(
      name, kind, required: has(UInt32(FLOWCEP_OPTION_REQUIRED)), repeated: has(UInt32(FLOWCEP_OPTION_REPEATED)),
      secret: has(UInt32(FLOWCEP_OPTION_SECRET)), mustExist: has(UInt32(FLOWCEP_OPTION_MUST_EXIST)),
      instances: kind == .integer && has(UInt32(FLOWCEP_OPTION_INSTANCES)),
      default: option.default_text.map { String(cString: $0) }, range: option.range.map { String(cString: $0) },
      unit: option.unit.map { String(cString: $0) }, help: option.help.map { String(cString: $0) } ?? "")
    guard kind == .group, let members = option.members else { return .success(row) }
    guard depth < maximumDepth else { return .failure(Fault(reason: "option \"\(name)\" is nested too deep")) }
    var count = 0
    while members[count].name != nil, count < maximumRows { count += 1 }
    switch collect(UnsafeBufferPointer(start: members, count: count), depth: depth + 1) {
    case .success(let inner): row.members = inner
    case .failure(let fault): return .failure(fault)
    }
    return .success(row)
  }
}
