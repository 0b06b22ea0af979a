import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

extension ExpressionBinder {
  /// A call without a target: a declared expression, an aggregate, a function of the language or of the catalog.
  func call(_ link: ChainLinkSyntax, _ place: SourceRange) -> Expression {
    guard let call = link.call else { return .faulty }
    let name = link.name.text
    let place = link.name.range.joined(with: call.range)
    if let declaration = statement.scope.expressions[name] { return declared(declaration, call, place) }
    if let special = special(name.lowercased(), call, place) { return special }
    if let aggregate = aggregateName(name, call) { return self.aggregate(aggregate, call, place) }
    if let function = [name, name.lowercased()].first(where: { statement.scope.catalog.functions[$0] != nil }) {
      return self.function(function, call.arguments, at: place)
    }
    for stream in names.streams {
      if let found = property(of: stream.type, [link], { Expression(.column(stream: stream.number, property: $0), $1) }) { return found.0 }
    }
    let candidates =
      statement.scope.catalog.functions.keys.filter { !$0.hasPrefix(".") } + Array(statement.scope.catalog.aggregates.keys)
      + Self.specialNames
      + Array(statement.scope.expressions.keys)
    return report("unknown function \"\(name)\"", at: link.name.range, suggestion: didYouMean(name, among: candidates.sorted()))
  }

  static let specialNames = [
    "current_timestamp", "istream", "prev", "prevtail", "prevcount", "prevwindow", "prior", "exists", "typeof", "grouping",
    "grouping_id",
  ]

  private func special(_ name: String, _ call: CallSyntax, _ place: SourceRange) -> Expression? {
    switch name {
    case "current_timestamp": return Expression(.currentTimestamp, .long)
    case "istream": return Expression(.isInsertStream, .boolean)
    case "prev" where isMatchRecognize: return matchPrevious(call, place)
    case "prev", "prevtail", "prevcount", "prevwindow", "prior":
      return Expression.Previous.Kind(rawValue: name).map { previous($0, call, place) }
    case "exists":
      guard let argument = oneArgument(call, name, place) else { return .faulty }
      // A declared property is there, whatever its value; only one with a question mark may be missing.
      if case .chain(_, let links) = call.arguments[0].value.kind, !links.contains(where: \.optional), case .column = argument.node {
        return Expression(.constant(.bool(true)), .boolean)
      }
      return Expression(.exists(argument), .boolean)
    case "typeof":
      guard let argument = oneArgument(call, name, place) else { return .faulty }
      return Expression(.typeOf(argument), .string)
    case "grouping", "grouping_id":
      let keys = call.arguments.map { argument in (argument.value.range, bind(argument.value)) }
      var numbers: [Int] = []
      for (range, key) in keys {
        guard let number = groupingKeys.firstIndex(of: key) else {
          return report("\"\(name)\" takes the expressions of GROUP BY", at: range)
        }
        numbers.append(number)
      }
      return Expression(.grouping(numbers), .int)
    default: return nil
    }
  }

  private func oneArgument(_ call: CallSyntax, _ name: String, _ place: SourceRange) -> Expression? {
    guard call.arguments.count == 1 else {
      _ = report("\"\(name)\" takes one argument, not \(call.arguments.count)", at: place)
      return nil
    }
    let bound = bind(call.arguments[0].value)
    return bound.type.isFaulty ? nil : bound
  }

  /// A function of the catalog.
  func function(_ name: String, _ arguments: [ArgumentSyntax], target: Expression? = nil, at place: SourceRange) -> Expression {
    guard let function = statement.scope.catalog.functions[name] else { return .faulty }
    let bound = (target.map { [$0] } ?? []) + arguments.map { bind($0.value) }
    let shown = name.hasPrefix(".") ? String(name.dropFirst()) : name
    if bound.contains(where: { $0.type.isFaulty }) { return .faulty }
    guard function.arity.contains(bound.count) else {
      let hidden = target == nil ? 0 : 1
      let low = function.arity.lowerBound - hidden
      let high = function.arity.upperBound - hidden
      return report("\"\(shown)\" takes \(low == high ? "\(low)" : "\(low) to \(high)") arguments, not \(arguments.count)", at: place)
    }
    if let faulty = checkAddresses(name, bound, arguments, hidden: target == nil ? 0 : 1) { return faulty }
    guard let type = function.resultType(bound.map(\.type)) else {
      let types = bound.map(\.type.name).joined(separator: ", ")
      return report("\"\(shown)\" does not take (\(types))", at: place)
    }
    return Expression(.call(name, bound), type)
  }

  // MARK: aggregates

  /// The aggregate's name in the catalog's spelling. `min(v, 3)` is a function, `min(v)` and `min(v, filter: …)` are aggregates.
  private func aggregateName(_ name: String, _ call: CallSyntax) -> String? {
    guard let found = statement.scope.aggregateName(name) else { return nil }
    guard statement.scope.catalog.functions[name.lowercased()] != nil else { return found }
    return call.arguments.filter { $0.name == nil }.count <= 1 ? found : nil
  }

  private func aggregate(_ name: String, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard let function = statement.scope.catalog.aggregates[name] else { return .faulty }
    if isMatchRecognize { return matchAggregate(name, call, place) }
    guard let aggregates else {
      return report("aggregates cannot stand in \(clause)", at: place, suggestion: clause == "the WHERE clause" ? "use HAVING" : nil)
    }
    if aggregates.isInside { return report("an aggregate cannot stand within another", at: place) }
    aggregates.isInside = true
    defer { aggregates.isInside = false }
    var filter: Expression?
    var values: [ExpressionSyntax] = []
    for argument in call.arguments {
      if let label = argument.name {
        guard label.text == "filter" else {
          return report("unknown parameter \"\(label.text)\"", at: label.range, suggestion: didYouMean(label.text, among: ["filter"]))
        }
        filter = boundFilter(argument.value)
      } else {
        values.append(argument.value)
      }
    }
    return finish(function, values, filter, call.distinct, place, aggregates)
  }

  private func boundFilter(_ syntax: ExpressionSyntax) -> Expression {
    let filter = bind(syntax)
    if filter.type == .boolean || filter.type.isFaulty { return filter }
    return report("the filter of an aggregate must be boolean, this is \(filter.type.quoted)", at: syntax.range)
  }

  private func finish(
    _ function: AggregateFunction, _ syntaxes: [ExpressionSyntax], _ filter: Expression?, _ distinct: Bool, _ place: SourceRange,
    _ aggregates: AggregateList
  ) -> Expression {
    var (filter, values) = (filter, syntaxes)
    let isWildcard = values.first.map { if case .wildcard = $0.kind { true } else { false } } ?? false
    let byKeys = ["sorted", "maxby", "minby", "maxbyever", "minbyever"].contains(function.name)
    // A condition behind the last argument is a filter: `sum(v, k = 'a')`, `count(*, v > 1)`.
    let positions = byKeys ? values.count : max(function.arity.upperBound, isWildcard ? 1 : 0)
    if filter == nil, values.count > positions, let last = values.popLast() { filter = boundFilter(last) }
    var order: [OrderKey] = []
    var arguments: [Expression] = []
    if byKeys {
      guard let event = wholeEvent(place) else { return .faulty }
      order = values.map { value in
        if case .ordered(let inner, let descending) = value.kind { return OrderKey(bind(inner).orderable, descending: descending) }
        return OrderKey(bind(value).orderable)
      }
      arguments = [event]
    } else if isWildcard {
      if function.arity.lowerBound > 0 || function.name == "window" {
        guard let event = wholeEvent(place) else { return .faulty }
        arguments = [event] + values.dropFirst().map(bind)
      }
    } else {
      arguments = values.map(streamOrValue)
    }
    if arguments.contains(where: { $0.type.isFaulty }) || filter?.type.isFaulty == true
      || order.contains(where: { $0.expression.type.isFaulty })
    {
      return .faulty
    }
    if function.arity.lowerBound > arguments.count, !isWildcard {
      return report("\"\(function.name)\" takes \(function.arity.lowerBound) arguments, not \(arguments.count)", at: place)
    }
    if arguments.count > function.arity.upperBound {
      return report("\"\(function.name)\" takes \(function.arity.upperBound) arguments, not \(arguments.count)", at: place)
    }
    let types = arguments.map(\.type)
    var name = function.name
    if name == "rate", let first = arguments.first?.node {
      // A constant is a span of engine time, anything else the events' own timestamp.
      if case .constant = first {} else { name = "rateby" }
    }
    guard let type = function.resultType(types) else {
      return report("\"\(function.name)\" does not take \(types.first?.quoted ?? "no argument")", at: place)
    }
    if function.needsWindow, let stream = names.streams.first, !stream.isWindowed, !function.name.hasSuffix("ever") {
      return report("\"\(function.name)\" needs a data window", at: place, suggestion: "add one: \(stream.names.first ?? "E")#time(1 min)")
    }
    if !function.canForget, names.streams.count > 1 || names.streams.contains(where: \.slides) {
      return report(
        "\"\(function.name)\" cannot forget single values, which this statement's \(names.streams.count > 1 ? "join" : "window") drops",
        at: place,
        suggestion: "use a batch window: \(names.streams.first?.typeName ?? "E")#time_batch(1 min)")
    }
    return aggregates.add(
      AggregatePlan(name, arguments: arguments, isDistinct: distinct, filter: filter, order: order, type: type))
  }

  /// The event of the only stream, for `window(*)`.
  private func wholeEvent(_ place: SourceRange) -> Expression? {
    guard names.streams.count == 1, let stream = names.streams.first else {
      _ = report("with several streams, this needs the name of one instead of all events", at: place)
      return nil
    }
    return Expression(.event(stream: stream.number), .event(stream.type))
  }

  /// `a.*` as an argument is the event of stream a.
  private func streamOrValue(_ syntax: ExpressionSyntax) -> Expression {
    if case .chain(nil, let links) = syntax.kind, links.count == 2, links[1].name.text == "*",
      let stream = names.streams.first(where: { $0.names.contains(links[0].name.text) })
    {
      return Expression(.event(stream: stream.number), .event(stream.type))
    }
    return bind(syntax)
  }

  // MARK: earlier events

  private func previous(_ kind: Expression.Previous.Kind, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard allowsPrevious else { return report("\"\(kind.rawValue)\" cannot stand in \(clause)", at: place) }
    var arguments = call.arguments.map { streamOrValue($0.value) }
    if arguments.contains(where: { $0.type.isFaulty }) { return .faulty }
    if arguments.count == 2, !arguments[0].type.isInteger, arguments[1].type.isInteger { arguments.swapAt(0, 1) }
    guard (1...2).contains(arguments.count), let value = arguments.last else {
      return report("\"\(kind.rawValue)\" takes an index and a property", at: place)
    }
    if arguments.count == 2, !arguments[0].type.isInteger {
      return report("the index of \"\(kind.rawValue)\" is an integer, this is \(arguments[0].type.quoted)", at: place)
    }
    if kind == .prior, arguments.count == 1 { return report("\"prior\" takes an index and a property", at: place) }
    guard let number = value.firstStream, let stream = names.streams.first(where: { $0.number == number }) else {
      return report("\"\(kind.rawValue)\" needs a property of a stream", at: place)
    }
    if kind != .prior, !stream.isViewed {
      return report("\"\(kind.rawValue)\" needs a data window", at: place, suggestion: "add one: \(stream.names.first ?? "E")#length(10)")
    }
    let type: ValueType =
      switch kind {
      case .count: .long
      case .window: .array(value.type)
      case .previous, .tail, .prior: value.type
      }
    let index = arguments.count == 2 ? arguments[0] : nil
    return Expression(.previous(Expression.Previous(kind, stream: number, index: index, value: kind == .count ? nil : value)), type)
  }

  /// `prev(A.v, 2)` in match_recognize.
  private func matchPrevious(_ call: CallSyntax, _ place: SourceRange) -> Expression {
    let bound = call.arguments.map { bind($0.value) }
    guard let value = bound.first, !value.type.isFaulty else { return .faulty }
    var count: Int64 = 1
    if bound.count > 1 {
      guard case .constant(.int(let written)) = bound[1].node else { return report("the index of \"prev\" is a number", at: place) }
      count = written
    }
    return Expression(.matchPrevious(value, count: Int(clamping: count)), value.type)
  }
}

extension Expression {
  /// The number of the first stream that the expression names.
  var firstStream: Int? {
    switch node {
    case .column(let stream, _), .event(let stream): stream == Expression.contextStream ? nil : stream
    default: children.lazy.compactMap(\.firstStream).first
    }
  }
}
