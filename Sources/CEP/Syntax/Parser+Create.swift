import Diagnostics

extension Parser {
  mutating func create() throws(SyntaxFailure) -> StatementSyntax.Body {
    try expect("create")
    if at("variant"), peek().isWord("schema") {
      advance()
      return .createSchema(try createSchema(nil, isVariant: true))
    }
    if peek().isWord("schema"), let representation = CreateSchemaSyntax.Representation(rawValue: current.lowered) {
      advance()
      return .createSchema(try createSchema(representation, isVariant: false))
    }
    if let kind = CreateListSyntax.Kind(rawValue: current.lowered), peek().isWord("list") {
      advance()
      return .createList(try createList(kind))
    }
    switch current.lowered {
    case "schema": return .createSchema(try createSchema(nil, isVariant: false))
    case "variable", "constant": return .createVariable(try createVariable())
    case "expression": return .createExpression(try expressionDeclaration())
    case "list": return .createList(try createList(.address))
    case "window": return .createWindow(try createWindow())
    case "table": return .createTable(try createTable())
    case "context": return .createContext(try createContext())
    case "index", "unique": return .createIndex(try createIndex())
    default:
      throw unexpected(
        "what to create",
        near: [
          "schema", "variable", "constant", "expression", "window", "table", "context", "index", "list", "map", "objectarray", "variant",
        ])
    }
  }

  // MARK: schemas

  private mutating func createSchema(
    _ representation: CreateSchemaSyntax.Representation?, isVariant: Bool
  ) throws(SyntaxFailure) -> CreateSchemaSyntax {
    advance()
    let name = try dottedName("the schema's name")
    var schema = CreateSchemaSyntax(
      name: name, representation: representation, isVariant: isVariant, variantTypes: [], columns: [], className: nil,
      inherits: [], copyFrom: [], startTimestamp: nil, endTimestamp: nil)
    let hasAs = take("as")
    if isVariant {
      if !hasAs { throw unexpected("AS and the types of the variant stream", near: ["as"]) }
      schema.variantTypes = try list { parser throws(SyntaxFailure) in try parser.variantType() }
    } else if at(symbol: "(") {
      schema.columns = try parenthesized { parser throws(SyntaxFailure) in try parser.column() }
    } else if hasAs {
      schema.className = try dottedName("a class")
    } else if !at("copyfrom"), !at("inherits") {
      throw unexpected("\"(\" and the columns of the schema")
    }
    try schemaQualifiers(&schema)
    return schema
  }

  private mutating func variantType() throws(SyntaxFailure) -> NameSyntax {
    guard at(symbol: "*") else { return try dottedName("an event type") }
    advance()
    return NameSyntax("*", SourceRange(lastEnd - 1, lastEnd))
  }

  private mutating func schemaQualifiers(_ schema: inout CreateSchemaSyntax) throws(SyntaxFailure) {
    while atName {
      if take("inherits") {
        schema.inherits += try list { parser throws(SyntaxFailure) in try parser.dottedName("a schema") }
      } else if take("copyfrom") {
        schema.copyFrom += try list { parser throws(SyntaxFailure) in try parser.dottedName("a schema") }
      } else if take("starttimestamp") {
        schema.startTimestamp = try dottedName("a property")
      } else if take("endtimestamp") {
        schema.endTimestamp = try dottedName("a property")
      } else {
        throw unexpected(
          "INHERITS, COPYFROM, STARTTIMESTAMP or ENDTIMESTAMP", near: ["inherits", "copyfrom", "starttimestamp", "endtimestamp"])
      }
    }
  }

  /// `name type`, in a table also `name aggregate(…)` and `primary key`.
  mutating func column() throws(SyntaxFailure) -> ColumnSyntax {
    let name = try dottedName("a column's name")
    let type: ColumnTypeSyntax
    if isName(current), peek().isSymbol("(") {
      type = .aggregate(try chain())
    } else {
      type = .type(try typeName())
    }
    var isPrimaryKey = false
    if take("primary") {
      try expect("key")
      isPrimaryKey = true
    }
    var annotations: [AnnotationSyntax] = []
    while at(symbol: "@") { annotations.append(try annotation()) }
    return ColumnSyntax(name: name, type: type, isPrimaryKey: isPrimaryKey, annotations: annotations)
  }

  // MARK: variables and expressions

  private mutating func createVariable() throws(SyntaxFailure) -> CreateVariableSyntax {
    let isConstant = take("constant")
    try expect("variable")
    let type = try typeName()
    let name = try self.name("the variable's name")
    let value = take(symbol: "=") ? try expression() : nil
    return CreateVariableSyntax(isConstant: isConstant, type: type, name: name, value: value)
  }

  /// `expression [type] name { x => … }`, `expression name alias for { … }`, `expression type js:name(x) [ … ]`.
  mutating func expressionDeclaration() throws(SyntaxFailure) -> ExpressionDeclarationSyntax {
    let start = current.range.start
    try expect("expression")
    if isName(current), isName(peek()), !peek().isWord("alias") { _ = try typeName() }
    let name = try self.name("the expression's name")
    if take(symbol: ":") { return try script(name, from: start) }
    if at(symbol: "("), peek().isSymbol(")") {
      advance()
      advance()
    }
    let isAlias = take("alias")
    if isAlias { try expect("for") }
    try expect(symbol: "{")
    var parameters: [NameSyntax] = []
    let saved = position
    if let found = try? declarationParameters() { parameters = found } else { rewind(to: saved) }
    let body = try expression()
    try expect(symbol: "}")
    return ExpressionDeclarationSyntax(
      name: name, isAlias: isAlias, parameters: parameters, body: body, dialect: nil, range: range(from: start))
  }

  private mutating func declarationParameters() throws(SyntaxFailure) -> [NameSyntax] {
    let parameters =
      at(symbol: "(")
      ? try parenthesized { parser throws(SyntaxFailure) in try parser.name("a parameter") } : [try name("a parameter")]
    try expect(symbol: "=>")
    return parameters
  }

  /// A script is read to its closing bracket, and refused by the binder.
  private mutating func script(_ dialect: NameSyntax, from start: Int) throws(SyntaxFailure) -> ExpressionDeclarationSyntax {
    let function = try name("the script's name")
    throw SyntaxFailure(
      "scripts are not supported: \"\(function.text)\" is written in \(dialect.text)", range(from: start),
      suggestion: "write it as an expression: { x => … }")
  }

  // MARK: lists

  /// `list L from 'file'`: of addresses and prefixes, unless said otherwise.
  private mutating func createList(_ kind: CreateListSyntax.Kind) throws(SyntaxFailure) -> CreateListSyntax {
    advance()
    let name = try self.name("the list's name")
    try expect("from")
    let token = current
    guard token.kind == .string else { throw unexpected("the list's file, in quotes") }
    advance()
    return CreateListSyntax(kind: kind, name: name, path: token.text, pathRange: token.range)
  }

  // MARK: windows, tables, indexes

  private mutating func createWindow() throws(SyntaxFailure) -> CreateWindowSyntax {
    advance()
    let name = try self.name("the window's name")
    var window = CreateWindowSyntax(
      name: name, views: try views(), retain: nil, columns: [], model: nil, modelSelection: [], insertFrom: false,
      insertWhere: nil)
    if at("retain"), peek().isSymbol("-"), let retain = StreamSyntax.Retain(rawValue: peek(2).lowered) {
      window.retain = retain
      for _ in 0..<3 { advance() }
    }
    let hasAs = take("as")
    if at(symbol: "(") {
      window.columns = try parenthesized { parser throws(SyntaxFailure) in try parser.column() }
    } else if take("select") {
      window.modelSelection = try list { parser throws(SyntaxFailure) in try parser.selectItem() }
      try expect("from")
      window.model = try dottedName("an event type")
    } else if hasAs || atName {
      window.model = try dottedName("an event type")
    } else {
      throw unexpected("AS and the window's columns or event type", near: ["as"])
    }
    if take("insert") {
      window.insertFrom = true
      window.insertWhere = take("where") ? try expression() : nil
    }
    return window
  }

  private mutating func createTable() throws(SyntaxFailure) -> CreateTableSyntax {
    advance()
    let name = try self.name("the table's name")
    _ = take("as")
    return CreateTableSyntax(name: name, columns: try parenthesized { parser throws(SyntaxFailure) in try parser.column() })
  }

  private mutating func createIndex() throws(SyntaxFailure) -> CreateIndexSyntax {
    let isUnique = take("unique")
    try expect("index")
    let name = try self.name("the index's name")
    try expect("on")
    let target = try self.name("a named window or table")
    let columns = try parenthesized { parser throws(SyntaxFailure) in
      let column = try parser.expression()
      let kind = parser.atName ? try parser.name("BTREE or HASH") : nil
      return IndexColumnSyntax(expression: column, kind: kind)
    }
    return CreateIndexSyntax(name: name, isUnique: isUnique, target: target, columns: columns)
  }
}
