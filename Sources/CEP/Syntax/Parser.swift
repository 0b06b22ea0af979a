public import Diagnostics

/// Parses a module. All mistakes come back, at most one a statement; the tree holds every statement, whole or not.
public func parseModule(_ source: SourceText) -> (module: ModuleSyntax, diagnostics: DiagnosticList) {
  var parser = Parser(source.text)
  let module = parser.module(source)
  return (module, parser.diagnostics(source))
}

/// Parses one on-demand query, a statement that is run once.
public func parseOnDemandQuery(_ source: SourceText) -> (statement: StatementSyntax?, diagnostics: DiagnosticList) {
  var parser = Parser(source.text)
  let module = parser.module(source)
  if module.statements.count > 1 {
    parser.report(
      SyntaxFailure("an on-demand query is one statement, this text has \(module.statements.count)", module.statements[1].range))
  }
  return (module.statements.first, parser.diagnostics(source))
}

/// Parses an expression alone, for instance one that a configuration gives.
public func parseExpression(_ source: SourceText) -> (expression: ExpressionSyntax?, diagnostics: DiagnosticList) {
  var parser = Parser(source.text)
  do throws(SyntaxFailure) {
    let expression = try parser.expression()
    if parser.current.kind != .end { throw parser.unexpected("the end of the expression") }
    return (expression, parser.diagnostics(source))
  } catch {
    parser.report(error)
    return (nil, parser.diagnostics(source))
  }
}

/// A recursive-descent parser over the tokens of one text; each clause's part is an extension in a file of its own.
struct Parser {
  /// Levels of nesting, and levels of a tree, that are accepted.
  static let maximumNesting = 100
  static let maximumDepth = 500
  static let maximumFailures = 200

  private let tokens: [Token]
  private(set) var position = 0
  var nesting = 0
  private var failures: [SyntaxFailure]

  init(_ text: String) {
    let lexer = Lexer(text)
    tokens = lexer.tokens
    failures = lexer.failures
  }

  // MARK: tokens

  var current: Token { tokens[position] }
  func peek(_ offset: Int = 1) -> Token { tokens[min(position + offset, tokens.count - 1)] }
  /// The end of what was taken last.
  var lastEnd: Int { position > 0 ? tokens[position - 1].range.end : 0 }

  func range(from start: Int) -> SourceRange { SourceRange(start, lastEnd) }

  /// The place of the token at an index, for what was begun there.
  func peekRange(_ index: Int) -> SourceRange { tokens[min(index, tokens.count - 1)].range }

  /// Goes back to a position taken before, to try another reading.
  mutating func rewind(to saved: Int) { position = saved }

  mutating func advance() { if position < tokens.count - 1 { position += 1 } }

  func at(_ word: String) -> Bool { current.isWord(word) }
  func at(symbol: String) -> Bool { current.isSymbol(symbol) }

  /// Takes the word where it stands here.
  mutating func take(_ word: String) -> Bool {
    guard current.isWord(word) else { return false }
    advance()
    return true
  }

  mutating func take(symbol: String) -> Bool {
    guard current.isSymbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(_ word: String) throws(SyntaxFailure) {
    guard take(word) else { throw unexpected("\(word.uppercased())", near: [word]) }
  }

  mutating func expect(symbol: String) throws(SyntaxFailure) {
    guard take(symbol: symbol) else { throw unexpected("\"\(symbol)\"") }
  }

  /// A failure at the current token: what was expected and what was found.
  func unexpected(_ expected: String, near candidates: [String] = []) -> SyntaxFailure {
    let suggestion = current.kind == .word ? didYouMean(current.lowered, among: candidates) : nil
    return SyntaxFailure("expected \(expected), found \(current.described)", current.range, suggestion: suggestion)
  }

  // MARK: names

  func isName(_ token: Token) -> Bool {
    token.kind == .quotedName || (token.kind == .word && !Keywords.reserved.contains(token.lowered))
  }

  var atName: Bool { isName(current) }

  mutating func name(_ what: String) throws(SyntaxFailure) -> NameSyntax {
    guard atName else {
      var failure = unexpected(what)
      if current.kind == .word {
        failure.message += ", which is a keyword"
        failure.suggestion = "write `\(current.text)` in backticks to use it as a name"
      }
      throw failure
    }
    let token = current
    advance()
    return NameSyntax(token.text, token.range, quoted: token.kind == .quotedName)
  }

  /// `a.b.c` as one name.
  mutating func dottedName(_ what: String) throws(SyntaxFailure) -> NameSyntax {
    var result = try name(what)
    while at(symbol: "."), isName(peek()) || peek().isSymbol("*") {
      advance()
      let part = current
      advance()
      result.text += "." + part.text
      result.range = result.range.joined(with: part.range)
      if part.isSymbol("*") { break }
    }
    return result
  }

  /// A name where one stands here that can be an alias.
  var atAlias: Bool {
    atName && (current.kind == .quotedName || !Keywords.notAlias.contains(current.lowered))
  }

  /// `as x`, or `x` alone.
  mutating func alias() throws(SyntaxFailure) -> NameSyntax? {
    if take("as") { return try name("a name after AS") }
    return atAlias ? try name("a name") : nil
  }

  // MARK: lists and nesting

  /// `element, element, …`.
  mutating func list<T>(_ element: (inout Parser) throws(SyntaxFailure) -> T) throws(SyntaxFailure) -> [T] {
    var result = [try element(&self)]
    while take(symbol: ",") { result.append(try element(&self)) }
    return result
  }

  /// `(element, …)`, which may be empty.
  mutating func parenthesized<T>(_ element: (inout Parser) throws(SyntaxFailure) -> T) throws(SyntaxFailure) -> [T] {
    try expect(symbol: "(")
    if take(symbol: ")") { return [] }
    let result = try list(element)
    try expect(symbol: ")")
    return result
  }

  /// Runs `body` one level deeper; too many levels are a mistake of the text, not the end of our stack.
  mutating func nested<T>(_ body: (inout Parser) throws(SyntaxFailure) -> T) throws(SyntaxFailure) -> T {
    guard nesting < Self.maximumNesting else {
      throw SyntaxFailure("this is nested more than \(Self.maximumNesting) levels deep", current.range)
    }
    nesting += 1
    defer { nesting -= 1 }
    return try body(&self)
  }

  // MARK: mistakes

  /// What begins where another mistake does follows from it and is not reported.
  mutating func report(_ failure: SyntaxFailure) {
    if failures.count < Self.maximumFailures, !failures.contains(where: { $0.range.start == failure.range.start }) {
      failures.append(failure)
    }
  }

  /// How many of the lexer's failures lie in a range: a statement that holds one is not complete.
  func hasFailure(in range: SourceRange) -> Bool {
    failures.contains { $0.range.start >= range.start && $0.range.start < max(range.end, range.start + 1) }
  }

  func diagnostics(_ source: SourceText) -> DiagnosticList {
    var list = DiagnosticList()
    for failure in failures.sorted(by: { $0.range.start < $1.range.start }) {
      list.add(Diagnostic(.error, in: source, at: failure.range, message: failure.message, suggestion: failure.suggestion))
    }
    return list
  }

  /// Goes on behind the next semicolon, or at the end. A string without its closing quote may have swallowed one.
  mutating func skipStatement() {
    while current.kind != .end, !at(symbol: ";") {
      let swallowed = current.kind == .invalid && current.text.hasSuffix(";")
      advance()
      if swallowed { return }
    }
  }
}
