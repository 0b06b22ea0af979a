import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// Binds the expressions of one clause: names by a scope, types by the original's rules.
final class ExpressionBinder {
  let statement: StatementBinder
  var names: NameScope
  /// Where aggregates are gathered; nil where the clause takes none.
  var aggregates: AggregateList?
  /// How messages speak of the clause: "the WHERE clause".
  let clause: String
  /// The group-by keys, for `grouping(…)`.
  var groupingKeys: [Expression] = []
  /// Whether `prev` and `prior` may stand here.
  var allowsPrevious = false
  /// Within match_recognize: `prev(A.v, 2)`, and aggregates over variables.
  var isMatchRecognize = false
  /// Declared expressions that are being bound, against endless recursion.
  private var open: [String] = []

  init(_ statement: StatementBinder, names: NameScope, clause: String, aggregates: AggregateList? = nil) {
    self.statement = statement
    self.names = names
    self.clause = clause
    self.aggregates = aggregates
  }

  /// One for another clause, over the same or other names.
  func sibling(_ clause: String, names: NameScope? = nil, aggregates: AggregateList? = nil) -> ExpressionBinder {
    let other = ExpressionBinder(statement, names: names ?? self.names, clause: clause, aggregates: aggregates)
    other.isMatchRecognize = isMatchRecognize
    return other
  }

  func report(_ message: String, at range: SourceRange, suggestion: String? = nil) -> Expression {
    statement.report(message, at: range, suggestion: suggestion)
    return .faulty
  }

  /// A condition: boolean, or reported.
  func condition(_ syntax: ExpressionSyntax) -> Expression {
    let result = bind(syntax)
    if result.type != .boolean, !result.type.isFaulty {
      return report("\(clause) must be boolean, this is \(result.type.quoted)", at: syntax.range)
    }
    return result
  }

  /// The body of a declared expression, once more around guarding against recursion.
  func expanding(_ name: NameSyntax, _ body: () -> Expression) -> Expression {
    guard !open.contains(name.text), open.count < 30 else {
      return report("the expression \"\(name.text)\" refers to itself", at: name.range)
    }
    open.append(name.text)
    defer { open.removeLast() }
    return body()
  }

  func bind(_ syntax: ExpressionSyntax) -> Expression {
    switch syntax.kind {
    case .literal(let literal): return Expression(.constant(literal.value), literal.type)
    case .chain(let base, let links): return chain(base, links, syntax.range)
    case .negate(let operand): return negate(operand)
    case .not(let operand):
      let bound = logical(operand, "NOT")
      return bound.type.isFaulty ? .faulty : Expression(.not(bound), .boolean)
    case .and(let terms): return logic(terms, "AND") { .and($0) }
    case .or(let terms): return logic(terms, "OR") { .or($0) }
    case .binary(let op, let left, let right): return binary(op, left, right, syntax.range)
    case .concat(let terms): return concat(terms)
    case .between(let value, let low, let high, let negated):
      return range(value, low, high, (true, true), negated, isBetween: true)
    case .inRange(let value, let low, let high, let lowIn, let highIn, let negated):
      return range(value, low, high, (lowIn, highIn), negated, isBetween: false)
    case .inList(let value, let values, let negated): return inList(value, values, negated)
    case .like(let value, let pattern, let escape, let negated): return like(value, pattern, escape, negated)
    case .regexp(let value, let pattern, let negated): return regexp(value, pattern, negated)
    case .caseWhen(let operand, let branches, let otherwise): return caseWhen(operand, branches, otherwise, syntax.range)
    case .cast(let value, let type, nil): return cast(value, type)
    case .cast(let value, let type, let format?): return castDate(value, type, format)
    case .instanceOf(let value, let types):
      let bound = bind(value)
      return Expression(.instanceOf(bound, types.compactMap { statement.type($0) }), .boolean)
    case .array(let values): return array(values, syntax.range)
    case .newStruct(let fields): return newStruct(fields, syntax.range)
    case .subquery, .exists, .inSubquery, .quantifiedSubquery: return subquery(syntax)
    case .quantifiedList(let op, let value, let quantifier, let values): return quantified(op, value, quantifier, values)
    case .timePeriod(let parts):
      guard let period = statement.period(parts, self) else { return .faulty }
      return Expression(.period(period), .double)
    case .newObject(let type, _):
      return report("objects of \"\(type.name)\" cannot be made here", at: syntax.range, suggestion: "new { name = value }")
    case .wildcard: return report("\"*\" cannot stand here", at: syntax.range)
    case .lambda: return report("a lambda can stand only as an argument of an enumeration method", at: syntax.range)
    case .ordered(let value, _): return bind(value)
    case .cron: return report("this form can stand only in a crontab", at: syntax.range)
    case .missing: return .faulty
    }
  }

  // MARK: logic

  private func logical(_ operand: ExpressionSyntax, _ word: String) -> Expression {
    let bound = bind(operand)
    if bound.type.isFaulty || bound.type == .boolean { return bound }
    return report("\(word) needs boolean operands, this is \(bound.type.quoted)", at: operand.range)
  }

  private func logic(_ terms: [ExpressionSyntax], _ word: String, _ make: ([Expression]) -> Expression.Node) -> Expression {
    let bound = terms.map { logical($0, word) }
    return bound.contains { $0.type.isFaulty } ? .faulty : Expression(make(bound), .boolean)
  }

  // MARK: values

  private func caseWhen(
    _ operand: ExpressionSyntax?, _ branches: [CaseBranchSyntax], _ otherwise: ExpressionSyntax?, _ place: SourceRange
  ) -> Expression {
    let subject = operand.map(bind)
    let conditions = branches.map { branch -> Expression in
      guard let subject else { return sibling("a WHEN condition", aggregates: aggregates).adopting(self).condition(branch.when) }
      let value = asAddress(bind(branch.when), beside: subject, branch.when)
      guard subject.type.isComparable(with: value.type) else {
        return report("cannot compare \(subject.type.quoted) with \(value.type.quoted)", at: branch.when.range)
      }
      return Expression(.same(subject, value, negated: false), .boolean)
    }
    var results = branches.map { bind($0.then) }
    if let otherwise { results.append(bind(otherwise)) }
    if (conditions + results).contains(where: { $0.type.isFaulty }) { return .faulty }
    guard let type = ValueType.common(results.map(\.type)) else {
      let types = Set(results.map(\.type.name)).sorted().joined(separator: "\" and \"")
      return report("the results of CASE have no common type: \"\(types)\"", at: place)
    }
    results = results.map { $0.widened(to: type) }
    let cases = zip(conditions, results).map { Expression.Case($0, $1) }
    return Expression(.cases(cases, otherwise: otherwise == nil ? nil : results.last), type)
  }

  private func adopting(_ other: ExpressionBinder) -> ExpressionBinder {
    groupingKeys = other.groupingKeys
    allowsPrevious = other.allowsPrevious
    open = other.open
    return self
  }

  private func cast(_ value: ExpressionSyntax, _ type: TypeNameSyntax) -> Expression {
    let bound = bind(value)
    guard let type = statement.type(type) else { return .faulty }
    return bound.type.isFaulty ? .faulty : Expression(.cast(bound), type)
  }

  /// `cast('2020-05-17', long, dateformat: 'yyyy-MM-dd')`: a date's text as milliseconds.
  private func castDate(_ value: ExpressionSyntax, _ type: TypeNameSyntax, _ format: ExpressionSyntax) -> Expression {
    let (bound, pattern) = (bind(value), bind(format))
    if bound.type.isFaulty || pattern.type.isFaulty { return .faulty }
    guard ["long", "date", "calendar"].contains(type.name.lowercased()), type.dimensions == 0 else {
      return report("a date's text is cast to long, not to \"\(type.name)\"", at: type.range)
    }
    guard bound.type.isText else { return report("a date is read from a string, this is \(bound.type.quoted)", at: value.range) }
    guard case .constant(.string(let text)) = pattern.node else { return report("the format of dates is a string", at: format.range) }
    if let letter = DateFormat.unknownLetter(in: text) {
      return report("the letter \"\(letter)\" has no meaning in a format of dates", at: format.range, suggestion: "yyyy-MM-dd HH:mm:ss.SSS")
    }
    return Expression(.call(".parseDate", [bound, pattern]), .long)
  }

  private func array(_ values: [ExpressionSyntax], _ place: SourceRange) -> Expression {
    let bound = values.map(bind)
    if bound.contains(where: { $0.type.isFaulty }) { return .faulty }
    guard let type = ValueType.common(bound.map(\.type)) else {
      return report("the elements of the array have no common type", at: place)
    }
    return Expression(.array(bound.map { $0.widened(to: type) }), .array(type == .null ? .object("Object") : type))
  }

  private func newStruct(_ fields: [NewFieldSyntax], _ place: SourceRange) -> Expression {
    var seen: Set<String> = []
    var values: [Expression] = []
    for field in fields {
      if !seen.insert(field.name.text).inserted {
        _ = report("the column \"\(field.name.text)\" stands twice", at: field.name.range)
      }
      let value = field.value ?? ExpressionSyntax(.chain(base: nil, links: [ChainLinkSyntax(field.name)]), field.name.range)
      values.append(bind(value))
    }
    if values.contains(where: { $0.type.isFaulty }) { return .faulty }
    let properties = zip(fields, values).map { EventType.Property($0.name.text, $1.type) }
    let type = EventType(name: "new", kind: .derived, properties: properties)
    return Expression(.row(values), .event(type))
  }
}
