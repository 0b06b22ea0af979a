import Diagnostics

/// Cuts a source text into tokens. Never fails: what is wrong is reported and becomes an `invalid` token.
struct Lexer {
  private let bytes: [UInt8]
  private var at = 0
  private(set) var tokens: [Token] = []
  private(set) var failures: [SyntaxFailure] = []

  init(_ text: String) {
    bytes = Array(text.utf8)
    while skipBlank() { next() }
    tokens.append(Token(.end, "", SourceRange(bytes.count, bytes.count)))
  }

  private func byte(_ offset: Int = 0) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
  private func slice(_ start: Int, _ end: Int) -> String { String(decoding: bytes[start..<min(end, bytes.count)], as: UTF8.self) }

  private mutating func add(_ kind: Token.Kind, _ text: String, from start: Int) {
    tokens.append(Token(kind, text, SourceRange(start, at)))
  }

  private mutating func fail(_ message: String, from start: Int, to end: Int) {
    failures.append(SyntaxFailure(message, SourceRange(start, end)))
  }

  /// Skips blanks and comments; false at the end.
  private mutating func skipBlank() -> Bool {
    while at < bytes.count {
      let b = bytes[at]
      if b == 0x20 || (b >= 9 && b <= 13) {
        at += 1
      } else if (b == UInt8(ascii: "/") && byte(1) == UInt8(ascii: "/")) || (b == UInt8(ascii: "-") && byte(1) == UInt8(ascii: "-")) {
        while at < bytes.count, bytes[at] != 10 { at += 1 }
      } else if b == UInt8(ascii: "/") && byte(1) == UInt8(ascii: "*") {
        let start = at
        at += 2
        while at < bytes.count, !(bytes[at] == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) { at += 1 }
        if at >= bytes.count { fail("the comment that begins here is not closed: \"*/\" is missing", from: start, to: start + 2) }
        at = min(at + 2, bytes.count)
      } else if b == 0xEF, byte(1) == 0xBB, byte(2) == 0xBF {
        at += 3
      } else {
        return true
      }
    }
    return false
  }

  private mutating func next() {
    let b = bytes[at]
    switch b {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): string(b)
    case UInt8(ascii: "`"): quotedName()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): number()
    case UInt8(ascii: "."):
      if Self.isDigit(byte(1)), !followsName { number() } else { symbol() }
    default:
      if Self.isWordStart(b) { word() } else { symbol() }
    }
  }

  /// Whether a dot here stands between names rather than before a fraction.
  private var followsName: Bool {
    guard let last = tokens.last, last.range.end == at else { return false }
    return last.kind == .word || last.kind == .quotedName || last.isSymbol(")") || last.isSymbol("]")
  }

  static func isDigit(_ b: UInt8) -> Bool { b >= UInt8(ascii: "0") && b <= UInt8(ascii: "9") }
  static func isWordStart(_ b: UInt8) -> Bool {
    (b | 0x20 >= UInt8(ascii: "a") && b | 0x20 <= UInt8(ascii: "z")) || b == UInt8(ascii: "_") || b == UInt8(ascii: "$") || b >= 0x80
  }

  private mutating func word() {
    let start = at
    var text: [UInt8] = []
    while at < bytes.count {
      let b = bytes[at]
      if b == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: ".") {
        text.append(UInt8(ascii: "."))
        at += 2
      } else if Self.isWordStart(b) || Self.isDigit(b) {
        text.append(b)
        at += 1
      } else {
        break
      }
    }
    add(.word, String(decoding: text, as: UTF8.self), from: start)
  }

  private mutating func quotedName() {
    let start = at
    at += 1
    while at < bytes.count, bytes[at] != UInt8(ascii: "`"), bytes[at] != 10 { at += 1 }
    let text = slice(start + 1, at)
    guard byte() == UInt8(ascii: "`") else {
      fail("the name that begins here is not closed: \"`\" is missing", from: start, to: at)
      return add(.invalid, text, from: start)
    }
    at += 1
    add(.quotedName, text, from: start)
  }

  private mutating func string(_ quote: UInt8) {
    let start = at
    at += 1
    var text: [UInt8] = []
    var lineEnd: Int?
    while at < bytes.count, bytes[at] != quote {
      if bytes[at] == 10, lineEnd == nil { lineEnd = at }
      if bytes[at] == UInt8(ascii: "\\"), at + 1 < bytes.count {
        escape(into: &text)
      } else {
        text.append(bytes[at])
        at += 1
      }
    }
    guard at < bytes.count else {
      // Go on at the end of the line, so that one missing quote does not hide the mistakes after it.
      at = lineEnd ?? bytes.count
      fail("the string that begins here is not closed: \(quote == UInt8(ascii: "'") ? "\"'\"" : "'\"'") is missing", from: start, to: at)
      return add(.invalid, slice(start, at), from: start)
    }
    at += 1
    add(.string, String(decoding: text, as: UTF8.self), from: start)
  }

  /// Resolves one escape: `\uXXXX` is a character by its code; before anything else the backslash only goes away, as in
  /// the original (`'\t'` is a t, `'\\'` a backslash).
  private mutating func escape(into text: inout [UInt8]) {
    if byte(1) == UInt8(ascii: "u"), at + 5 < bytes.count, let code = UInt32(slice(at + 2, at + 6), radix: 16),
      let scalar = Unicode.Scalar(code)
    {
      text.append(contentsOf: String(Character(scalar)).utf8)
      at += 6
    } else {
      text.append(byte(1))
      at += 2
    }
  }

  private mutating func number() {
    let start = at
    if byte() == UInt8(ascii: "0"), byte(1) | 0x20 == UInt8(ascii: "x") { return hexadecimal(start) }
    while Self.isDigit(byte()) { at += 1 }
    var isFloating = false
    if byte() == UInt8(ascii: "."), Self.isDigit(byte(1)) {
      isFloating = true
      at += 1
      while Self.isDigit(byte()) { at += 1 }
    }
    if byte() | 0x20 == UInt8(ascii: "e") {
      let sign = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-") ? 1 : 0
      if Self.isDigit(byte(1 + sign)) {
        isFloating = true
        at += 1 + sign
        while Self.isDigit(byte()) { at += 1 }
      }
    }
    let digits = slice(start, at)
    let suffix = Self.isWordStart(byte(1)) || Self.isDigit(byte(1)) ? 0 : byte() | 0x20
    switch suffix {
    case UInt8(ascii: "l") where !isFloating:
      at += 1
      finish(Int64(digits).map(LiteralSyntax.long), from: start)
    case UInt8(ascii: "f"):
      at += 1
      finish(Float(digits).map(LiteralSyntax.float), from: start)
    case UInt8(ascii: "d"):
      at += 1
      finish(Double(digits).map(LiteralSyntax.double), from: start)
    default:
      if isFloating {
        finish(Double(digits).map(LiteralSyntax.double), from: start)
      } else {
        finish(Int32(digits).map(LiteralSyntax.integer) ?? Int64(digits).map(LiteralSyntax.long), from: start)
      }
    }
  }

  private mutating func hexadecimal(_ start: Int) {
    at += 2
    let first = at
    while Self.isDigit(byte()) || (byte() | 0x20 >= UInt8(ascii: "a") && byte() | 0x20 <= UInt8(ascii: "f")) { at += 1 }
    let digits = slice(first, at)
    let isLong = byte() | 0x20 == UInt8(ascii: "l")
    if isLong { at += 1 }
    let value = UInt64(digits, radix: 16).map(Int64.init(bitPattern:))
    let small = UInt32(digits, radix: 16).map(Int32.init(bitPattern:))
    finish(isLong ? value.map(LiteralSyntax.long) : small.map(LiteralSyntax.integer) ?? value.map(LiteralSyntax.long), from: start)
  }

  private mutating func finish(_ value: LiteralSyntax?, from start: Int) {
    let text = slice(start, at)
    guard let value else {
      fail("the number \(text.prefix(40)) is malformed or does not fit 64 bits", from: start, to: at)
      return add(.invalid, text, from: start)
    }
    add(.number(value), text, from: start)
  }

  private static let pairs: Set<String> = ["->", "=>", "<=", ">=", "!=", "<>", "||"]
  private static let singles: Set<String> = [
    "(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "?", "#", "@", "+", "-", "*", "/", "%", "&", "|", "^", "=", "<", ">",
  ]

  private mutating func symbol() {
    let start = at
    if at + 1 < bytes.count, Self.pairs.contains(slice(at, at + 2)) {
      at += 2
      return add(.symbol, slice(start, at), from: start)
    }
    at += 1
    let text = slice(start, at)
    guard Self.singles.contains(text) else {
      fail("the character \"\(text)\" has no meaning here", from: start, to: at)
      return add(.invalid, text, from: start)
    }
    add(.symbol, text, from: start)
  }
}

/// A mistake in the text, before it has a file and a line.
struct SyntaxFailure: Error {
  var message: String
  var suggestion: String?
  var range: SourceRange

  init(_ message: String, _ range: SourceRange, suggestion: String? = nil) {
    self.message = message
    self.range = range
    self.suggestion = suggestion
  }
}
