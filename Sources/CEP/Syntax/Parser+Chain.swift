import Diagnostics

/// Names, properties, calls and methods, and the arguments of calls.
extension Parser {
  /// Words that are keywords and yet begin an expression when a parenthesis (or for the clock, anything) follows.
  private var atKeywordFunction: Bool {
    if at("current_timestamp") { return true }
    return ["min", "istream", "rstream", "left", "right", "exists"].contains(current.lowered) && peek().isSymbol("(")
  }

  mutating func chain() throws(SyntaxFailure) -> ExpressionSyntax {
    guard atName || atKeywordFunction else { throw unexpected("an expression") }
    let start = current.range.start
    var found = [try link()]
    try more(&found)
    return try chainNode(nil, found, from: start)
  }

  /// Methods after something that is no name: `(select …).where(…)`.
  mutating func links(after base: ExpressionSyntax) throws(SyntaxFailure) -> ExpressionSyntax {
    guard at(symbol: "."), isLinkName(peek()) else { return base }
    var found: [ChainLinkSyntax] = []
    try more(&found)
    return try chainNode(base, found, from: base.range.start)
  }

  private func chainNode(
    _ base: ExpressionSyntax?, _ links: [ChainLinkSyntax], from start: Int
  ) throws(SyntaxFailure) -> ExpressionSyntax {
    var children = links.flatMap { link in (link.call?.arguments.map(\.value) ?? []) + (link.index.map { [$0] } ?? []) }
    if let base { children.append(base) }
    return try node(.chain(base: base, links: links), from: start, over: children)
  }

  /// After a dot a few keywords are methods: `.where(…)`.
  private func isLinkName(_ token: Token) -> Bool {
    isName(token) || Keywords.methods.contains(token.lowered) || token.isSymbol("*")
  }

  private mutating func more(_ links: inout [ChainLinkSyntax]) throws(SyntaxFailure) {
    while at(symbol: "."), isLinkName(peek()) {
      // `E.win:time(…)` is a view, not a property.
      if peek(2).isSymbol(":"), peek(3).kind == .word, peek(4).isSymbol("(") { return }
      if links.count >= Self.maximumDepth {
        throw SyntaxFailure("more than \(Self.maximumDepth) names follow each other here", current.range)
      }
      advance()
      if at(symbol: "*") {
        links.append(ChainLinkSyntax(NameSyntax("*", current.range)))
        advance()
        return
      }
      links.append(try link())
    }
    if at(symbol: "."), peek().kind == .word {
      throw SyntaxFailure(
        "\(peek().described) is a keyword and no property", peek().range,
        suggestion: "write `\(peek().text)` in backticks to use it as a name")
    }
  }

  private mutating func link() throws(SyntaxFailure) -> ChainLinkSyntax {
    let token = current
    advance()
    var link = ChainLinkSyntax(NameSyntax(token.text, token.range, quoted: token.kind == .quotedName))
    if at(symbol: "(") { link.call = try call() }
    if at(symbol: "[") {
      advance()
      let indices = try list { parser throws(SyntaxFailure) in try parser.expression() }
      try expect(symbol: "]")
      link.index = indices.count == 1 ? indices[0] : try node(.array(indices), from: indices[0].range.start, over: indices)
    }
    if take(symbol: "?") { link.optional = true }
    return link
  }

  mutating func call() throws(SyntaxFailure) -> CallSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      try parser.expect(symbol: "(")
      if parser.take(symbol: ")") { return CallSyntax(arguments: [], range: parser.range(from: start)) }
      let distinct = parser.take("distinct")
      if !distinct { _ = parser.take("all") }
      let arguments = try parser.list { parser throws(SyntaxFailure) in try parser.argument() }
      try parser.expect(symbol: ")")
      return CallSyntax(distinct: distinct, arguments: arguments, range: parser.range(from: start))
    }
  }

  // MARK: arguments

  mutating func argument() throws(SyntaxFailure) -> ArgumentSyntax {
    if isName(current), peek().isSymbol(":"), !peek(2).isSymbol(")") {
      let name = try self.name("a parameter's name")
      advance()
      return ArgumentSyntax(name: name, value: try argumentValue())
    }
    return ArgumentSyntax(value: try argumentValue())
  }

  private var endsArgument: Bool { at(symbol: ",") || at(symbol: ")") || at(symbol: "]") }

  private mutating func argumentValue() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if at(symbol: "*") {
      advance()
      if take(symbol: "/") {
        let step = try expression()
        return try node(.cron(.step(step)), from: start, over: [step])
      }
      return ExpressionSyntax(.wildcard, range(from: start))
    }
    if at(symbol: "[") {
      advance()
      let values = try list { parser throws(SyntaxFailure) in try parser.argumentValue() }
      try expect(symbol: "]")
      return try node(.cron(.list(values)), from: start, over: values)
    }
    if let parameters = try lambdaParameters() {
      let body = try nested { parser throws(SyntaxFailure) in try parser.expression() }
      return try node(.lambda(parameters: parameters, body: body), from: start, over: [body])
    }
    if let field = bareCronField() { return ExpressionSyntax(.cron(field), range(from: start)) }
    return try afterValue(expressionOrPeriod(), from: start)
  }

  /// `last`, `lw`, `weekday`, `lastweekday` alone in a crontab.
  private mutating func bareCronField() -> CronFieldSyntax? {
    guard peek().isSymbol(",") || peek().isSymbol(")") else { return nil }
    switch current.lowered {
    case "lastweekday", "lw":
      advance()
      return .lastWeekday
    default: return nil
    }
  }

  /// What may follow a value as an argument: `8:10`, `5 last`, `v desc`.
  private mutating func afterValue(_ value: ExpressionSyntax, from start: Int) throws(SyntaxFailure) -> ExpressionSyntax {
    if endsArgument { return value }
    if take(symbol: ":") {
      let high = try expression()
      return try node(.cron(.range(value, high)), from: start, over: [value, high])
    }
    if take("desc") { return try node(.ordered(value, descending: true), from: start, over: [value]) }
    if take("asc") { return try node(.ordered(value, descending: false), from: start, over: [value]) }
    if take("last") { return try node(.cron(.last(value)), from: start, over: [value]) }
    if take("weekday") { return try node(.cron(.weekday(value)), from: start, over: [value]) }
    return value
  }

  /// `x =>` and `(x, y) =>`; nil, with nothing taken, where neither stands here.
  private mutating func lambdaParameters() throws(SyntaxFailure) -> [NameSyntax]? {
    if atName, peek().isSymbol("=>") {
      let parameter = try name("a parameter")
      advance()
      return [parameter]
    }
    guard at(symbol: "("), isName(peek()) else { return nil }
    var ahead = 1
    while isName(peek(ahead)), peek(ahead + 1).isSymbol(",") { ahead += 2 }
    guard isName(peek(ahead)), peek(ahead + 1).isSymbol(")"), peek(ahead + 2).isSymbol("=>") else { return nil }
    let parameters = try parenthesized { parser throws(SyntaxFailure) in try parser.name("a parameter") }
    advance()
    return parameters
  }

  // MARK: time periods

  /// An expression, or a time period such as `1 min 30 sec` or `(1 + 2) * 2 sec`.
  mutating func expressionOrPeriod() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    let first = try expression()
    guard let unit = Keywords.timeUnits[current.lowered] else {
      if case .literal = first.kind, isMisspelledUnit { throw unexpected("a unit of time", near: Keywords.timeUnits.keys.sorted()) }
      return first
    }
    advance()
    var parts = [TimePartSyntax(value: first, unit: unit, range: range(from: start))]
    while startsTimePart {
      let partStart = current.range.start
      let value = try chainOrNumber()
      guard let unit = Keywords.timeUnits[current.lowered] else { throw unexpected("a unit of time") }
      advance()
      parts.append(TimePartSyntax(value: value, unit: unit, range: range(from: partStart)))
    }
    return try node(.timePeriod(parts), from: start, over: parts.map(\.value))
  }

  /// `5 minuts`: a word of no other meaning that is nearly a unit.
  private var isMisspelledUnit: Bool {
    guard current.kind == .word, current.lowered.count > 3, !Keywords.reserved.contains(current.lowered) else { return false }
    return didYouMean(current.lowered, among: Keywords.timeUnits.keys.sorted()) != nil
  }

  private var startsTimePart: Bool {
    if case .number = current.kind { return true }
    return atName && Keywords.timeUnits[peek().lowered] != nil
  }

  private mutating func chainOrNumber() throws(SyntaxFailure) -> ExpressionSyntax {
    let start = current.range.start
    if let literal = try takeLiteral() { return ExpressionSyntax(.literal(literal), range(from: start)) }
    return try chain()
  }
}
