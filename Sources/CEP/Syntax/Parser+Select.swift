import Diagnostics

extension Parser {
  /// `[insert into …] select … from …` with all its clauses.
  mutating func select() throws(SyntaxFailure) -> SelectSyntax {
    let start = current.range.start
    let insert = at("insert") || at("into") ? try insertInto() : nil
    let selection = try selectClause()
    if atName, let alias = selection.items.last?.alias, let suggestion = didYouMean(alias.text.lowercased(), among: ["from"]) {
      throw SyntaxFailure("expected FROM, found \"\(alias.text)\"", alias.range, suggestion: suggestion)
    }
    try expect("from")
    let (streams, joins) = try fromClause()
    return try clauses(insert: insert, selection: selection, streams: streams, joins: joins, from: start)
  }

  /// What may follow FROM, each at most once and in this order.
  mutating func clauses(
    insert: InsertIntoSyntax?, selection: SelectClauseSyntax, streams: [StreamSyntax], joins: [JoinSyntax?], from start: Int
  ) throws(SyntaxFailure) -> SelectSyntax {
    let recognize = at("match_recognize") ? try matchRecognize() : nil
    let whereClause = take("where") ? try expression() : nil
    let groups = at("group") ? try groupBy() : []
    let having = take("having") ? try expression() : nil
    let output = at("output") ? try output() : nil
    let order = at("order") ? try orderBy() : []
    let limit = at("limit") ? try limit() : nil
    var forClauses: [ForSyntax] = []
    while take("for") {
      let name = try self.name("a delivery form")
      let arguments = at(symbol: "(") ? try parenthesized { parser throws(SyntaxFailure) in try parser.expression() } : []
      forClauses.append(ForSyntax(name: name, arguments: arguments))
    }
    return SelectSyntax(
      insertInto: insert, selection: selection, from: streams, joins: joins, matchRecognize: recognize,
      whereClause: whereClause, groupBy: groups, having: having, output: output, orderBy: order, limit: limit,
      forClauses: forClauses, range: range(from: start))
  }

  mutating func insertInto() throws(SyntaxFailure) -> InsertIntoSyntax {
    let start = current.range.start
    _ = take("insert")
    let selector = StreamSelectorSyntax(rawValue: current.lowered)
    if selector != nil { advance() }
    try expect("into")
    let isTable = at("table") && isName(peek()) && !peek().isWord("select")
    if isTable { advance() }
    let target = try dottedName("the stream's name")
    let columns = at(symbol: "(") ? try parenthesized { parser throws(SyntaxFailure) in try parser.dottedName("a column") } : []
    return InsertIntoSyntax(selector: selector, target: target, columns: columns, isTable: isTable, range: range(from: start))
  }

  mutating func selectClause() throws(SyntaxFailure) -> SelectClauseSyntax {
    let start = current.range.start
    guard take("select") else { throw unexpected("SELECT", near: ["select", "into"]) }
    var selector: StreamSelectorSyntax?
    if let found = StreamSelectorSyntax(rawValue: current.lowered), !peek().isSymbol("(") {
      selector = found
      advance()
    }
    let distinct = take("distinct")
    let items = try list { parser throws(SyntaxFailure) in try parser.selectItem() }
    return SelectClauseSyntax(selector: selector, distinct: distinct, items: items, range: range(from: start))
  }

  mutating func selectItem() throws(SyntaxFailure) -> SelectItemSyntax {
    let start = current.range.start
    if take(symbol: "*") { return SelectItemSyntax(kind: .wildcard, alias: nil, range: range(from: start)) }
    if isName(current), peek().isSymbol("."), peek(2).isSymbol("*") {
      let stream = try name("a stream")
      advance()
      advance()
      return SelectItemSyntax(kind: .streamWildcard(stream), alias: try alias(), range: range(from: start))
    }
    let value = try expression()
    while at(symbol: "@") { _ = try annotation() }
    let alias = try alias()
    return SelectItemSyntax(kind: .expression(value), alias: alias, range: range(from: start))
  }

  // MARK: grouping and order

  private mutating func groupBy() throws(SyntaxFailure) -> [GroupElementSyntax] {
    advance()
    try expect("by")
    return try list { parser throws(SyntaxFailure) in try parser.groupElement() }
  }

  private mutating func groupElement() throws(SyntaxFailure) -> GroupElementSyntax {
    let start = current.range.start
    if at("rollup") || at("cube"), peek().isSymbol("(") {
      let isRollup = at("rollup")
      advance()
      let elements = try parenthesized { parser throws(SyntaxFailure) in try parser.groupElement() }
      return isRollup ? .rollup(elements, range(from: start)) : .cube(elements, range(from: start))
    }
    if at("grouping"), peek().isWord("sets") {
      advance()
      advance()
      let elements = try parenthesized { parser throws(SyntaxFailure) in
        try parser.nested { parser throws(SyntaxFailure) in try parser.groupElement() }
      }
      return .groupingSets(elements, range(from: start))
    }
    if at(symbol: "("), let combined = try combinedGroup(from: start) { return combined }
    return .expression(try expression())
  }

  /// `()` and `(a, b)`; nil, with nothing taken, where the parenthesis only begins an expression.
  private mutating func combinedGroup(from start: Int) throws(SyntaxFailure) -> GroupElementSyntax? {
    let saved = position
    let elements = try parenthesized { parser throws(SyntaxFailure) in try parser.expression() }
    if elements.count != 1 || at(symbol: ",") || at(symbol: ")") { return .combined(elements, range(from: start)) }
    rewind(to: saved)
    return nil
  }

  private mutating func orderBy() throws(SyntaxFailure) -> [OrderElementSyntax] {
    advance()
    try expect("by")
    return try list { parser throws(SyntaxFailure) in
      let value = try parser.expression()
      let descending = parser.take("desc")
      if !descending { _ = parser.take("asc") }
      return OrderElementSyntax(expression: value, descending: descending)
    }
  }

  /// `limit n`, `limit n offset m`, and `limit m, n`, where the offset comes first.
  private mutating func limit() throws(SyntaxFailure) -> LimitSyntax {
    let start = current.range.start
    advance()
    let first = try limitNumber()
    if take(symbol: ",") {
      let count = try limitNumber()
      return LimitSyntax(count: count, offset: first, range: range(from: start))
    }
    let offset = take("offset") ? try limitNumber() : nil
    return LimitSyntax(count: first, offset: offset, range: range(from: start))
  }

  private mutating func limitNumber() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if let literal = try takeLiteral() { return ExpressionSyntax(.literal(literal), range(from: start)) }
    guard atName else { throw unexpected("a number or the name of a variable") }
    return try chain()
  }

  // MARK: output

  private mutating func output() throws(SyntaxFailure) -> OutputSyntax {
    let start = current.range.start
    advance()
    var result = OutputSyntax(
      after: nil, selection: nil, rate: .none, andTerminated: false, terminatedCondition: nil, then: [], terminatedThen: [],
      range: SourceRange(start, start))
    if take("after") {
      let value = try expressionOrPeriod()
      if take("events") { result.after = .events(value) } else { result.after = .period(value) }
    }
    if let selection = OutputSyntax.Selection(rawValue: current.lowered) {
      result.selection = selection
      advance()
    }
    try outputRate(&result)
    if take("and") {
      try expect("when")
      try expect("terminated")
      result.andTerminated = true
      try terminatedRest(&result)
    }
    result.range = range(from: start)
    return result
  }

  private mutating func outputRate(_ result: inout OutputSyntax) throws(SyntaxFailure) {
    if take("every") {
      let value = try expressionOrPeriod()
      if take("events") {
        result.rate = .events(value)
      } else if case .timePeriod = value.kind {
        result.rate = .period(value)
      } else {
        throw unexpected("EVENTS or a unit of time", near: ["events"] + Keywords.timeUnits.keys.sorted())
      }
    } else if take("at") {
      result.rate = .crontab(try crontab())
    } else if take("when") {
      if take("terminated") {
        result.rate = .terminated
        try terminatedRest(&result)
      } else {
        result.rate = .when(try expression())
        if take("then") { result.then = try thenSet() }
      }
    } else if result.after == nil || result.selection != nil {
      throw unexpected(
        "EVERY, AT, WHEN or AFTER in the output clause", near: ["every", "at", "when", "after", "all", "first", "last", "snapshot"])
    }
  }

  private mutating func terminatedRest(_ result: inout OutputSyntax) throws(SyntaxFailure) {
    if take("and") { result.terminatedCondition = try expression() }
    if take("then") { result.terminatedThen = try thenSet() }
  }

  private mutating func thenSet() throws(SyntaxFailure) -> [AssignmentSyntax] {
    try expect("set")
    return try assignments()
  }

  /// `(minute, hour, day, month, weekday[, second[, zone]])`.
  mutating func crontab() throws(SyntaxFailure) -> [ExpressionSyntax] {
    try parenthesized { parser throws(SyntaxFailure) in try parser.argument().value }
  }

  mutating func assignments() throws(SyntaxFailure) -> [AssignmentSyntax] {
    try list { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      let target = try parser.dottedName("a name to set")
      var index: ExpressionSyntax?
      if parser.take(symbol: "[") {
        index = try parser.expression()
        try parser.expect(symbol: "]")
      }
      try parser.expect(symbol: "=")
      let value = try parser.expression()
      return AssignmentSyntax(target: target, index: index, value: value, range: parser.range(from: start))
    }
  }
}
