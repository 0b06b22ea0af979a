import Diagnostics

/// Patterns, loosest operator first: `->`, `or`, `and`, `until`, prefixes, guards.
extension Parser {
  mutating func patternStatement() throws(SyntaxFailure) -> PatternStatementSyntax {
    let start = current.range.start
    try expect("pattern")
    var annotations: [AnnotationSyntax] = []
    while at(symbol: "@") { annotations.append(try annotation()) }
    try expect(symbol: "[")
    let pattern = try pattern()
    try expect(symbol: "]")
    return PatternStatementSyntax(annotations: annotations, pattern: pattern, range: range(from: start))
  }

  private func node(_ kind: PatternSyntax.Kind, from start: Int, over children: [PatternSyntax]) throws(SyntaxFailure) -> PatternSyntax {
    let below = children.reduce(0) { max($0, $1.depth) }
    guard below < Self.maximumDepth else {
      throw SyntaxFailure("this pattern has more than \(Self.maximumDepth) levels", range(from: start))
    }
    return PatternSyntax(kind, range(from: start), below: below)
  }

  mutating func pattern() throws(SyntaxFailure) -> PatternSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      var steps = [try parser.patternOr()]
      var maximum: [ExpressionSyntax?] = []
      while true {
        if parser.take(symbol: "->") {
          maximum.append(nil)
        } else if parser.at(symbol: "-"), parser.peek().isSymbol("[") {
          parser.advance()
          parser.advance()
          maximum.append(try parser.expression())
          try parser.expect(symbol: "]")
          try parser.expect(symbol: ">")
        } else {
          break
        }
        steps.append(try parser.patternOr())
      }
      return steps.count == 1 ? steps[0] : try parser.node(.followedBy(steps, maximum: maximum), from: start, over: steps)
    }
  }

  private mutating func patternOr() throws(SyntaxFailure) -> PatternSyntax {
    let start = current.range.start
    var terms = [try patternAnd()]
    while take("or") { terms.append(try patternAnd()) }
    return terms.count == 1 ? terms[0] : try node(.or(terms), from: start, over: terms)
  }

  private mutating func patternAnd() throws(SyntaxFailure) -> PatternSyntax {
    let start = current.range.start
    var terms = [try patternUntil()]
    while take("and") { terms.append(try patternUntil()) }
    return terms.count == 1 ? terms[0] : try node(.and(terms), from: start, over: terms)
  }

  /// `[low:high] p until q`.
  private mutating func patternUntil() throws(SyntaxFailure) -> PatternSyntax {
    let start = current.range.start
    guard at(symbol: "[") else {
      let inner = try patternPrefix()
      guard take("until") else { return inner }
      let until = try patternPrefix()
      return try node(.repeated(low: nil, high: nil, exact: false, inner, until: until), from: start, over: [inner, until])
    }
    let bounds = try repeatBounds()
    let inner = try patternPrefix()
    let until = take("until") ? try patternPrefix() : nil
    return try node(
      .repeated(low: bounds.low, high: bounds.high, exact: bounds.exact, inner, until: until), from: start,
      over: [inner] + (until.map { [$0] } ?? []))
  }

  /// `[3]`, `[2:]`, `[:5]`, `[2:5]`.
  private mutating func repeatBounds() throws(SyntaxFailure) -> (low: ExpressionSyntax?, high: ExpressionSyntax?, exact: Bool) {
    advance()
    let low = at(symbol: ":") ? nil : try expression()
    guard take(symbol: ":") else {
      try expect(symbol: "]")
      return (low, low, true)
    }
    let high = at(symbol: "]") ? nil : try expression()
    try expect(symbol: "]")
    return (low, high, false)
  }

  private mutating func patternPrefix() throws(SyntaxFailure) -> PatternSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      if parser.at(symbol: "[") { return try parser.patternUntil() }
      if parser.at("every"), parser.peek().isSymbol("-"), parser.peek(2).isWord("distinct") {
        for _ in 0..<3 { parser.advance() }
        let keys = try parser.parenthesized { parser throws(SyntaxFailure) in try parser.expressionOrPeriod() }
        let inner = try parser.patternOperand()
        return try parser.node(.everyDistinct(keys, inner), from: start, over: [inner])
      }
      if parser.take("every") {
        if parser.at("every") { throw SyntaxFailure("EVERY stands twice", parser.current.range, suggestion: "leave one out") }
        let inner = try parser.patternOperand()
        return try parser.node(.every(inner), from: start, over: [inner])
      }
      if parser.take("not") {
        let inner = try parser.patternOperand()
        return try parser.node(.not(inner), from: start, over: [inner])
      }
      return try parser.guards(after: parser.patternAtom(), from: start)
    }
  }

  /// What EVERY and NOT apply to: a repeat binds to them as well.
  private mutating func patternOperand() throws(SyntaxFailure) -> PatternSyntax {
    at(symbol: "[") ? try patternUntil() : try patternPrefix()
  }

  private mutating func guards(after inner: PatternSyntax, from start: Int) throws(SyntaxFailure) -> PatternSyntax {
    var result = inner
    while true {
      if take("while") {
        try expect(symbol: "(")
        let condition = try expression()
        try expect(symbol: ")")
        result = try node(.whileGuard(result, condition), from: start, over: [result])
      } else if take("where") {
        let (namespace, name, arguments) = try observer()
        result = try node(.guarded(result, namespace: namespace, name: name, arguments: arguments), from: start, over: [result])
      } else {
        return result
      }
    }
  }

  private mutating func observer() throws(SyntaxFailure) -> (NameSyntax, NameSyntax, [ArgumentSyntax]) {
    let namespace = try name("\"timer:\"")
    try expect(symbol: ":")
    let token = current
    guard token.kind == .word else { throw unexpected("INTERVAL, AT, WITHIN or WITHINMAX") }
    advance()
    let arguments = try parenthesized { parser throws(SyntaxFailure) in try parser.argument() }
    return (namespace, NameSyntax(token.text, token.range), arguments)
  }

  private mutating func patternAtom() throws(SyntaxFailure) -> PatternSyntax {
    let start = current.range.start
    if take(symbol: "(") {
      var inner = try pattern()
      try expect(symbol: ")")
      inner.range = range(from: start)
      return inner
    }
    guard atName else { throw unexpected("an event, a timer or \"(\" in the pattern") }
    if peek().isSymbol(":"), peek(2).kind == .word, peek(3).isSymbol("(") {
      let (namespace, name, arguments) = try observer()
      return PatternSyntax(.observer(namespace: namespace, name: name, arguments: arguments), range(from: start))
    }
    var tag: NameSyntax?
    if peek().isSymbol("=") {
      tag = try name("a tag")
      advance()
    }
    let filter = try streamFilter()
    var consume: ConsumeSyntax?
    if at(symbol: "@"), peek().isWord("consume") {
      let from = current.range.start
      advance()
      advance()
      var level: ExpressionSyntax?
      if take(symbol: "(") {
        level = try expression()
        try expect(symbol: ")")
      }
      consume = ConsumeSyntax(level: level, range: range(from: from))
    }
    return PatternSyntax(.atom(tag: tag, filter, consume: consume), range(from: start))
  }
}
