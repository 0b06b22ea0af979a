/// The form in which the original prints an expression: the name of a column that has no alias.
///
/// Operands that bind looser than their operator stand in parentheses, and so does every aggregate among operands:
/// `max(v) - min(v)` is `(max(v))-(min(v))`. Strings are in double quotes.
public struct CanonicalText: Sendable {
  /// Names that are aggregates, in lower case: the catalog is not known here.
  private let aggregates: Set<String>

  public init(aggregates: Set<String>) { self.aggregates = aggregates }

  public func text(_ expression: ExpressionSyntax) -> String { text(expression, within: .lowest) }

  /// Tighter is larger.
  private enum Precedence: Int {
    case lowest = 0, caseWhen, or, and, bitwise, negated, equals, relational, concat, additive, multiplicative, unary
  }

  private func text(_ expression: ExpressionSyntax, within outer: Precedence) -> String {
    let (own, text) = print(expression)
    return own.rawValue < outer.rawValue ? "(\(text))" : text
  }

  private func list(_ expressions: [ExpressionSyntax], _ separator: String, _ within: Precedence) -> String {
    expressions.map { text($0, within: within) }.joined(separator: separator)
  }

  private func print(_ expression: ExpressionSyntax) -> (Precedence, String) {
    switch expression.kind {
    case .literal(let literal): return (.unary, literal.canonicalText)
    case .chain(let base, let links): return chain(base, links)
    case .wildcard: return (.unary, "*")
    case .negate(let inner): return (.unary, "-" + text(inner, within: .unary))
    case .not(let inner): return (.negated, "not " + text(inner, within: .negated))
    case .and(let terms): return (.and, list(terms, " and ", .and))
    case .or(let terms): return (.or, list(terms, " or ", .or))
    case .concat(let terms): return (.concat, list(terms, "||", .concat))
    case .binary(let op, let left, let right): return binary(op, left, right)
    case .between(let value, let low, let high, let negated):
      return (
        .relational,
        text(value, within: .relational) + (negated ? " not" : "") + " between " + text(low, within: .relational) + " and "
          + text(high, within: .relational)
      )
    case .inList(let value, let values, let negated):
      return (.relational, text(value, within: .relational) + (negated ? " not in (" : " in (") + list(values, ",", .lowest) + ")")
    case .inRange(let value, let low, let high, let lowIn, let highIn, let negated):
      let bounds = text(low, within: .relational) + ":" + text(high, within: .relational)
      return (
        .relational,
        text(value, within: .relational) + (negated ? " not in " : " in ") + (lowIn ? "[" : "(") + bounds + (highIn ? "]" : ")")
      )
    case .like(let value, let pattern, let escape, let negated):
      let end = escape.map { " escape " + text($0, within: .relational) } ?? ""
      return (
        .relational,
        text(value, within: .relational) + (negated ? " not like " : " like ") + text(pattern, within: .relational) + end
      )
    case .regexp(let value, let pattern, let negated):
      return (
        .relational,
        text(value, within: .relational) + (negated ? " not regexp " : " regexp ") + text(pattern, within: .relational)
      )
    case .caseWhen(let operand, let branches, let otherwise): return (.caseWhen, caseWhen(operand, branches, otherwise))
    case .cast(let value, let type, let format):
      return (.unary, "cast(\(text(value)),\(type.text)\(format.map { ",dateformat:\(text($0))" } ?? ""))")
    case .instanceOf(let value, let types):
      return (.unary, "instanceof(\(text(value)),\(types.map(\.text).joined(separator: ",")))")
    case .array(let values): return (.unary, "{" + list(values, ",", .lowest) + "}")
    case .timePeriod(let parts): return (.unary, parts.map { text($0.value) + " \($0.unit.canonicalText)" }.joined(separator: " "))
    case .ordered(let value, let descending): return (.unary, text(value) + (descending ? " desc" : ""))
    case .lambda(let parameters, let body):
      let names = parameters.map(\.text).joined(separator: ",")
      return (.lowest, (parameters.count == 1 ? names : "(\(names))") + " => " + text(body))
    case .newStruct(let fields):
      return (.unary, "new{" + fields.map { $0.name.text + ($0.value.map { "=" + text($0) } ?? "") }.joined(separator: ",") + "}")
    case .newObject(let type, let arguments): return (.unary, "new \(type.text)(\(list(arguments.map(\.value), ",", .lowest)))")
    case .subquery: return (.unary, "subselect")
    case .exists: return (.unary, "exists subselect")
    case .inSubquery(let value, _, let negated):
      return (.relational, text(value, within: .relational) + (negated ? " not" : "") + " in subselect")
    case .quantifiedSubquery(let op, let value, let quantifier, _):
      return (.relational, text(value, within: .relational) + op.rawValue + quantifier.rawValue + " subselect")
    case .quantifiedList(let op, let value, let quantifier, let values):
      return (
        .relational, text(value, within: .relational) + op.rawValue + quantifier.rawValue + "(" + list(values, ",", .lowest) + ")"
      )
    case .cron, .missing: return (.unary, "")
    }
  }

  private func binary(_ op: BinaryOperatorSyntax, _ left: ExpressionSyntax, _ right: ExpressionSyntax) -> (Precedence, String) {
    let precedence: Precedence
    var sign = op.rawValue
    switch op {
    case .add, .subtract: precedence = .additive
    case .multiply, .divide, .modulo: precedence = .multiplicative
    case .less, .lessOrEqual, .greater, .greaterOrEqual: precedence = .relational
    case .bitAnd, .bitOr, .bitXor: precedence = .bitwise
    case .equal, .notEqual: precedence = .equals
    case .isSame, .isNotSame:
      precedence = .equals
      sign = " \(op.rawValue) "
    }
    return (precedence, text(left, within: precedence) + sign + text(right, within: precedence))
  }

  private func caseWhen(_ operand: ExpressionSyntax?, _ branches: [CaseBranchSyntax], _ otherwise: ExpressionSyntax?) -> String {
    var result = "case" + (operand.map { " " + text($0) } ?? "")
    for branch in branches { result += " when \(text(branch.when)) then \(text(branch.then))" }
    if let otherwise { result += " else " + text(otherwise) }
    return result + " end"
  }

  private func chain(_ base: ExpressionSyntax?, _ links: [ChainLinkSyntax]) -> (Precedence, String) {
    var parts: [String] = base.map { [text($0, within: .unary)] } ?? []
    let isAggregate =
      base == nil && links.count == 1 && links[0].call != nil && aggregates.contains(links[0].name.text.lowercased())
    for link in links {
      var part = isAggregate ? link.name.text.lowercased() : link.name.text
      if let call = link.call {
        let arguments = call.arguments.map { argument in (argument.name.map { $0.text + ":" } ?? "") + text(argument.value) }
        part += "(" + (call.distinct ? "distinct " : "") + arguments.joined(separator: ",") + ")"
      }
      if let index = link.index { part += "[\(text(index))]" }
      if link.optional { part += "?" }
      parts.append(part)
    }
    return (isAggregate ? .lowest : .unary, parts.joined(separator: "."))
  }
}

extension LiteralSyntax {
  /// As the original prints it: `"x"`, `1`, `1L`, `2.5`.
  public var canonicalText: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .long(let value): String(value) + "L"
    case .float(let value): "\(value)f"
    case .double(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    }
  }
}

extension TypeNameSyntax {
  /// As written, with its brackets.
  public var text: String { name + String(repeating: "[]", count: dimensions) }
}

extension TimeUnitSyntax {
  var canonicalText: String { rawValue + "s" }
}
