import EventModel
import JSONLines

/// The compact writing of events and rows: `source=192.0.2.7 port=80 uri='/a b' last={flag=true} ports=[22, 80]`.
///
/// Text needs quotes where it holds white space, commas or brackets, or would be read as a number, a boolean or null.
enum ExampleText {
  static func fields(_ entries: [(key: String, value: Value)]) -> String {
    entries.map { "\(key($0.key))=\(text($0.value))" }.joined(separator: " ")
  }

  private static func key(_ name: String) -> String {
    name.contains(where: { $0 == " " || $0 == "=" }) ? "`\(name)`" : name
  }

  static func text(_ value: Value) -> String {
    switch value {
    case .string(let text): isPlain(text) ? text : text.contains("'") ? "\"\(text)\"" : "'\(text)'"
    case .array(let array): "[" + array.values.map { self.text($0) }.joined(separator: ", ") + "]"
    case .map(let map): "{" + map.entries.map { "\(key($0.key))=\(text($0.value))" }.joined(separator: ", ") + "}"
    case .event(let event):
      text(.map(ValueMap(zip(event.type.properties, event.values).map { ($0.name, $1) })))
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    default: value.text ?? "null"
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    guard !text.isEmpty, !text.contains(where: { $0.isWhitespace || ",[]{}'\"`=".contains($0) }) else { return false }
    if case .string = word(text) { return true }
    return false
  }

  static func word(_ text: String) -> Value {
    switch text {
    case "null": return .null
    case "true": return .bool(true)
    case "false": return .bool(false)
    default: break
    }
    if let first = text.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first), let number = try? JSONReader.parse(text) {
      return number
    }
    return .string(text)
  }
}

/// Reads that writing.
struct ExampleTextReader {
  private let characters: [Character]
  private var position = 0

  init(_ text: String) { characters = Array(text) }

  struct Mistake: Error, CustomStringConvertible {
    let description: String
  }

  private var next: Character? { position < characters.count ? characters[position] : nil }

  private mutating func skip() { while let character = next, character.isWhitespace { position += 1 } }

  /// The next word up to white space, for a stream's name; nil where a field stands or nothing.
  mutating func name() -> String? {
    skip()
    let start = position
    while let character = next, !character.isWhitespace, character != "=", character != "`" { position += 1 }
    if start == position || next == "=" {
      position = start
      return nil
    }
    return String(characters[start..<position])
  }

  /// All fields up to the end.
  mutating func fields() throws -> [(key: String, value: Value)] {
    var entries: [(key: String, value: Value)] = []
    skip()
    while next != nil {
      entries.append(try field())
      skip()
    }
    return entries
  }

  private mutating func field() throws -> (key: String, value: Value) {
    var key = ""
    if next == "`" {
      position += 1
      while let character = next, character != "`" { take(character, &key) }
      position += 1
    } else {
      while let character = next, character != "=", !character.isWhitespace { take(character, &key) }
    }
    guard next == "=", !key.isEmpty else { throw Mistake(description: "expected key=value, found \"\(key)\"") }
    position += 1
    return (key, try value())
  }

  private mutating func take(_ character: Character, _ text: inout String) {
    text.append(character)
    position += 1
  }

  private mutating func value() throws -> Value {
    switch next {
    case "'", "\"":
      let quote = next
      var text = ""
      position += 1
      while let character = next, character != quote { take(character, &text) }
      guard next == quote else { throw Mistake(description: "a quote is not closed") }
      position += 1
      return .string(text)
    case "[":
      var values: [Value] = []
      try list("]") { values.append(try $0.value()) }
      return .array(values)
    case "{":
      var entries: [(key: String, value: Value)] = []
      try list("}") { entries.append(try $0.field()) }
      return .map(ValueMap(entries))
    default:
      var text = ""
      while let character = next, !character.isWhitespace, !",]}".contains(character) { take(character, &text) }
      guard !text.isEmpty else { throw Mistake(description: "a value is missing") }
      return ExampleText.word(text)
    }
  }

  private mutating func list(_ end: Character, _ element: (inout ExampleTextReader) throws -> Void) throws {
    position += 1
    skip()
    while let character = next, character != end {
      try element(&self)
      skip()
      if next == "," { position += 1 }
      skip()
    }
    guard next == end else { throw Mistake(description: "\"\(end)\" is missing") }
    position += 1
  }
}
