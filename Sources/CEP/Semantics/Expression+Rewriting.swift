import EventModel
import Plan

extension Expression {
  /// The expression with parts replaced: `replacement` is asked from the top, and where it gives one nothing beneath is asked.
  func rewritten(_ replacement: (Expression) -> Expression?) -> Expression {
    if let replaced = replacement(self) { return replaced }
    let rewrite = { (part: Expression) in part.rewritten(replacement) }
    return Expression(node.mapped(rewrite), type)
  }
}

extension Expression.Node {
  /// The node over other expressions directly beneath it.
  fileprivate func mapped(_ map: (Expression) -> Expression) -> Expression.Node {
    switch self {
    case .constant, .column, .event, .variable, .local, .currentTimestamp, .isInsertStream, .aggregate, .grouping, .subquery, .tableKeys:
      self
    case .nested(let e, let property): .nested(map(e), property: property)
    case .key(let e, let key): .key(map(e), key)
    case .element(let a, let b): .element(map(a), map(b))
    case .negate(let e): .negate(map(e))
    case .arithmetic(let op, let a, let b): .arithmetic(op, map(a), map(b))
    case .bitwise(let op, let a, let b): .bitwise(op, map(a), map(b))
    case .concatenate(let parts): .concatenate(parts.map(map))
    case .compare(let op, let a, let b): .compare(op, map(a), map(b))
    case .same(let a, let b, let negated): .same(map(a), map(b), negated: negated)
    case .and(let parts): .and(parts.map(map))
    case .or(let parts): .or(parts.map(map))
    case .not(let e): .not(map(e))
    case .like(let e, let pattern, let escape, let negated):
      .like(map(e), pattern: map(pattern), escape: escape.map(map), negated: negated)
    case .regexp(let e, let pattern, let negated): .regexp(map(e), pattern: map(pattern), negated: negated)
    case .oneOf(let e, let members, let negated): .oneOf(map(e), members.map(map), negated: negated)
    case .member(let e, let list, let negated): .member(map(e), list, negated: negated)
    case .range(let e, let low, let high, let includesLow, let includesHigh, let negated):
      .range(map(e), low: map(low), high: map(high), includesLow: includesLow, includesHigh: includesHigh, negated: negated)
    case .cases(let cases, let otherwise):
      .cases(cases.map { Expression.Case(map($0.condition), map($0.result)) }, otherwise: otherwise.map(map))
    case .cast(let e): .cast(map(e))
    case .convert(let e): .convert(map(e))
    case .array(let parts): .array(parts.map(map))
    case .row(let parts): .row(parts.map(map))
    case .call(let name, let parts): .call(name, parts.map(map))
    case .enumeration(let method): .enumeration(method.mapped(map))
    case .period(let period): .period(TimePeriod(period.parts.map { TimePeriod.Part(map($0.count), $0.unit) }))
    case .instanceOf(let e, let types): .instanceOf(map(e), types)
    case .typeOf(let e): .typeOf(map(e))
    case .exists(let e): .exists(map(e))
    case .previous(let previous):
      .previous(
        Expression.Previous(previous.kind, stream: previous.stream, index: previous.index.map(map), value: previous.value.map(map)))
    case .tableRow(let table, let keys): .tableRow(table: table, keys: keys.map(map))
    case .matchPrevious(let e, let count): .matchPrevious(map(e), count: count)
    }
  }
}

extension Expression.Enumeration {
  fileprivate func mapped(_ map: (Expression) -> Expression) -> Expression.Enumeration {
    let arguments = arguments.map { argument -> Argument in
      switch argument {
      case .value(let value): .value(map(value))
      case .lambda(let parameters, let body): .lambda(parameters: parameters, body: map(body))
      }
    }
    return Expression.Enumeration(method: method, target: map(target), arguments: arguments)
  }
}
