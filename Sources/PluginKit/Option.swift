import PluginABI

/// A row of a plugin's option table. Validation, help, documentation and error messages are derived from it.
public struct Option: Sendable {
  public enum Kind: UInt32, Sendable {
    case text = 1, boolean, integer, real, duration, bytes, address, prefix, choice, path, process, group
  }

  public var name: String
  public var kind: Kind
  public var defaultText: String?
  public var range: String?
  public var unit: String?
  public var flags: UInt32
  public var help: String
  public var members: [Option]

  private init(
    _ name: String, _ kind: Kind, default defaultText: String? = nil, range: String? = nil, unit: String? = nil,
    required: Bool = false, repeated: Bool = false, secret: Bool = false, mustExist: Bool = false,
    instances: Bool = false, members: [Option] = [], help: String
  ) {
    self.name = name
    self.kind = kind
    self.defaultText = defaultText
    self.range = range
    self.unit = unit
    self.help = help
    self.members = members
    flags =
      (required ? UInt32(FLOWCEP_OPTION_REQUIRED) : 0) | (repeated ? UInt32(FLOWCEP_OPTION_REPEATED) : 0)
      | (secret ? UInt32(FLOWCEP_OPTION_SECRET) : 0) | (mustExist ? UInt32(FLOWCEP_OPTION_MUST_EXIST) : 0)
      | (instances ? UInt32(FLOWCEP_OPTION_INSTANCES) : 0)
  }

  public static func text(
    _ name: String, default value: String? = nil, required: Bool = false, repeated: Bool = false, secret: Bool = false, help: String
  ) -> Option { Option(name, .text, default: value, required: required, repeated: repeated, secret: secret, help: help) }

  public static func boolean(_ name: String, default value: Bool, help: String) -> Option {
    Option(name, .boolean, default: value ? "true" : "false", help: help)
  }

  /// - Parameter instances: of an input: the host makes so many instances, all with the same values, each with a thread of its own.
  public static func integer(
    _ name: String, default value: Int? = nil, range: ClosedRange<Int>, required: Bool = false, instances: Bool = false, help: String
  ) -> Option {
    Option(
      name, .integer, default: value.map { "\($0)" }, range: "\(range.lowerBound)..\(range.upperBound)", required: required,
      instances: instances, help: help)
  }

  /// - Parameters:
  ///   - value: with its unit: "10 s".
  ///   - unit: what a bare number counts: "s", "ms" or "min".
  public static func duration(_ name: String, default value: String? = nil, unit: String, range: String? = nil, help: String) -> Option {
    Option(name, .duration, default: value, range: range, unit: unit, help: help)
  }

  /// - Parameter value: "64K", "8 MiB".
  public static func bytes(_ name: String, default value: String? = nil, range: String? = nil, help: String) -> Option {
    Option(name, .bytes, default: value, range: range, help: help)
  }

  public static func address(_ name: String, default value: String? = nil, repeated: Bool = false, help: String) -> Option {
    Option(name, .address, default: value, repeated: repeated, help: help)
  }

  public static func prefix(_ name: String, repeated: Bool = false, help: String) -> Option {
    Option(name, .prefix, repeated: repeated, help: help)
  }

  /// - Parameter choices: spellings in order; "formatted=formated" takes the second as the first, with a warning.
  public static func choice(
    _ name: String, _ choices: [String], default value: String? = nil, required: Bool = false, repeated: Bool = false, help: String
  ) -> Option {
    Option(name, .choice, default: value, range: choices.joined(separator: "|"), required: required, repeated: repeated, help: help)
  }

  public static func path(
    _ name: String, default value: String? = nil, required: Bool = false, repeated: Bool = false, secret: Bool = false,
    mustExist: Bool = false, help: String
  ) -> Option {
    Option(name, .path, default: value, required: required, repeated: repeated, secret: secret, mustExist: mustExist, help: help)
  }

  public static func process(_ name: String, required: Bool = false, repeated: Bool = false, help: String) -> Option {
    Option(name, .process, required: required, repeated: repeated, help: help)
  }

  public static func group(
    _ name: String, required: Bool = false, repeated: Bool = false, help: String, members: [Option]
  ) -> Option { Option(name, .group, required: required, repeated: repeated, members: members, help: help) }
}

extension [Option] {
  /// The rows as C sees them, behind them a row without name. They live as long as the process.
  func makeStatic() -> UnsafePointer<flowcep_option> {
    let rows = UnsafeMutablePointer<flowcep_option>.allocate(capacity: count + 1)
    for (i, option) in enumerated() {
      rows.advanced(by: i).initialize(
        to: flowcep_option(
          name: makeStaticText(option.name), type: option.kind.rawValue, flags: option.flags,
          default_text: option.defaultText.map(makeStaticText), range: option.range.map(makeStaticText),
          unit: option.unit.map(makeStaticText), help: makeStaticText(option.help),
          members: option.kind == .group ? option.members.makeStatic() : nil))
    }
    rows.advanced(by: count).initialize(to: flowcep_option())
    return UnsafePointer(rows)
  }
}

/// A text as C sees it, for as long as the process lives.
func makeStaticText(_ text: String) -> UnsafePointer<CChar> {
  let bytes = Array(text.utf8CString)
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  copy.initialize(from: bytes, count: bytes.count)
  return UnsafePointer(copy)
}
