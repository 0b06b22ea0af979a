import Diagnostics

extension Parser {
  /// The streams of a FROM clause, and how each but the first is joined.
  mutating func fromClause() throws(SyntaxFailure) -> (streams: [StreamSyntax], joins: [JoinSyntax?]) {
    var streams = [try stream()]
    var joins: [JoinSyntax?] = []
    while true {
      if take(symbol: ",") {
        joins.append(nil)
        streams.append(try stream())
      } else if let kind = try joinKind() {
        let joined = try stream()
        let start = joined.range.start
        let on = take("on") ? try expression() : nil
        if on == nil, kind != .inner { throw unexpected("ON with the condition of the outer join", near: ["on"]) }
        streams.append(joined)
        joins.append(JoinSyntax(kind: kind, on: on, range: range(from: start)))
      } else {
        return (streams, joins)
      }
    }
  }

  /// `[inner] join`, `left|right|full [outer] join`; nil where none stands here.
  private mutating func joinKind() throws(SyntaxFailure) -> JoinKindSyntax? {
    if take("join") { return .inner }
    guard let kind = JoinKindSyntax(rawValue: current.lowered) else { return nil }
    advance()
    if kind != .inner { _ = take("outer") }
    try expect("join")
    return kind
  }

  mutating func stream() throws(SyntaxFailure) -> StreamSyntax {
    let start = current.range.start
    let source: StreamSyntax.Source
    if at("pattern"), peek().isSymbol("[") || peek().isSymbol("@") {
      source = .pattern(try patternStatement())
    } else if atName, peek().isSymbol(":") {
      let scheme = try name("a stream")
      throw SyntaxFailure("streams from \"\(scheme.text):\" are not supported", scheme.range)
    } else {
      source = .events(try streamFilter())
    }
    let views = try views()
    var result = StreamSyntax(
      source: source, views: views, alias: nil, unidirectional: false, retain: nil, range: SourceRange(start, start))
    result.alias = try alias()
    while true {
      if take("unidirectional") {
        result.unidirectional = true
      } else if at("retain"), peek().isSymbol("-"), let retain = StreamSyntax.Retain(rawValue: peek(2).lowered) {
        result.retain = retain
        for _ in 0..<3 { advance() }
      } else {
        break
      }
    }
    result.range = range(from: start)
    return result
  }

  /// `E(v > 1, k = 'a')`; conditions are joined by AND.
  mutating func streamFilter() throws(SyntaxFailure) -> StreamFilterSyntax {
    let start = current.range.start
    var type = try name("an event type")
    // A dot may also begin a view: `E.win:time(…)` has a colon behind its second name, `E.time(…)` a parenthesis.
    while at(symbol: "."), isName(peek()), !peek(2).isSymbol(":"), !(peek(2).isSymbol("(") && isLastFilterName) {
      advance()
      type.text += "." + current.text
      type.range = type.range.joined(with: current.range)
      advance()
    }
    let conditions = at(symbol: "(") ? try parenthesized { parser throws(SyntaxFailure) in try parser.expression() } : []
    return StreamFilterSyntax(eventType: type, conditions: conditions, range: range(from: start))
  }

  /// Whether `.x(` here is a view without its namespace: names of windows are known, those of types are not.
  private var isLastFilterName: Bool {
    [
      "time", "time_batch", "length", "length_batch", "keepall", "unique", "lastevent", "firstevent", "groupwin", "time_accum",
      "ext_timed", "ext_timed_batch", "time_length_batch", "firsttime", "firstlength", "firstunique", "sort", "rank", "expr",
      "expr_batch", "time_order", "time_to_live", "size", "uni", "linest", "correl", "weighted_avg",
    ].contains(peek().text)
  }

  /// `.win:time(10 sec).std:unique(k)` and `#time(10 sec)#unique(k)`, mixed as one likes.
  mutating func views() throws(SyntaxFailure) -> [ViewSyntax] {
    var result: [ViewSyntax] = []
    while at(symbol: ".") || at(symbol: "#") {
      let start = current.range.start
      let isHash = at(symbol: "#")
      advance()
      var first = try viewName()
      var namespace: NameSyntax?
      if take(symbol: ":") {
        namespace = first
        first = try viewName()
      } else if !isHash {
        throw SyntaxFailure(
          "the window \"\(first.text)\" lacks its namespace", first.range,
          suggestion: "write \"#\(first.text)\", or \"win:\", \"std:\" or \"ext:\" before the name")
      }
      // `#keepall (k string)`: the parenthesis of a window that takes nothing begins the columns.
      let takesNothing = ["keepall", "lastevent", "firstevent"].contains(first.text)
      let arguments =
        at(symbol: "(") && (!takesNothing || peek().isSymbol(")"))
        ? try parenthesized { parser throws(SyntaxFailure) in try parser.argument() } : []
      result.append(ViewSyntax(namespace: namespace, name: first, arguments: arguments, range: range(from: start)))
    }
    return result
  }

  private mutating func viewName() throws(SyntaxFailure) -> NameSyntax {
    guard current.kind == .word || current.kind == .quotedName else { throw unexpected("a window's name") }
    let token = current
    advance()
    return NameSyntax(token.text, token.range)
  }
}
