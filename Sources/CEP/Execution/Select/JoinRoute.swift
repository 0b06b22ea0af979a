internal import Builtins
internal import EventModel
internal import Plan

/// `a.x = b.y` between two sources.
struct JoinEquality {
  let left: (stream: Int, expression: Expression)
  let right: (stream: Int, expression: Expression)

  static func all(in plan: SelectPlan) -> [JoinEquality] {
    all(in: plan.filter) + plan.joins.flatMap { all(in: $0.condition) }
  }

  static func all(in condition: Expression?) -> [JoinEquality] {
    guard let condition else { return [] }
    switch condition.node {
    case .and(let parts): return parts.flatMap { all(in: $0) }
    case .compare(.equal, let a, let b):
      guard let x = a.onlyStream, let y = b.onlyStream, x != y else { return [] }
      return [JoinEquality(left: (x, a), right: (y, b))]
    default: return []
    }
  }
}

extension [Expression] {
  /// The columns of a stream that they are; nil where one is no column.
  func columns(of stream: Int) -> [Int]? {
    let columns = compactMap { if case .column(stream, let property) = $0.node { property } else { nil } }
    return columns.count == count ? columns : nil
  }
}

extension Expression {
  /// The parts of an AND; the expression itself where it is none.
  var conjuncts: [Expression] {
    if case .and(let parts) = node { return parts.flatMap(\.conjuncts) }
    return [self]
  }

  /// The one stream whose columns the expression reads; nil for none, several, or what depends on more than columns.
  var onlyStream: Int? {
    var streams = Set<Int>()
    var isPlain = true
    visit { node in
      switch node {
      case .column(let stream, _), .event(let stream): streams.insert(stream)
      case .variable, .local, .aggregate, .previous, .subquery, .tableRow, .tableKeys, .matchPrevious, .isInsertStream: isPlain = false
      default: break
      }
    }
    return isPlain && streams.count == 1 ? streams.first : nil
  }
}

/// In what order the other sources are searched for partners of one source's event.
struct JoinRoute {
  struct Step {
    let stream: Int
    /// Over the sources found before.
    let keys: [Evaluator]
    let index: Int?
    /// Where the keys are compared with columns of the source, which; else none.
    let columns: [Int]
  }
  private(set) var steps: [Step] = []

  init(from driver: Int, count: Int, _ equalities: [JoinEquality], _ compiler: ExpressionCompiler, _ tables: inout [JoinTable])
    throws(DeploymentError)
  {
    var bound: Set<Int> = [driver]
    while bound.count < count {
      // The first source that an equality ties to those found; else the first.
      let open = (0..<count).filter { !bound.contains($0) }
      let next = open.first { stream in equalities.contains { $0.ties(stream, to: bound) } } ?? open[0]
      let usable = equalities.filter { $0.ties(next, to: bound) }
      if usable.isEmpty {
        steps.append(Step(stream: next, keys: [], index: nil, columns: []))
      } else {
        let (own, other) = (usable.map { $0.side(of: next) }, usable.map { $0.side(opposite: next) })
        let index = tables[next].addIndex(own, try compiler.compile(own))
        steps.append(Step(stream: next, keys: try compiler.compile(other), index: index, columns: own.columns(of: next) ?? []))
      }
      bound.insert(next)
    }
  }
}

extension JoinEquality {
  func side(of stream: Int) -> Expression { left.stream == stream ? left.expression : right.expression }
  func side(opposite stream: Int) -> Expression { left.stream == stream ? right.expression : left.expression }
  func ties(_ stream: Int, to bound: Set<Int>) -> Bool {
    (left.stream == stream && bound.contains(right.stream)) || (right.stream == stream && bound.contains(left.stream))
  }
}
