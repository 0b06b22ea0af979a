/// Numbers in Prometheus's text format (version 0.0.4): each family once, with its help and type, and its samples together.
public struct MetricsText {
  public enum Kind: String, Sendable { case counter, gauge }

  private struct Family {
    var name: String
    var kind: Kind
    var help: String
    var samples: [(labels: String, value: String)] = []
    var seen: Set<String> = []
  }
  private var families: [Family] = []
  private var index: [String: Int] = [:]

  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  public init() {}

  /// Adds a sample. The first one of a name decides its kind and help.
  ///
  /// - Parameter name: what is no letter, digit or `_` becomes `_`; a counter's ends in `_total`.
  public mutating func add(
    _ name: String, _ kind: Kind, _ labels: KeyValuePairs<String, String>, _ value: some CustomStringConvertible, help: String
  ) {
    add(name, kind, pairs: labels.map { ($0.key, $0.value) }, value, help: help)
  }

  public mutating func add(
    _ name: String, _ kind: Kind, pairs: [(String, String)], _ value: some CustomStringConvertible, help: String
  ) {
    let name = Self.name(name, kind)
    let place = index[name] ?? families.count
    if place == families.count {
      index[name] = place
      families.append(Family(name: name, kind: kind, help: help))
    }
    let text = pairs.map { "\(Self.word($0.0))=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
    // Prometheus refuses a page that gives a series twice.
    guard families[place].seen.insert(text).inserted else { return }
    families[place].samples.append((text, value.description))
  }

  public var text: String {
    var text = ""
    for family in families {
      let help = family.help.isEmpty ? "Not described." : family.help
      text += "# HELP \(family.name) \(Self.escaped(help, quotes: false))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        text += family.name + (sample.labels.isEmpty ? "" : "{\(sample.labels)}") + " \(sample.value)\n"
      }
    }
    return text
  }

  private static func name(_ name: String, _ kind: Kind) -> String {
    let word = word(name)
    return kind == .counter && !word.hasSuffix("_total") ? word + "_total" : word
  }

  private static func word(_ name: String) -> String {
    var word = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    if word.first.map({ $0.isNumber }) ?? true { word = "_" + word }
    return word
  }

  private static func escaped(_ text: String, quotes: Bool = true) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
