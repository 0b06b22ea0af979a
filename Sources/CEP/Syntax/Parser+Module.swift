import Diagnostics

extension Parser {
  mutating func module(_ source: SourceText) -> ModuleSyntax {
    var module = ModuleSyntax(source: source, name: nil, uses: [], imports: [], statements: [])
    while current.kind != .end {
      if take(symbol: ";") { continue }
      let start = position
      do throws(SyntaxFailure) {
        if try !header(&module) { module.statements.append(try statement()) }
        if current.kind != .end, !at(symbol: ";") { throw trailing(from: start) }
      } catch {
        report(error)
        skipStatement()
        markIncomplete(&module, from: start)
      }
    }
    return module
  }

  /// `module a.b`, `uses a.b`, `import a.b.*`; false where none of these stands here.
  private mutating func header(_ module: inout ModuleSyntax) throws(SyntaxFailure) -> Bool {
    guard isName(peek()) else { return false }
    if take("module") {
      module.name = try dottedName("the module's name")
    } else if take("uses") {
      module.uses.append(try dottedName("a module's name"))
    } else if take("import") {
      module.imports.append(try dottedName("a class or package"))
    } else {
      return false
    }
    return true
  }

  /// Something stands behind a whole statement: most often a misspelled or misplaced keyword.
  private func trailing(from start: Int) -> SyntaxFailure {
    var failure = unexpected("\";\" or the next clause", near: Self.clauses)
    if Keywords.reserved.contains(current.lowered) || Self.clauses.contains(current.lowered) {
      failure.message = "\(current.described) cannot stand here: a clause is doubled or out of order"
      failure.suggestion = nil
    }
    // A clause's misspelled keyword has been taken for an alias.
    let before = position > start ? peek(-1) : current
    if before.kind == .word, !Self.clauses.contains(before.lowered), let meant = didYouMean(before.lowered, among: Self.clauses) {
      failure = unexpected("\";\" or the next clause behind \"\(before.text)\"")
      failure.suggestion = meant
    }
    return failure
  }

  static let clauses = [
    "from", "where", "group", "having", "output", "order", "limit", "for", "match_recognize", "unidirectional", "retain-union",
    "retain-intersection", "insert", "select",
  ]

  private mutating func markIncomplete(_ module: inout ModuleSyntax, from start: Int) {
    let range = SourceRange(peekRange(start).start, lastEnd)
    if let last = module.statements.indices.last, module.statements[last].range.start == range.start {
      module.statements[last].isComplete = false
    } else {
      module.statements.append(
        StatementSyntax(annotations: [], declarations: [], context: nil, body: .missing, range: range, isComplete: false))
    }
  }

  mutating func statement() throws(SyntaxFailure) -> StatementSyntax {
    let start = current.range.start
    var annotations: [AnnotationSyntax] = []
    var declarations: [ExpressionDeclarationSyntax] = []
    while true {
      if at(symbol: "@") {
        annotations.append(try annotation())
      } else if at("expression"), isName(peek()) {
        declarations.append(try expressionDeclaration())
      } else {
        break
      }
    }
    var context: NameSyntax?
    if at("context"), peek().kind == .word || peek().kind == .quotedName {
      advance()
      context = try name("the context's name")
      while at("expression"), isName(peek()) { declarations.append(try expressionDeclaration()) }
    }
    let body = try statementBody()
    let range = range(from: start)
    return StatementSyntax(
      annotations: annotations, declarations: declarations, context: context, body: body, range: range,
      isComplete: !hasFailure(in: range))
  }

  private mutating func statementBody() throws(SyntaxFailure) -> StatementSyntax.Body {
    switch current.lowered {
    case "create": return try create()
    case "on": return .on(try on())
    case "update": return try update()
    case "delete":
      advance()
      return .delete(try delete())
    case "insert":
      if let values = try insertValues() { return .insertValues(values) }
      return .select(try select())
    case "select", "into": return .select(try select())
    default: throw unexpected("a statement (SELECT, INSERT INTO, CREATE, ON, UPDATE, DELETE)", near: Keywords.statementStarts)
    }
  }

  // MARK: annotations

  mutating func annotation() throws(SyntaxFailure) -> AnnotationSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      try parser.expect(symbol: "@")
      let name = try parser.dottedName("the annotation's name")
      var arguments: [AnnotationArgumentSyntax] = []
      if parser.at(symbol: "("), parser.current.range.start == parser.lastEnd {
        arguments = try parser.parenthesized { parser throws(SyntaxFailure) in
          var argumentName: NameSyntax?
          if parser.peek().isSymbol("="), parser.current.kind == .word {
            argumentName = NameSyntax(parser.current.text, parser.current.range)
            parser.advance()
            parser.advance()
          }
          return AnnotationArgumentSyntax(name: argumentName, value: try parser.annotationValue())
        }
      }
      return AnnotationSyntax(name: name, arguments: arguments, range: parser.range(from: start))
    }
  }

  private mutating func annotationValue() throws(SyntaxFailure) -> AnnotationValueSyntax {
    if at(symbol: "@") { return .annotation(try annotation()) }
    if at(symbol: "{") {
      return try nested { parser throws(SyntaxFailure) in
        parser.advance()
        if parser.take(symbol: "}") { return .array([]) }
        let values = try parser.list { parser throws(SyntaxFailure) in try parser.annotationValue() }
        try parser.expect(symbol: "}")
        return .array(values)
      }
    }
    if let literal = try takeLiteral() { return .literal(literal) }
    return .name(try dottedName("a value"))
  }

  // MARK: on-demand forms

  /// `insert into W[(a, b)] values (…)`; nil, with nothing taken, where it is an INSERT INTO … SELECT.
  private mutating func insertValues() throws(SyntaxFailure) -> InsertValuesSyntax? {
    let saved = position
    let start = current.range.start
    advance()
    guard take("into"), atName else {
      rewind(to: saved)
      return nil
    }
    let target = try dottedName("a named window or table")
    var columns: [NameSyntax] = []
    if at(symbol: "(") {
      columns = try parenthesized { parser throws(SyntaxFailure) in try parser.dottedName("a column") }
    }
    guard take("values") else {
      rewind(to: saved)
      return nil
    }
    let rows = try list { parser throws(SyntaxFailure) in
      try parser.parenthesized { parser throws(SyntaxFailure) in try parser.expression() }
    }
    return InsertValuesSyntax(target: target, columns: columns, rows: rows, range: range(from: start))
  }

  /// `update istream E set …`, or on demand `update W set …`.
  private mutating func update() throws(SyntaxFailure) -> StatementSyntax.Body {
    advance()
    if take("istream") {
      let rest = try updateRest()
      return .updateStream(UpdateStreamSyntax(target: rest.target, assignments: rest.assignments, whereClause: rest.whereClause))
    }
    return .update(try updateRest())
  }
}
