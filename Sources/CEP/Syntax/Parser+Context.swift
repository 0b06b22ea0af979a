import Diagnostics

extension Parser {
  mutating func createContext() throws(SyntaxFailure) -> CreateContextSyntax {
    advance()
    let name = try self.name("the context's name")
    _ = take("as")
    guard at("context") else { return CreateContextSyntax(name: name, definition: try contextDefinition()) }
    let parts = try list { parser throws(SyntaxFailure) in
      try parser.expect("context")
      let part = try parser.name("the context's name")
      _ = parser.take("as")
      return CreateContextSyntax(name: part, definition: try parser.contextDefinition())
    }
    return CreateContextSyntax(name: name, definition: .nested(parts))
  }

  private mutating func contextDefinition() throws(SyntaxFailure) -> ContextDefinitionSyntax {
    if take("partition") { return try keyed() }
    if take("coalesce") { return try hash() }
    if take("group") { return try categories() }
    if take("start") {
      let start = try condition()
      let end = take("end") ? try condition() : nil
      return .startEnd(start: start, end: end)
    }
    if take("initiated") {
      _ = take("by")
      let distinct = take("distinct") ? try parenthesized { parser throws(SyntaxFailure) in try parser.expression() } : []
      let start = try condition()
      var end: ContextConditionSyntax?
      if take("terminated") {
        _ = take("by")
        end = try condition()
      }
      return .initiatedTerminated(distinct: distinct, start: start, end: end)
    }
    throw unexpected(
      "PARTITION BY, COALESCE BY, GROUP, START or INITIATED", near: ["partition", "coalesce", "group", "start", "initiated"])
  }

  /// A list that ends where the next context of a nested one begins.
  private mutating func partList<T>(_ element: (inout Parser) throws(SyntaxFailure) -> T) throws(SyntaxFailure) -> [T] {
    var result = [try element(&self)]
    while at(symbol: ","), !(peek().isWord("context") && isName(peek(2))) {
      advance()
      result.append(try element(&self))
    }
    return result
  }

  private mutating func keyed() throws(SyntaxFailure) -> ContextDefinitionSyntax {
    _ = take("by")
    let keys = try partList { parser throws(SyntaxFailure) in
      var properties = [try parser.dottedName("a property")]
      while parser.take("and") || parser.take(symbol: ",") { properties.append(try parser.dottedName("a property")) }
      try parser.expect("from")
      let stream = try parser.streamFilter()
      return ContextKeySyntax(properties: properties, stream: stream, alias: try parser.contextAlias())
    }
    var initiated: [ContextConditionSyntax] = []
    if take("initiated") {
      _ = take("by")
      initiated = try list { parser throws(SyntaxFailure) in try parser.condition() }
    }
    var terminated: ContextConditionSyntax?
    if take("terminated") {
      _ = take("by")
      terminated = try condition()
    }
    return .keyed(keys, initiated: initiated, terminated: terminated)
  }

  /// An alias is `as x` here, or a word that begins no other part of a context.
  private mutating func contextAlias() throws(SyntaxFailure) -> NameSyntax? {
    if take("as") { return try name("a name after AS") }
    let others = ["terminated", "initiated", "end", "granularity", "preallocate"]
    return atName && !others.contains(current.lowered) ? try name("a name") : nil
  }

  private mutating func hash() throws(SyntaxFailure) -> ContextDefinitionSyntax {
    _ = take("by")
    let parts = try partList { parser throws(SyntaxFailure) in
      let function = try parser.name("a hash function")
      let arguments = try parser.parenthesized { parser throws(SyntaxFailure) in try parser.expression() }
      try parser.expect("from")
      return ContextHashSyntax(function: function, arguments: arguments, stream: try parser.streamFilter())
    }
    try expect("granularity")
    let granularity = try expression()
    return .hash(parts, granularity: granularity, preallocate: take("preallocate"))
  }

  private mutating func categories() throws(SyntaxFailure) -> ContextDefinitionSyntax {
    _ = take("by")
    var categories: [ContextCategorySyntax] = []
    repeat {
      _ = take("group")
      _ = take("by")
      let condition = try expression()
      try expect("as")
      categories.append(ContextCategorySyntax(condition: condition, label: try name("the category's label")))
    } while take(symbol: ",")
    try expect("from")
    return .category(categories, from: try streamFilter())
  }

  private mutating func condition() throws(SyntaxFailure) -> ContextConditionSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      let kind = try parser.conditionKind()
      return ContextConditionSyntax(kind: kind, range: parser.range(from: start))
    }
  }

  private mutating func conditionKind() throws(SyntaxFailure) -> ContextConditionSyntax.Kind {
    if at(symbol: "@"), peek().isWord("now") {
      advance()
      advance()
      return take("and") ? .nowAnd(try condition()) : .immediately
    }
    if at(symbol: "(") {
      var lists = [try crontab()]
      while at(symbol: ","), peek().isSymbol("(") {
        advance()
        lists.append(try crontab())
      }
      return .crontab(lists)
    }
    if at("pattern") {
      let pattern = try patternStatement()
      var inclusive = false
      if at(symbol: "@"), peek().isWord("inclusive") {
        advance()
        advance()
        inclusive = true
      }
      return .pattern(pattern, inclusive: inclusive, alias: try contextAlias())
    }
    if take("after") { return .after(try expressionOrPeriod()) }
    let stream = try streamFilter()
    return .filter(stream, alias: try contextAlias())
  }
}
