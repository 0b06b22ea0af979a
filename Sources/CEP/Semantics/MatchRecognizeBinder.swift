import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

extension StatementBinder {
  func bindMatchRecognize(_ syntax: MatchRecognizeSyntax, over source: BoundSource) -> MatchRecognizePlan? {
    MatchRecognizeBinder(self, syntax, source.stream).bind()
  }
}

/// match_recognize: the variables of its pattern become the properties of the match.
final class MatchRecognizeBinder {
  let statement: StatementBinder
  let syntax: MatchRecognizeSyntax
  let input: NameScope.Stream
  private var order: [String] = []
  private var multiple: Set<String> = []

  init(_ statement: StatementBinder, _ syntax: MatchRecognizeSyntax, _ input: NameScope.Stream) {
    self.statement = statement
    self.syntax = syntax
    self.input = input
  }

  func bind() -> MatchRecognizePlan? {
    collect(syntax.pattern, isRepeated: false)
    let matchType = EventType(
      name: "match", kind: .derived,
      properties: order.map { .init($0, multiple.contains($0) ? .array(.event(input.type)) : .event(input.type)) })
    let partition = partitionKeys()
    let defines = defines(matchType)
    let measures = measures(matchType)
    guard let pattern = node(syntax.pattern) else { return nil }
    var names = NameScope()
    names.contextType = statement.contextType
    let interval = syntax.interval.map { statement.period($0, ExpressionBinder(statement, names: names, clause: "the interval")) }
    if (partition + measures.map(\.expression) + Array(defines.values)).contains(where: { $0.type.isFaulty }) { return nil }
    let variables = order.map {
      MatchRecognizePlan.Variable(name: $0, define: defines[$0], isMultiple: multiple.contains($0))
    }
    let output = EventType(name: "match", kind: .derived, properties: measures.map { .init($0.name, $0.type) })
    return MatchRecognizePlan(
      inputType: input.type, partition: partition, variables: variables, pattern: pattern, measures: measures,
      matchType: matchType, outputType: output, allMatches: syntax.allMatches,
      skip: syntax.skip.flatMap { MatchRecognizePlan.Skip(rawValue: $0.rawValue) } ?? .pastLastRow, interval: interval ?? nil,
      orTerminated: syntax.orTerminated)
  }

  // MARK: variables

  private func collect(_ pattern: RowPatternSyntax, isRepeated: Bool) {
    switch pattern.kind {
    case .variable(let name):
      if order.contains(name.text) { multiple.insert(name.text) } else { order.append(name.text) }
      if isRepeated { multiple.insert(name.text) }
    case .sequence(let parts), .alternation(let parts), .permute(let parts): for part in parts { collect(part, isRepeated: isRepeated) }
    case .quantified(let inner, _, let high, _): collect(inner, isRepeated: isRepeated || high.map { $0 > 1 } ?? true)
    case .missing: break
    }
  }

  private func node(_ pattern: RowPatternSyntax) -> MatchRecognizePlan.Node? {
    let all = { (parts: [RowPatternSyntax]) -> [MatchRecognizePlan.Node]? in
      let nodes = parts.compactMap { self.node($0) }
      return nodes.count == parts.count ? nodes : nil
    }
    switch pattern.kind {
    case .variable(let name): return order.firstIndex(of: name.text).map { .variable($0) }
    case .sequence(let parts): return all(parts).map { .sequence($0) }
    case .alternation(let parts): return all(parts).map { .alternation($0) }
    case .permute(let parts): return all(parts).map { .permutation($0) }
    case .quantified(let inner, let low, let high, let greedy):
      return node(inner).map { .repeated($0, low: low, high: high, isGreedy: greedy) }
    case .missing: return nil
    }
  }

  // MARK: clauses

  private func partitionKeys() -> [Expression] {
    var names = NameScope()
    names.streams = [input]
    names.contextType = statement.contextType
    let binder = ExpressionBinder(statement, names: names, clause: "the PARTITION BY clause")
    return syntax.partitionBy.map(binder.bind)
  }

  private func binder(_ matchType: EventType, _ clause: String) -> ExpressionBinder {
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: nil, type: matchType)]
    names.contextType = statement.contextType
    let binder = ExpressionBinder(statement, names: names, clause: clause)
    binder.isMatchRecognize = true
    return binder
  }

  private func defines(_ matchType: EventType) -> [String: Expression] {
    var result: [String: Expression] = [:]
    for define in syntax.defines {
      guard order.contains(define.name.text) else {
        statement.reportUnknown("variable of the pattern", define.name, among: order)
        continue
      }
      if result[define.name.text] != nil { statement.report("\"\(define.name.text)\" is defined twice", at: define.name.range) }
      let binder = binder(matchType, "a DEFINE condition")
      // The variable that is defined names the row under test.
      binder.names.locals[define.name.text] = Expression(.event(stream: 1), .event(input.type))
      result[define.name.text] = binder.condition(define.condition)
    }
    return result
  }

  private func measures(_ matchType: EventType) -> [OutputColumn] {
    let binder = binder(matchType, "the MEASURES clause")
    return syntax.measures.map { OutputColumn($0.alias.text, binder.bind($0.expression)) }
  }
}

extension ExpressionBinder {
  /// An aggregate over the rows of one variable: `count(B.p)`, `last(B.p)`, `sum(B.p)` are methods on the variable's array.
  func matchAggregate(_ name: String, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard call.arguments.count == 1, case .chain(nil, let links) = call.arguments[0].value.kind, let first = links.first,
      let match = names.streams.first, let index = match.type.index(of: first.name.text)
    else {
      return report("an aggregate in match_recognize takes a property of one variable", at: place, suggestion: "\(name)(A.v)")
    }
    var rows = Expression(.column(stream: match.number, property: index), match.type.properties[index].type)
    if case .event = rows.type { rows = Expression(.array([rows]), .array(rows.type)) }
    guard let element = rows.type.element, element.eventType != nil else { return .faulty }
    let local = statement.newLocal()
    let value =
      links.count == 1
      ? Expression(.local(local), element) : members(of: Expression(.local(local), element), links.dropFirst(), place)
    if value.type.isFaulty { return .faulty }
    guard let type = statement.scope.catalog.aggregates[name]?.resultType([value.type]) else {
      return report("\"\(name)\" does not take \(value.type.quoted)", at: place)
    }
    let values = Expression(
      .enumeration(.init(method: "selectFrom", target: rows, arguments: [.lambda(parameters: [local], body: value)])), .array(value.type))
    return Expression(.enumeration(.init(method: "aggregate:" + name, target: values, arguments: [])), type)
  }
}
