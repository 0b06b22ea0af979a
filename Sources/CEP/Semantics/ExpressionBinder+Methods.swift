import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// Methods on values: of strings and dates by the catalog, of collections by name.
extension ExpressionBinder {
  func method(_ link: ChainLinkSyntax, of target: Expression, _ place: SourceRange) -> Expression {
    guard let call = link.call else { return .faulty }
    // As in the original, methods of collections and of times are known in any case, Java's own as they are written.
    let written = link.name.text
    let name = Builtins.timeMethods[written.lowercased()] ?? written
    let place = link.name.range.joined(with: call.range)
    if target.type.element != nil || target.type == .map && written == "keySet", let method = EnumerationMethod.named[written.lowercased()]
    {
      return enumeration(method, of: target, call, place)
    }
    if name == "plus" || name == "minus", call.arguments.count == 1 { return shift(name, target, call.arguments[0].value, place) }
    if Builtins.intervalMethods.contains(name) { return relation(name, target, call, place) }
    if let mistake = timeField(name, call) { return mistake }
    if let times = interval(target), statement.scope.catalog.functions["." + name] != nil {
      return function("." + name, call.arguments, target: times[0], at: place)
    }
    if statement.scope.catalog.functions["." + name] != nil { return function("." + name, call.arguments, target: target, at: place) }
    let methods = statement.scope.catalog.functions.keys.filter { $0.hasPrefix(".") }.map { String($0.dropFirst()) }
    let candidates = (target.type.element != nil ? EnumerationMethod.named.values.map(\.name) : methods).sorted()
    return report(
      "\(target.type.quoted) has no method \"\(written)\"", at: link.name.range, suggestion: didYouMean(written, among: candidates))
  }

  /// `l.get('hour')`: a field that is no field is known before any event comes.
  private func timeField(_ name: String, _ call: CallSyntax) -> Expression? {
    guard ["get", "set", "roundFloor", "roundCeiling", "roundHalf", "withMin", "withMax"].contains(name),
      let argument = call.arguments.first?.value, case .literal(.string(let field)) = argument.kind
    else { return nil }
    if name.hasPrefix("round"), Builtins.isWeek(field) { return report("a time cannot be rounded to a week", at: argument.range) }
    if Builtins.isTimeField(field) { return nil }
    return report(
      "no field of a time is named \"\(field)\"", at: argument.range,
      suggestion: didYouMean(field, among: Builtins.timeFields) ?? Builtins.timeFields.joined(separator: ", "))
  }

  /// `l.plus(1 hour)` and `l.plus(500L)`: a bare number counts milliseconds.
  private func shift(_ name: String, _ target: Expression, _ argument: ExpressionSyntax, _ place: SourceRange) -> Expression {
    guard target.type.isNumeric else { return report("\"\(name)\" needs a time in milliseconds, not \(target.type.quoted)", at: place) }
    let amount = bind(argument)
    if amount.type.isFaulty { return .faulty }
    guard amount.type.isNumeric else { return report("\"\(name)\" needs a time period or milliseconds", at: argument.range) }
    let op: ArithmeticOperator = name == "plus" ? .add : .subtract
    guard case .period(let period) = amount.node else { return Expression(.arithmetic(op, target, amount), .long) }
    if period.parts.contains(where: { $0.unit.milliseconds == nil }) {
      let sign: Int64 = name == "plus" ? 1 : -1
      return Expression(
        .call(".shifted", [target, total(period) { $0.months * sign }, total(period) { Int64($0.milliseconds ?? 0) * sign }]), .long)
    }
    let thousand = Expression(.constant(.int(1000)), .int)
    let milliseconds = Expression(.cast(Expression(.arithmetic(.multiply, amount, thousand), .double)), .long)
    return Expression(.arithmetic(op, target, milliseconds), .long)
  }

  /// The sum of a period's parts, each so many times what its unit counts.
  private func total(_ period: TimePeriod, _ size: (TimePeriod.Unit) -> Int64) -> Expression {
    let parts = period.parts.map { Expression(.arithmetic(.multiply, $0.count, Expression(.constant(.int(size($0.unit))), .long)), .long) }
    let zero = Expression(.constant(.int(0)), .long)
    return Expression(.cast(parts.reduce(zero) { Expression(.arithmetic(.add, $0, $1), .double) }), .long)
  }

  /// `a.before(b, 1 sec)` on times in ms, and on events whose schemas name their start and end times. Thresholds are spans, or ms.
  private func relation(_ name: String, _ target: Expression, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard let argument = call.arguments.first else { return report("\"\(name)\" needs a time or an event to compare with", at: place) }
    let other = bind(argument.value)
    var values = (interval(target) ?? [target, target]) + (interval(other) ?? [other, other])
    for threshold in call.arguments.dropFirst() {
      let span = bind(threshold.value)
      guard case .period = span.node else {
        values.append(span)
        continue
      }
      let thousand = Expression(.constant(.int(1000)), .int)
      values.append(Expression(.cast(Expression(.arithmetic(.multiply, span, thousand), .double)), .long))
    }
    if values.contains(where: { $0.type.isFaulty }) { return .faulty }
    guard let function = statement.scope.catalog.functions["." + name], function.arity.contains(values.count) else {
      return report("\"\(name)\" does not take \(call.arguments.count) arguments", at: place)
    }
    guard let type = function.resultType(values.map(\.type)) else {
      return report("\"\(name)\" compares times, not \(target.type.quoted) and \(other.type.quoted)", at: place)
    }
    return Expression(.call("." + name, values), type)
  }

  /// Start and end of an event whose schema names them; nil for anything else.
  private func interval(_ event: Expression) -> [Expression]? {
    guard let type = event.type.eventType, let start = type.startTimestamp else { return nil }
    return [start, type.endTimestamp ?? start].map { index in
      if case .event(let stream) = event.node { return Expression(.column(stream: stream, property: index), .long) }
      return Expression(.nested(event, property: index), .long)
    }
  }

  // MARK: collections

  private func enumeration(_ method: EnumerationMethod, of target: Expression, _ call: CallSyntax, _ place: SourceRange) -> Expression {
    guard method.arity.contains(call.arguments.count) else {
      return report("\"\(method.name)\" does not take \(call.arguments.count) arguments", at: place)
    }
    let element = target.type.element ?? .object("Object")
    if case .event = element, method.comparesElements, method.name == "sequenceEqual" || call.arguments.isEmpty {
      return report("\"\(method.name)\" compares values, and these are rows", at: place, suggestion: "take one of their columns: x => x.…")
    }
    var arguments: [Expression.Enumeration.Argument] = []
    var types: [ValueType] = []
    for (position, argument) in call.arguments.enumerated() {
      let takesLambda = method.takesLambda(at: position)
      if case .lambda(let parameters, let body) = argument.value.kind {
        guard takesLambda else { return report("\"\(method.name)\" takes a value here, no lambda", at: argument.value.range) }
        guard parameters.count <= 2 else { return report("a lambda takes one or two parameters", at: argument.value.range) }
        let lambda = self.lambda(parameters, body, method, element, types.first)
        if lambda.body.type.isFaulty { return .faulty }
        if method.isPredicate, lambda.body.type != .boolean {
          return report("the lambda of \"\(method.name)\" must be boolean, this is \(lambda.body.type.quoted)", at: body.range)
        }
        arguments.append(.lambda(parameters: lambda.numbers, body: lambda.body))
        types.append(lambda.body.type)
      } else {
        if takesLambda { return report("\"\(method.name)\" takes a lambda here", at: argument.value.range, suggestion: "x => …") }
        let value = bind(argument.value)
        if value.type.isFaulty { return .faulty }
        arguments.append(.value(value))
        types.append(value.type)
      }
    }
    guard let type = method.type(element, types) else {
      return report("\"\(method.name)\" does not fit elements of \(element.quoted)", at: place)
    }
    return Expression(.enumeration(Expression.Enumeration(method: method.name, target: target, arguments: arguments)), type)
  }

  private func lambda(
    _ parameters: [NameSyntax], _ body: ExpressionSyntax, _ method: EnumerationMethod, _ element: ValueType, _ accumulator: ValueType?
  ) -> (numbers: [Int], body: Expression) {
    let saved = names.locals
    defer { names.locals = saved }
    var numbers: [Int] = []
    for (position, parameter) in parameters.enumerated() {
      let number = statement.newLocal()
      let type: ValueType =
        method.name == "aggregate" ? (position == 0 ? accumulator ?? element : element) : (position == 0 ? element : .int)
      names.locals[parameter.text] = Expression(.local(number), type)
      numbers.append(number)
    }
    return (numbers, bind(body))
  }
}

/// What is known of a method on collections: how many arguments it takes, and the type that it gives.
struct EnumerationMethod: Sendable {
  let name: String
  let arity: ClosedRange<Int>
  /// Of the elements' type and the arguments' (a lambda's is its body's).
  let type: @Sendable (ValueType, [ValueType]) -> ValueType?

  /// Whether an argument is a lambda, not a value.
  func takesLambda(at position: Int) -> Bool {
    if name == "aggregate" { return position == 1 }
    return !["take", "takeLast", "except", "intersect", "union", "sequenceEqual"].contains(name)
  }
  /// Whether, without a lambda, it compares the elements themselves.
  var comparesElements: Bool {
    ["min", "max", "average", "sumOf", "mostFrequent", "leastFrequent", "orderBy", "orderByDesc", "distinctOf", "sequenceEqual"].contains(
      name)
  }
  /// Whether its lambda says yes or no.
  var isPredicate: Bool {
    ["where", "takeWhile", "takeWhileLast", "firstOf", "lastOf", "countOf", "anyOf", "allOf"].contains(name)
  }

  /// By their names in small letters.
  static let named: [String: EnumerationMethod] = {
    let whole: @Sendable (ValueType, [ValueType]) -> ValueType? = { element, _ in .array(element) }
    let part: @Sendable (ValueType, [ValueType]) -> ValueType? = { element, types in types[0].isInteger ? .array(element) : nil }
    let one: @Sendable (ValueType, [ValueType]) -> ValueType? = { element, _ in element }
    let truth: @Sendable (ValueType, [ValueType]) -> ValueType? = { _, _ in .boolean }
    let number: @Sendable (ValueType, [ValueType]) -> ValueType? = { element, types in
      let type = types.first ?? element
      return type.isNumeric ? (type == .byte || type == .short ? .int : type) : nil
    }
    let methods = [
      EnumerationMethod(name: "where", arity: 1...1, type: whole), EnumerationMethod(name: "take", arity: 1...1, type: part),
      EnumerationMethod(name: "takeLast", arity: 1...1, type: part), EnumerationMethod(name: "takeWhile", arity: 1...1, type: whole),
      EnumerationMethod(name: "takeWhileLast", arity: 1...1, type: whole), EnumerationMethod(name: "reverse", arity: 0...0, type: whole),
      EnumerationMethod(name: "distinctOf", arity: 0...1, type: whole), EnumerationMethod(name: "orderBy", arity: 0...1, type: whole),
      EnumerationMethod(name: "orderByDesc", arity: 0...1, type: whole), EnumerationMethod(name: "except", arity: 1...1, type: whole),
      EnumerationMethod(name: "intersect", arity: 1...1, type: whole), EnumerationMethod(name: "union", arity: 1...1, type: whole),
      EnumerationMethod(name: "firstOf", arity: 0...1, type: one), EnumerationMethod(name: "lastOf", arity: 0...1, type: one),
      EnumerationMethod(name: "minBy", arity: 1...1, type: one), EnumerationMethod(name: "maxBy", arity: 1...1, type: one),
      EnumerationMethod(name: "min", arity: 0...1) { element, types in types.first ?? element },
      EnumerationMethod(name: "max", arity: 0...1) { element, types in types.first ?? element },
      EnumerationMethod(name: "mostFrequent", arity: 0...1) { element, types in types.first ?? element },
      EnumerationMethod(name: "leastFrequent", arity: 0...1) { element, types in types.first ?? element },
      EnumerationMethod(name: "selectFrom", arity: 1...1) { _, types in .array(types[0]) },
      EnumerationMethod(name: "countOf", arity: 0...1) { _, _ in .int },
      EnumerationMethod(name: "anyOf", arity: 1...1, type: truth), EnumerationMethod(name: "allOf", arity: 1...1, type: truth),
      EnumerationMethod(name: "sequenceEqual", arity: 1...1, type: truth), EnumerationMethod(name: "sumOf", arity: 0...1, type: number),
      EnumerationMethod(name: "average", arity: 0...1) { element, types in (types.first ?? element).isNumeric ? .double : nil },
      EnumerationMethod(name: "aggregate", arity: 2...2) { _, types in types[0] == .null ? types[1] : types[0] },
      EnumerationMethod(name: "groupBy", arity: 1...2) { _, _ in .map }, EnumerationMethod(name: "toMap", arity: 2...2) { _, _ in .map },
      EnumerationMethod(name: "keySet", arity: 0...0) { _, _ in .array(.object("Object")) },
    ]
    return Dictionary(methods.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
  }()
}

extension TimePeriod.Unit {
  fileprivate var months: Int64 { self == .year ? 12 : self == .month ? 1 : 0 }
}
