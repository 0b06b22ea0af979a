extension Expression {
  /// The expressions directly within this one.
  public var children: [Expression] {
    switch node {
    case .constant, .column, .event, .variable, .local, .currentTimestamp, .isInsertStream, .aggregate, .grouping, .subquery,
      .tableKeys:
      []
    case .nested(let e, _), .key(let e, _), .negate(let e), .not(let e), .cast(let e), .convert(let e), .instanceOf(let e, _),
      .typeOf(let e), .exists(let e), .matchPrevious(let e, _), .member(let e, _, _):
      [e]
    case .element(let a, let b), .arithmetic(_, let a, let b), .bitwise(_, let a, let b), .compare(_, let a, let b), .same(let a, let b, _),
      .regexp(let a, let b, _):
      [a, b]
    case .concatenate(let parts), .and(let parts), .or(let parts), .array(let parts), .row(let parts), .call(_, let parts),
      .tableRow(_, let parts):
      parts
    case .like(let e, let pattern, let escape, _): [e, pattern] + (escape.map { [$0] } ?? [])
    case .oneOf(let e, let members, _): [e] + members
    case .range(let e, let low, let high, _, _, _): [e, low, high]
    case .cases(let cases, let otherwise): cases.flatMap { [$0.condition, $0.result] } + (otherwise.map { [$0] } ?? [])
    case .enumeration(let method):
      [method.target]
        + method.arguments.map { argument in
          switch argument {
          case .value(let e): e
          case .lambda(_, let body): body
          }
        }
    case .period(let period): period.parts.map(\.count)
    case .previous(let previous): [previous.index, previous.value].compactMap { $0 }
    }
  }

  /// Calls `action` for this expression's node and all within it.
  public func visit(_ action: (Node) -> Void) {
    action(node)
    for child in children { child.visit(action) }
  }
}

extension SelectPlan {
  /// Every expression that is evaluated over the sources' rows.
  public var allExpressions: [Expression] {
    var all = columns.map(\.expression) + grouping.keys + orderBy.map(\.expression)
    all += [filter, having].compactMap { $0 } + joins.compactMap(\.condition)
    for aggregate in aggregates { all += aggregate.arguments + aggregate.order.map(\.expression) + [aggregate.filter].compactMap { $0 } }
    return all
  }
}
