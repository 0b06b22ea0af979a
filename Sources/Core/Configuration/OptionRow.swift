/// One row of an option table: what an element of the configuration may say. Of a plugin's own table (made from its
/// descriptor) and of the vocabulary's own elements alike.
public struct OptionRow: Sendable {
  public enum Kind: UInt32, Sendable {
    case text = 1, boolean, integer, real, duration, bytes, address, prefix, choice, path, process, group

    /// What is expected, for people.
    public var expectation: String {
      switch self {
      case .text: "a text"
      case .boolean: "yes or no"
      case .integer: "a whole number"
      case .real: "a number"
      case .duration: "a duration such as 10 s or 500 ms"
      case .bytes: "a size such as 64K or 8 MiB"
      case .address: "an IP address"
      case .prefix: "an IP address or prefix such as 10.0.0.0/8"
      case .choice: "one of its choices"
      case .path: "a path"
      case .process: "the name of an exporting process"
      case .group: "elements"
      }
    }
  }

  public var name: String
  public var kind: Kind
  public var isRequired: Bool
  public var isRepeated: Bool
  public var isSecret: Bool
  /// Of a path: a missing file is an error.
  public var mustExist: Bool
  /// Of an integer of an input: so many instances are made.
  public var setsInstances: Bool
  public var defaultText: String?
  /// `1..65535`; of a choice `tcp|udp`, where `formatted=formated` takes `formated` with a warning.
  public var range: String?
  /// Of a duration without one: `s`, `ms`, `min`.
  public var unit: String?
  public var help: String
  public var members: [OptionRow]

  public init(
    _ name: String, _ kind: Kind, required: Bool = false, repeated: Bool = false, secret: Bool = false, mustExist: Bool = false,
    instances: Bool = false, default defaultText: String? = nil, range: String? = nil, unit: String? = nil, help: String = "",
    members: [OptionRow] = []
  ) {
    self.name = name
    self.kind = kind
    isRequired = required
    isRepeated = repeated
    isSecret = secret
    self.mustExist = mustExist
    setsInstances = instances
    self.defaultText = defaultText
    self.range = range
    self.unit = unit
    self.help = help
    self.members = members
  }

  /// The choices with their misspellings that are taken with a warning.
  public var choices: [(name: String, misspelled: [String])] {
    (range ?? "").split(separator: "|").map { part in
      let words = part.split(separator: "=").map(String.init)
      return (words.first ?? "", Array(words.dropFirst()))
    }
  }
}

/// A plugin as the configuration sees it: its kind, name and option table.
public struct PluginTable: Sendable {
  public var kind: PluginKind
  public var name: String
  public var options: [OptionRow]

  public init(kind: PluginKind, name: String, options: [OptionRow]) {
    self.kind = kind
    self.name = name
    self.options = options
  }
}

public enum PluginKind: UInt32, Sendable, CaseIterable {
  case input = 1, intermediate, output

  public var name: String {
    switch self {
    case .input: "input"
    case .intermediate: "intermediate"
    case .output: "output"
    }
  }
}

/// Where the configuration finds plugins' tables. The plugin host is one; tests bring their own.
public protocol PluginCatalog {
  /// The table, or why there is none (one diagnostic or more, without a place where the plugin's file is at fault).
  func table(_ kind: PluginKind, _ name: String) -> Result<PluginTable, PluginUnavailable>
  /// The names of all plugins of that kind that can be found, for suggestions.
  func names(_ kind: PluginKind) -> [String]
}

/// Why a plugin cannot be used.
public struct PluginUnavailable: Error, Sendable {
  /// True where no file of that name was found, false where one was found and is unfit.
  public var isMissing: Bool
  public var reason: String

  public init(isMissing: Bool, reason: String) {
    self.isMissing = isMissing
    self.reason = reason
  }
}
