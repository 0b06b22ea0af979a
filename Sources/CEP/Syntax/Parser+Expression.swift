import Diagnostics

/// Operators, loosest first. `& | ^` bind looser than `=`.
private enum Level: Int {
  case or = 1, and, bitwise, not, equality, relational, concat, additive, multiplicative
}

extension Parser {
  mutating func expression() throws(SyntaxFailure) -> ExpressionSyntax { try expression(from: Level.or.rawValue) }

  /// A node, its depth checked against the bound.
  func node(_ kind: ExpressionSyntax.Kind, from start: Int, over children: [ExpressionSyntax]) throws(SyntaxFailure) -> ExpressionSyntax {
    let below = children.reduce(0) { max($0, $1.depth) }
    guard below < Self.maximumDepth else {
      throw SyntaxFailure("this expression has more than \(Self.maximumDepth) levels of operators", range(from: start))
    }
    return ExpressionSyntax(kind, range(from: start), below: below)
  }

  private mutating func expression(from minimum: Int) throws(SyntaxFailure) -> ExpressionSyntax {
    try nested { parser throws(SyntaxFailure) in
      var left = try parser.operand()
      while let level = parser.operatorLevel(), level.rawValue >= minimum {
        left = try parser.apply(level, to: left)
      }
      return left
    }
  }

  /// `not x`, or an operand that binds tighter than any binary operator.
  private mutating func operand() throws(SyntaxFailure) -> ExpressionSyntax {
    guard at("not") else { return try unary() }
    let start = current.range.start
    advance()
    let inner = try expression(from: Level.equality.rawValue)
    return try node(.not(inner), from: start, over: [inner])
  }

  private func operatorLevel() -> Level? {
    if current.kind == .symbol {
      switch current.text {
      case "=", "!=", "<>": return .equality
      case "<", "<=", ">", ">=": return .relational
      case "||": return .concat
      case "+", "-": return .additive
      case "*", "/", "%": return .multiplicative
      case "&", "|", "^": return .bitwise
      default: return nil
      }
    }
    switch current.lowered {
    case "or": return .or
    case "and": return .and
    case "is": return .equality
    case "in", "between", "like", "regexp": return .relational
    case "not": return ["in", "between", "like", "regexp"].contains(peek().lowered) ? .relational : nil
    default: return nil
    }
  }

  private mutating func apply(_ level: Level, to left: ExpressionSyntax) throws(SyntaxFailure) -> ExpressionSyntax {
    switch level {
    case .or: return try flat(level, left, isNext: { $0.at("or") }) { .or($0) }
    case .and: return try flat(level, left, isNext: { $0.at("and") }) { .and($0) }
    case .concat: return try flat(level, left, isNext: { $0.at(symbol: "||") }) { .concat($0) }
    case .equality, .relational: return try comparison(level, left)
    default:
      let op = BinaryOperatorSyntax(rawValue: current.text) ?? .add
      advance()
      return try binary(op, left, expression(from: level.rawValue + 1))
    }
  }

  /// Mutating, so that the node ends behind its right operand, which is parsed as an argument of the call.
  private mutating func binary(
    _ op: BinaryOperatorSyntax, _ left: ExpressionSyntax, _ right: ExpressionSyntax
  ) throws(SyntaxFailure) -> ExpressionSyntax {
    try node(.binary(op, left, right), from: left.range.start, over: [left, right])
  }

  private mutating func flat(
    _ level: Level, _ left: ExpressionSyntax, isNext: (Parser) -> Bool,
    make: ([ExpressionSyntax]) -> ExpressionSyntax.Kind
  ) throws(SyntaxFailure) -> ExpressionSyntax {
    var terms = [left]
    while isNext(self) {
      advance()
      terms.append(try expression(from: level.rawValue + 1))
    }
    return try node(make(terms), from: left.range.start, over: terms)
  }

  // MARK: comparisons

  private mutating func comparison(_ level: Level, _ left: ExpressionSyntax) throws(SyntaxFailure) -> ExpressionSyntax {
    if current.kind == .word {
      if take("is") {
        let op: BinaryOperatorSyntax = take("not") ? .isNotSame : .isSame
        return try binary(op, left, expression(from: level.rawValue + 1))
      }
      let negated = take("not")
      let word = current
      advance()
      switch word.lowered {
      case "in": return try inList(left, negated)
      case "between":
        let low = try expression(from: Level.concat.rawValue)
        try expect("and")
        let high = try expression(from: Level.concat.rawValue)
        return try node(.between(left, low: low, high: high, negated: negated), from: left.range.start, over: [left, low, high])
      case "like":
        let pattern = try expression(from: Level.concat.rawValue)
        let escape = take("escape") ? try expression(from: Level.concat.rawValue) : nil
        return try node(
          .like(left, pattern: pattern, escape: escape, negated: negated), from: left.range.start, over: [left, pattern])
      default:
        let pattern = try expression(from: Level.concat.rawValue)
        return try node(.regexp(left, pattern: pattern, negated: negated), from: left.range.start, over: [left, pattern])
      }
    }
    let op: BinaryOperatorSyntax = current.text == "<>" ? .notEqual : BinaryOperatorSyntax(rawValue: current.text) ?? .equal
    advance()
    if let quantifier = QuantifierSyntax(rawValue: current.lowered), peek().isSymbol("(") {
      return try quantified(op, left, quantifier)
    }
    return try binary(op, left, expression(from: level.rawValue + 1))
  }

  private mutating func quantified(
    _ op: BinaryOperatorSyntax, _ left: ExpressionSyntax, _ quantifier: QuantifierSyntax
  ) throws(SyntaxFailure) -> ExpressionSyntax {
    advance()
    if peek().isWord("select") {
      let query = try subquery()
      return try node(.quantifiedSubquery(op, left, quantifier, query), from: left.range.start, over: [left])
    }
    let values = try parenthesized { parser throws(SyntaxFailure) in try parser.expression() }
    return try node(.quantifiedList(op, left, quantifier, values), from: left.range.start, over: [left] + values)
  }

  private mutating func inList(_ left: ExpressionSyntax, _ negated: Bool) throws(SyntaxFailure) -> ExpressionSyntax {
    let start = left.range.start
    if at(symbol: "("), peek().isWord("select") {
      let query = try subquery()
      return try node(.inSubquery(left, query, negated: negated), from: start, over: [left])
    }
    // Ours: a list's name, or one prefix, without parentheses.
    if current.kind == .string || isName(current) {
      let member = try expression(from: Level.concat.rawValue)
      return try node(.inList(left, [member], negated: negated), from: start, over: [left, member])
    }
    let lowIn = at(symbol: "[")
    guard take(symbol: "[") || take(symbol: "(") else { throw unexpected("\"(\" or \"[\" after IN") }
    let first = try expression(from: Level.or.rawValue)
    if take(symbol: ":") {
      let high = try expression(from: Level.or.rawValue)
      let highIn = at(symbol: "]")
      guard take(symbol: "]") || take(symbol: ")") else { throw unexpected("\"]\" or \")\" after the range") }
      return try node(
        .inRange(left, low: first, high: high, lowIn: lowIn, highIn: highIn, negated: negated), from: start,
        over: [left, first, high])
    }
    var values = [first]
    while take(symbol: ",") { values.append(try expression()) }
    try expect(symbol: lowIn ? "]" : ")")
    return try node(.inList(left, values, negated: negated), from: start, over: [left] + values)
  }

  // MARK: operands

  private mutating func unary() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if take(symbol: "-") {
      let inner = try nested { parser throws(SyntaxFailure) in try parser.unary() }
      return try node(.negate(inner), from: start, over: [inner])
    }
    if at(symbol: "+"), case .number = peek().kind { advance() }
    return try primary()
  }

  mutating func takeLiteral() throws(SyntaxFailure) -> LiteralSyntax? {
    let token = current
    switch token.kind {
    case .string:
      advance()
      return .string(token.text)
    case .number(let literal):
      advance()
      return literal
    case .word:
      switch token.lowered {
      case "true", "false":
        advance()
        return .boolean(token.lowered == "true")
      case "null":
        advance()
        return .null
      default: return nil
      }
    case .symbol:
      guard token.text == "-", case .number(let literal) = peek().kind else { return nil }
      advance()
      advance()
      return literal.negated
    default: return nil
    }
  }

  private mutating func primary() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if !at(symbol: "-"), let literal = try takeLiteral() {
      return try links(after: ExpressionSyntax(.literal(literal), range(from: start)))
    }
    if at(symbol: "(") { return try links(after: parenthesis()) }
    if take(symbol: "{") {
      let values = at(symbol: "}") ? [] : try list { parser throws(SyntaxFailure) in try parser.expression() }
      try expect(symbol: "}")
      return try links(after: node(.array(values), from: start, over: values))
    }
    switch current.lowered {
    case "case": return try caseWhen()
    case "cast" where peek().isSymbol("("): return try links(after: cast())
    case "instanceof" where peek().isSymbol("("): return try instanceOf()
    case "exists" where peek().isSymbol("(") && peek(2).isWord("select"):
      advance()
      return try node(.exists(subquery()), from: start, over: [])
    case "new": return try newValue()
    default: return try chain()
    }
  }

  private mutating func parenthesis() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if peek().isWord("select") {
      let query = try subquery()
      return ExpressionSyntax(.subquery(query), query.range)
    }
    advance()
    var inner = try expression()
    try expect(symbol: ")")
    inner.range = range(from: start)
    return inner
  }

  mutating func subquery() throws(SyntaxFailure) -> SubquerySyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      try parser.expect(symbol: "(")
      let query = try parser.select()
      try parser.expect(symbol: ")")
      return SubquerySyntax(query: query, range: parser.range(from: start))
    }
  }

  private mutating func caseWhen() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    advance()
    let operand = at("when") ? nil : try expression()
    var branches: [CaseBranchSyntax] = []
    while take("when") {
      let when = try expression()
      try expect("then")
      branches.append(CaseBranchSyntax(when: when, then: try expression()))
    }
    if branches.isEmpty { throw unexpected("WHEN", near: ["when"]) }
    let otherwise = take("else") ? try expression() : nil
    try expect("end")
    let children = branches.flatMap { [$0.when, $0.then] } + [operand, otherwise].compactMap { $0 }
    return try node(.caseWhen(operand: operand, branches: branches, otherwise: otherwise), from: start, over: children)
  }

  private mutating func cast() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    advance()
    try expect(symbol: "(")
    let value = try expression()
    if !take("as") { try expect(symbol: ",") }
    let type = try typeName()
    var format: ExpressionSyntax?
    if take(symbol: ",") {
      let place = current.range
      let argument = try argument()
      guard argument.name?.text.lowercased() == "dateformat" else {
        throw SyntaxFailure("a cast takes a value, a type and a format of dates", place, suggestion: "dateformat: 'yyyy-MM-dd'")
      }
      format = argument.value
    }
    try expect(symbol: ")")
    return try node(.cast(value, type, dateFormat: format), from: start, over: [value] + (format.map { [$0] } ?? []))
  }

  private mutating func instanceOf() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    advance()
    try expect(symbol: "(")
    let value = try expression()
    try expect(symbol: ",")
    let types = try list { parser throws(SyntaxFailure) in try parser.typeName() }
    try expect(symbol: ")")
    return try node(.instanceOf(value, types), from: start, over: [value])
  }

  private mutating func newValue() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    advance()
    guard take(symbol: "{") else {
      let type = try typeName()
      let arguments = try parenthesized { parser throws(SyntaxFailure) in try parser.argument() }
      return try node(.newObject(type, arguments), from: start, over: arguments.map(\.value))
    }
    let fields = try list { parser throws(SyntaxFailure) in
      let name = try parser.dottedName("a column's name")
      return NewFieldSyntax(name: name, value: parser.take(symbol: "=") ? try parser.expression() : nil)
    }
    try expect(symbol: "}")
    return try links(after: node(.newStruct(fields), from: start, over: fields.compactMap(\.value)))
  }

  /// `string`, `int[]`, `java.util.Calendar`, `int[primitive]`.
  mutating func typeName() throws(SyntaxFailure) -> TypeNameSyntax {
    let start = current.range.start
    let name = try dottedName("a type")
    var dimensions = 0
    var isPrimitive = false
    while take(symbol: "[") {
      if at("primitive") {
        advance()
        isPrimitive = true
      }
      try expect(symbol: "]")
      dimensions += 1
    }
    return TypeNameSyntax(name: name.text, dimensions: dimensions, isPrimitiveArray: isPrimitive, range: range(from: start))
  }
}

extension LiteralSyntax {
  /// Minus the number; what is no number stays.
  var negated: LiteralSyntax {
    switch self {
    case .integer(let value): .integer(0 &- value)
    case .long(let value): value == Int64(Int32.max) + 1 ? .integer(.min) : .long(0 &- value)
    case .float(let value): .float(-value)
    case .double(let value): .double(-value)
    case .null, .boolean, .string: self
    }
  }
}
