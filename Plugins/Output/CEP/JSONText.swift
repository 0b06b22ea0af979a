import EventModel

/// JSON text of a value that has parts: an array, a row, a map. Rare in detections, so plain rather than fast.
enum JSONText {
  static func text(of value: Value) -> String {
    switch value {
    case .null: return "null"
    case .bool(let flag): return flag ? "true" : "false"
    case .int(let number): return "\(number)"
    case .double(let number): return number.isFinite ? "\(number)" : "null"
    case .string, .ip4, .mac, .octets: return quoted(value.text ?? "")
    case .array(let array): return "[" + array.values.map(text).joined(separator: ", ") + "]"
    case .event(let event):
      let names = event.type.properties.map(\.name)
      return object(zip(names, event.values).map { ($0, $1) })
    case .map(let map): return object(map.entries.map { ($0.key, $0.value) })
    }
  }

  private static func object(_ members: [(String, Value)]) -> String {
    "{" + members.map { "\(quoted($0.0)): \(text(of: $0.1))" }.joined(separator: ", ") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let hex = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
