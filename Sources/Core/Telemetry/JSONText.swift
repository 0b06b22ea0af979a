/// A value that is written as JSON, its members in the order given.
public indirect enum JSONText: Sendable, CustomStringConvertible {
  case object([(String, JSONText)])
  case array([JSONText])
  case text(String)
  case number(UInt64)
  case boolean(Bool)
  case null

  public static func text(_ value: String?) -> JSONText { value.map { .text($0) } ?? .null }

  /// In one line.
  public var description: String {
    switch self {
    case .object(let members): "{" + members.map { Self.quoted($0.0) + ":" + $0.1.description }.joined(separator: ",") + "}"
    case .array(let items): "[" + items.map(\.description).joined(separator: ",") + "]"
    case .text(let text): Self.quoted(text)
    case .number(let number): "\(number)"
    case .boolean(let isTrue): isTrue ? "true" : "false"
    case .null: "null"
    }
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for character in text.unicodeScalars {
      switch character {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case let control where control.value < 0x20 || control.value == 0x7f:
        let digits = String(control.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(character)
      }
    }
    return quoted + "\""
  }
}
