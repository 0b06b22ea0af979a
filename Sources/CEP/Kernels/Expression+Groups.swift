internal import Plan

extension Expression {
  /// The expression over rows of keys and aggregates instead of events; nil where it reads anything else of an event.
  func overGroups(_ keys: [Int]) -> Expression? {
    if case .column(stream: 0, let property) = node {
      return keys.firstIndex(of: property).map { Expression(.column(stream: 0, property: $0), type) }
    }
    if case .aggregate(let number) = node { return Expression(.column(stream: 0, property: keys.count + number), type) }
    guard let node = movedNode(keys) else { return nil }
    return Expression(node, type)
  }

  private func movedNode(_ keys: [Int]) -> Node? {
    func one(_ e: Expression, _ make: (Expression) -> Node) -> Node? { e.overGroups(keys).map(make) }
    func two(_ a: Expression, _ b: Expression, _ make: (Expression, Expression) -> Node) -> Node? {
      guard let a = a.overGroups(keys), let b = b.overGroups(keys) else { return nil }
      return make(a, b)
    }
    func all(_ parts: [Expression], _ make: ([Expression]) -> Node) -> Node? {
      let moved = parts.compactMap { $0.overGroups(keys) }
      return moved.count == parts.count ? make(moved) : nil
    }
    switch node {
    case .constant, .variable, .currentTimestamp, .isInsertStream: return node
    case .negate(let e): return one(e) { .negate($0) }
    case .not(let e): return one(e) { .not($0) }
    case .cast(let e): return one(e) { .cast($0) }
    case .convert(let e): return one(e) { .convert($0) }
    case .arithmetic(let op, let a, let b): return two(a, b) { .arithmetic(op, $0, $1) }
    case .bitwise(let op, let a, let b): return two(a, b) { .bitwise(op, $0, $1) }
    case .compare(let op, let a, let b): return two(a, b) { .compare(op, $0, $1) }
    case .same(let a, let b, let negated): return two(a, b) { .same($0, $1, negated: negated) }
    case .concatenate(let parts): return all(parts) { .concatenate($0) }
    case .and(let parts): return all(parts) { .and($0) }
    case .or(let parts): return all(parts) { .or($0) }
    case .call(let name, let arguments): return all(arguments) { .call(name, $0) }
    case .oneOf(let e, let members, let negated): return all([e] + members) { .oneOf($0[0], Array($0.dropFirst()), negated: negated) }
    case .range(let e, let low, let high, let includesLow, let includesHigh, let negated):
      return all([e, low, high]) {
        .range($0[0], low: $0[1], high: $0[2], includesLow: includesLow, includesHigh: includesHigh, negated: negated)
      }
    case .like(let e, let pattern, nil, let negated): return two(e, pattern) { .like($0, pattern: $1, escape: nil, negated: negated) }
    case .cases(let cases, let otherwise):
      let moved = cases.compactMap { item in
        item.condition.overGroups(keys).flatMap { condition in item.result.overGroups(keys).map { Case(condition, $0) } }
      }
      guard moved.count == cases.count else { return nil }
      guard let otherwise else { return .cases(moved, otherwise: nil) }
      return otherwise.overGroups(keys).map { .cases(moved, otherwise: $0) }
    default: return nil
    }
  }
}
