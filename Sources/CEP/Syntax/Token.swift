import Diagnostics

/// A piece of source text that has a meaning of its own.
struct Token: Sendable {
  enum Kind: Sendable, Equatable {
    /// A keyword or a name: which of the two is a matter of place.
    case word
    /// A name in backticks.
    case quotedName
    case string
    case number(LiteralSyntax)
    /// Punctuation or an operator; `text` says which.
    case symbol
    /// A piece that the lexer has reported.
    case invalid
    case end
  }

  var kind: Kind
  /// A word as written, a quoted name or string with escapes resolved, a symbol's characters.
  var text: String
  /// A word in lower case, else empty.
  var lowered: String
  var range: SourceRange

  init(_ kind: Kind, _ text: String, _ range: SourceRange) {
    self.kind = kind
    self.text = text
    lowered = kind == .word ? text.lowercased() : ""
    self.range = range
  }

  func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }
  func isWord(_ word: String) -> Bool { lowered == word }

  /// How an error names it.
  var described: String {
    switch kind {
    case .end: "the end of the text"
    case .string: "the string \"\(text.prefix(40))\""
    case .invalid: "\"\(text.prefix(40))\""
    case .word, .quotedName, .symbol: "\"\(text.prefix(60))\""
    case .number: "the number \(text.prefix(40))"
    }
  }
}
