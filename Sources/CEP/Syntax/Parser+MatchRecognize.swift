import Diagnostics

extension Parser {
  mutating func matchRecognize() throws(SyntaxFailure) -> MatchRecognizeSyntax {
    let start = current.range.start
    advance()
    try expect(symbol: "(")
    var partition: [ExpressionSyntax] = []
    if take("partition") {
      try expect("by")
      partition = try list { parser throws(SyntaxFailure) in try parser.expression() }
    }
    try expect("measures")
    let measures = try list { parser throws(SyntaxFailure) in
      let value = try parser.expression()
      try parser.expect("as")
      return MeasureSyntax(expression: value, alias: try parser.name("the measure's name"))
    }
    var allMatches = false
    if take("all") {
      try expect("matches")
      allMatches = true
    }
    let skip = at("after") ? try afterMatch() : nil
    try expect("pattern")
    try expect(symbol: "(")
    let pattern = try rowPattern()
    try expect(symbol: ")")
    var interval: ExpressionSyntax?
    var orTerminated = false
    if take("interval") {
      interval = try expressionOrPeriod()
      if take("or") {
        try expect("terminated")
        orTerminated = true
      }
    }
    var defines: [DefineSyntax] = []
    if take("define") {
      defines = try list { parser throws(SyntaxFailure) in
        let name = try parser.name("a variable of the pattern")
        try parser.expect("as")
        return DefineSyntax(name: name, condition: try parser.expression())
      }
    }
    try expect(symbol: ")")
    return MatchRecognizeSyntax(
      partitionBy: partition, measures: measures, allMatches: allMatches, skip: skip, pattern: pattern, interval: interval,
      orTerminated: orTerminated, defines: defines, range: range(from: start))
  }

  /// `after match skip past last row | to next row | to current row`.
  private mutating func afterMatch() throws(SyntaxFailure) -> MatchRecognizeSyntax.Skip {
    advance()
    try expect("match")
    try expect("skip")
    if take("past") {
      try expect("last")
      try expect("row")
      return .pastLastRow
    }
    try expect("to")
    guard at("next") || at("current") else { throw unexpected("NEXT ROW or CURRENT ROW", near: ["next", "current"]) }
    let isNext = at("next")
    advance()
    try expect("row")
    return isNext ? .toNextRow : .toCurrentRow
  }

  private func node(
    _ kind: RowPatternSyntax.Kind, from start: Int, over children: [RowPatternSyntax]
  ) throws(SyntaxFailure) -> RowPatternSyntax {
    RowPatternSyntax(kind, range(from: start), below: children.reduce(0) { max($0, $1.depth) })
  }

  private mutating func rowPattern() throws(SyntaxFailure) -> RowPatternSyntax {
    try nested { parser throws(SyntaxFailure) in
      let start = parser.current.range.start
      var branches = [try parser.rowSequence()]
      while parser.take(symbol: "|") { branches.append(try parser.rowSequence()) }
      return branches.count == 1 ? branches[0] : try parser.node(.alternation(branches), from: start, over: branches)
    }
  }

  private mutating func rowSequence() throws(SyntaxFailure) -> RowPatternSyntax {
    let start = current.range.start
    var parts = [try rowQuantified()]
    while atName || at(symbol: "(") { parts.append(try rowQuantified()) }
    return parts.count == 1 ? parts[0] : try node(.sequence(parts), from: start, over: parts)
  }

  private mutating func rowQuantified() throws(SyntaxFailure) -> RowPatternSyntax {
    let start = current.range.start
    let inner = try rowAtom()
    guard let (low, high) = try rowBounds() else { return inner }
    let greedy = !take(symbol: "?")
    return try node(.quantified(inner, low: low, high: high, greedy: greedy), from: start, over: [inner])
  }

  private mutating func rowAtom() throws(SyntaxFailure) -> RowPatternSyntax {
    let start = current.range.start
    if at("match_recognize_permute") {
      advance()
      let parts = try parenthesized { parser throws(SyntaxFailure) in try parser.rowPattern() }
      return try node(.permute(parts), from: start, over: parts)
    }
    if take(symbol: "(") {
      let inner = try rowPattern()
      try expect(symbol: ")")
      return inner
    }
    return RowPatternSyntax(.variable(try name("a variable of the pattern")), range(from: start))
  }

  /// `? * + {n} {n,} {,m} {n,m}`; nil where none stands here.
  private mutating func rowBounds() throws(SyntaxFailure) -> (low: Int, high: Int?)? {
    if take(symbol: "?") { return (0, 1) }
    if take(symbol: "*") { return (0, nil) }
    if take(symbol: "+") { return (1, nil) }
    guard take(symbol: "{") else { return nil }
    let place = current.range
    let low = try rowCount()
    var high = low
    if take(symbol: ",") { high = try rowCount() } else if low == nil { throw unexpected("a number") }
    try expect(symbol: "}")
    if low == nil, high == nil { throw SyntaxFailure("a repeat needs at least one bound", place) }
    if let low, let high, low > high { throw SyntaxFailure("the lower bound \(low) is above the upper bound \(high)", place) }
    return (low ?? 0, high)
  }

  private mutating func rowCount() throws(SyntaxFailure) -> Int? {
    guard case .number(.integer(let value)) = current.kind else { return nil }
    guard value >= 0, value <= 1000 else { throw SyntaxFailure("a repeat is between 0 and 1000, not \(value)", current.range) }
    advance()
    return Int(value)
  }
}
