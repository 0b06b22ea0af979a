import Diagnostics
import EventModel
import Plan
import Syntax

extension ExpressionBinder {
  func negate(_ operand: ExpressionSyntax) -> Expression {
    if case .literal(let literal) = operand.kind, literal.type.isNumeric {
      switch literal {
      case .integer(let value): return Expression(.constant(.int(Int64(0 &- value))), .int)
      case .long(let value):
        let isSmallest = value == Int64(Int32.max) + 1
        return Expression(.constant(.int(0 &- value)), isSmallest ? .int : .long)
      default: return Expression(.constant(.double(-(literal.value.number ?? 0))), literal.type)
      }
    }
    let bound = bind(operand)
    if bound.type.isFaulty { return .faulty }
    guard let type = ValueType.promoted(bound.type, .int) else {
      return report("minus needs a number, this is \(bound.type.quoted)", at: operand.range)
    }
    return Expression(.negate(bound), type)
  }

  func binary(_ op: BinaryOperatorSyntax, _ left: ExpressionSyntax, _ right: ExpressionSyntax, _ place: SourceRange) -> Expression {
    var (a, b) = (bind(left), bind(right))
    if op.comparesValues { (a, b) = (asAddress(a, beside: b, left), asAddress(b, beside: a, right)) }
    if a.type.isFaulty || b.type.isFaulty { return .faulty }
    switch op {
    case .add: return arithmetic(.add, a, b, place)
    case .subtract: return arithmetic(.subtract, a, b, place)
    case .multiply: return arithmetic(.multiply, a, b, place)
    case .divide: return arithmetic(.divide, a, b, place)
    case .modulo: return arithmetic(.remainder, a, b, place)
    case .equal: return compare(.equal, a, b, place)
    case .notEqual: return compare(.notEqual, a, b, place)
    case .less: return compare(.less, a, b, place)
    case .lessOrEqual: return compare(.lessOrEqual, a, b, place)
    case .greater: return compare(.greater, a, b, place)
    case .greaterOrEqual: return compare(.greaterOrEqual, a, b, place)
    case .isSame, .isNotSame:
      guard a.type.isComparable(with: b.type) else { return incomparable(a, b, place) }
      return Expression(.same(a, b, negated: op == .isNotSame), .boolean)
    case .bitAnd: return bitwise(.and, a, b, place)
    case .bitOr: return bitwise(.or, a, b, place)
    case .bitXor: return bitwise(.xor, a, b, place)
    }
  }

  private func arithmetic(_ op: ArithmeticOperator, _ a: Expression, _ b: Expression, _ place: SourceRange) -> Expression {
    guard a.type.isNumeric, b.type.isNumeric else {
      return report("\"\(op.rawValue)\" needs numbers, not \(a.type.quoted) and \(b.type.quoted)", at: place)
    }
    let type = ValueType.promoted(a.type, b.type) ?? .double
    return Expression(.arithmetic(op, a, b), op == .divide ? .double : type)
  }

  private func bitwise(_ op: BitwiseOperator, _ a: Expression, _ b: Expression, _ place: SourceRange) -> Expression {
    if a.type == .boolean, b.type == .boolean { return Expression(.bitwise(op, a, b), .boolean) }
    guard a.type.isInteger, b.type.isInteger else {
      return report(
        "\"\(op.rawValue)\" needs integers or booleans, not \(a.type.quoted) and \(b.type.quoted)", at: place,
        suggestion: a.type == .boolean || b.type == .boolean ? "it binds looser than a comparison: put it in parentheses" : nil)
    }
    // As in the original: bits of integers of different sizes are not combined.
    guard a.type == b.type else {
      let longs = Set([a.type, b.type]) == [.int, .long]
      return report(
        "\"\(op.rawValue)\" needs two integers of one type, not \(a.type.quoted) and \(b.type.quoted)", at: place,
        suggestion: longs ? "a number is a long with L: 255L; for a property: cast(…, long)" : "cast(…, int)")
    }
    return Expression(.bitwise(op, a, b), a.type)
  }

  private func incomparable(_ a: Expression, _ b: Expression, _ place: SourceRange) -> Expression {
    report("cannot compare \(a.type.quoted) with \(b.type.quoted)", at: place)
  }

  func compare(_ op: Comparison, _ a: Expression, _ b: Expression, _ place: SourceRange) -> Expression {
    let isOrdering = op != .equal && op != .notEqual
    let fits = isOrdering ? a.type.isOrdered(with: b.type) && a.type != .null && b.type != .null : a.type.isComparable(with: b.type)
    guard fits else { return incomparable(a, b, place) }
    return Expression(.compare(op, a, b), .boolean)
  }

  func concat(_ terms: [ExpressionSyntax]) -> Expression {
    let bound = terms.map { term -> Expression in
      let value = bind(term)
      if value.type.isTextual && value.type != .character || value.type.isOpen && value.type != .null { return value }
      return report("\"||\" joins strings, this is \(value.type.quoted)", at: term.range, suggestion: "cast(…, string)")
    }
    return bound.contains { $0.type.isFaulty } ? .faulty : Expression(.concatenate(bound), .string)
  }

  func range(
    _ value: ExpressionSyntax, _ low: ExpressionSyntax, _ high: ExpressionSyntax, _ included: (Bool, Bool), _ negated: Bool,
    isBetween: Bool
  ) -> Expression {
    let value = bind(value)
    let (lower, upper) = ((low, asAddress(bind(low), beside: value, low)), (high, asAddress(bind(high), beside: value, high)))
    for (syntax, bound) in [lower, upper] where !value.type.isOrdered(with: bound.type) {
      return report("cannot compare \(value.type.quoted) with \(bound.type.quoted)", at: syntax.range)
    }
    if [value, lower.1, upper.1].contains(where: { $0.type.isFaulty }) { return .faulty }
    return Expression(
      .range(value, low: lower.1, high: upper.1, includesLow: included.0, includesHigh: included.1, negated: negated), .boolean)
  }

  func inList(_ value: ExpressionSyntax, _ values: [ExpressionSyntax], _ negated: Bool) -> Expression {
    let bound = bind(value)
    var members: [Expression] = []
    var (lists, prefixes): ([MemberList], [AddressPrefix]) = ([], [])
    for syntax in values {
      if let list = list(syntax) {
        guard isLookedUp(bound, in: list, syntax) else { return .faulty }
        lists.append(list)
        continue
      }
      if let text = addressText(bound, syntax) {
        guard let prefix = AddressPrefix(text) else { return reportPrefix(text, syntax.range) }
        prefixes.append(prefix)
        continue
      }
      let member = bind(syntax)
      if !bound.type.isComparable(with: member.type), !bound.type.isComparable(with: member.type.element ?? member.type) {
        return report("cannot compare \(bound.type.quoted) with \(member.type.quoted)", at: syntax.range)
      }
      members.append(member)
    }
    if bound.type.isFaulty || members.contains(where: { $0.type.isFaulty }) { return .faulty }
    return membership(bound, members, lists + (prefixes.isEmpty ? [] : [MemberList(prefixes)]), negated)
  }

  /// `v > all (a, b)` is a conjunction, `v > any (a, b)` a disjunction of comparisons.
  func quantified(
    _ op: BinaryOperatorSyntax, _ value: ExpressionSyntax, _ quantifier: QuantifierSyntax, _ values: [ExpressionSyntax]
  ) -> Expression {
    let terms = values.map { member -> Expression in
      let bound = bind(member)
      guard let element = bound.type.element else { return binary(op, value, member, member.range) }
      let local = statement.newLocal()
      let name = "element \(local)"
      let saved = names.locals
      defer { names.locals = saved }
      names.locals[name] = Expression(.local(local), element)
      let body = binary(
        op, value, ExpressionSyntax(.chain(base: nil, links: [ChainLinkSyntax(NameSyntax(name, member.range))]), member.range), member.range
      )
      if body.type.isFaulty { return .faulty }
      return Expression(
        .enumeration(
          .init(method: quantifier == .all ? "allOf" : "anyOf", target: bound, arguments: [.lambda(parameters: [local], body: body)])),
        .boolean)
    }
    if terms.contains(where: { $0.type.isFaulty }) { return .faulty }
    return Expression(quantifier == .all ? .and(terms) : .or(terms), .boolean)
  }

  func like(_ value: ExpressionSyntax, _ pattern: ExpressionSyntax, _ escape: ExpressionSyntax?, _ negated: Bool) -> Expression {
    let (bound, wanted, escaped) = (bind(value), bind(pattern), escape.map(bind))
    for (syntax, part) in [(pattern, wanted)] + (escape.flatMap { e in escaped.map { [(e, $0)] } } ?? [])
    where !part.type.isTextual && !part.type.isOpen {
      return report("LIKE needs a string as its pattern, this is \(part.type.quoted)", at: syntax.range)
    }
    guard bound.type.isTextual || bound.type.isNumeric || bound.type.isOpen else {
      return report("LIKE needs a string, this is \(bound.type.quoted)", at: value.range)
    }
    if bound.type.isFaulty || wanted.type.isFaulty { return .faulty }
    return Expression(.like(bound, pattern: wanted, escape: escaped, negated: negated), .boolean)
  }

  func regexp(_ value: ExpressionSyntax, _ pattern: ExpressionSyntax, _ negated: Bool) -> Expression {
    let (bound, wanted) = (bind(value), bind(pattern))
    guard wanted.type.isTextual || wanted.type.isOpen else {
      return report("REGEXP needs a string as its pattern, this is \(wanted.type.quoted)", at: pattern.range)
    }
    guard bound.type.isTextual || bound.type.isNumeric || bound.type.isOpen else {
      return report("REGEXP needs a string, this is \(bound.type.quoted)", at: value.range)
    }
    if bound.type.isFaulty || wanted.type.isFaulty { return .faulty }
    return Expression(.regexp(bound, pattern: wanted, negated: negated), .boolean)
  }
}
