internal import Builtins
internal import EventModel
internal import Plan

/// Turns bound expressions into closures over a frame.
struct ExpressionCompiler {
  /// The types of the streams that the expression may name.
  var streams: [EventType]
  var contextType: EventType?
  var environment: Environment
  /// Variables that exist only where the expression stands (`count_insert` of an output clause).
  var localVariables: [String: Variable] = [:]
  /// Group-by keys that are null on the levels that roll them up.
  var levelKeys: [Expression] = []

  func compile(_ expression: Expression?) throws(DeploymentError) -> Evaluator? {
    guard let expression else { return nil }
    return try compile(expression)
  }

  func compile(_ expressions: [Expression]) throws(DeploymentError) -> [Evaluator] {
    var result: [Evaluator] = []
    for expression in expressions { result.append(try compile(expression)) }
    return result
  }

  func type(ofStream stream: Int) -> EventType? {
    stream == Expression.contextStream ? contextType : stream < streams.count ? streams[stream] : nil
  }

  func compile(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    guard let key = levelKeys.firstIndex(of: expression) else { return try compileNode(expression) }
    let value = try compileNode(expression)
    return { frame throws(EvaluationError) in
      if let level = frame.level, !level.contains(key) { return .null }
      return try value(frame)
    }
  }

  private func compileNode(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    switch expression.node {
    case .constant(let value): return { _ in value }
    case .column, .event, .nested, .key, .element, .variable, .local: return try compileAccess(expression)
    case .negate(let operand): return try compileNegate(operand, type: expression.type)
    case .arithmetic(let op, let a, let b): return try compileArithmetic(op, a, b, type: expression.type)
    case .bitwise(let op, let a, let b): return try compileBitwise(op, a, b)
    case .concatenate(let parts): return try compileConcatenation(parts)
    case .compare(let op, let a, let b): return try compileComparison(op, a, b)
    case .same(let a, let b, let negated):
      let (a, b) = (try compile(a), try compile(b))
      return { frame throws(EvaluationError) in .bool((try a(frame) == b(frame)) != negated) }
    case .and(let parts): return try compileLogic(parts, decisive: false)
    case .or(let parts): return try compileLogic(parts, decisive: true)
    case .not(let operand):
      let operand = try compile(operand)
      return { frame throws(EvaluationError) in
        if case .bool(let value) = try operand(frame) { return .bool(!value) }
        return .null
      }
    case .like, .regexp: return try compileMatch(expression)
    case .oneOf(let value, let members, let negated): return try compileMembership(value, members, negated)
    case .member(let value, let list, let negated):
      let value = try compile(value)
      return { frame throws(EvaluationError) in list.contains(try value(frame)).map { .bool($0 != negated) } ?? .null }
    case .range: return try compileRange(expression)
    case .cases(let cases, let otherwise): return try compileCases(cases, otherwise)
    case .cast(let operand): return try compileCast(operand, to: expression.type)
    case .convert(let operand): return try compile(operand)
    case .array(let parts):
      let parts = try compile(parts)
      return { frame throws(EvaluationError) in .array(try evaluateAll(parts, frame)) }
    case .row(let parts):
      guard let type = expression.type.eventType else { throw DeploymentError("a row without a type") }
      let parts = try compile(parts)
      return { frame throws(EvaluationError) in .event(Event.make(type, time: frame.clock.now, try evaluateAll(parts, frame))) }
    case .call(let name, let arguments): return try compileCall(name, arguments)
    case .enumeration(let method): return try compileEnumeration(method)
    case .period(let period):
      let period = try PeriodEvaluator(period, self)
      return { frame throws(EvaluationError) in try period.seconds(frame) }
    case .currentTimestamp: return { frame in .int(frame.clock.now) }
    case .instanceOf, .typeOf, .exists: return try compileTypeTest(expression)
    case .isInsertStream: return { frame in .bool(frame.isNew) }
    case .aggregate(let number): return { frame in frame.group?.value(number, time: frame.clock.now) ?? .null }
    case .grouping(let keys): return { frame in .int(groupingBits(keys, frame.level)) }
    case .previous(let previous): return try compilePrevious(previous)
    case .subquery(let number):
      return { frame throws(EvaluationError) in
        guard number < frame.subqueries.count else { throw EvaluationError("a subquery cannot stand here") }
        return try frame.subqueries[number].value(frame)
      }
    case .tableRow(let table, let keys): return try compileTableRow(table, keys)
    case .tableKeys(let table): return try compileTableKeys(table)
    case .matchPrevious(let operand, let count): return try compileMatchPrevious(operand, count)
    }
  }
}

func evaluateAll(_ evaluators: [Evaluator], _ frame: Frame) throws(EvaluationError) -> [Value] {
  var values: [Value] = []
  values.reserveCapacity(evaluators.count)
  for evaluator in evaluators { values.append(try evaluator(frame)) }
  return values
}

/// `grouping(k)` and `grouping_id(k, …)`: a bit for each key, 1 where the level has it rolled up.
private func groupingBits(_ keys: [Int], _ level: [Int]?) -> Int64 {
  guard let level else { return 0 }
  return keys.reduce(0) { $0 << 1 | (level.contains($1) ? 0 : 1) }
}
