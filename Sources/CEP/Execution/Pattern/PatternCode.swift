internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// A pattern, compiled: a tree of nodes whose states are made when the pattern runs.
final class PatternCode {
  let type: EventType
  let root: PatternNodeCode
  let discardsPartials: Bool
  let suppressesOverlaps: Bool
  let filters: [PatternFilterCode]
  let inputTypes: [EventType]

  init(_ plan: PatternPlan, context: EventType?, environment: Environment) throws(DeploymentError) {
    type = plan.type
    discardsPartials = plan.discardsPartials
    suppressesOverlaps = plan.suppressesOverlaps
    var builder = Builder(type: plan.type, context: context, environment: environment)
    root = try builder.code(plan.root)
    filters = builder.filters
    var types: [EventType] = []
    for filter in builder.filters where !types.contains(filter.type) { types.append(filter.type) }
    inputTypes = types
  }

  private struct Builder {
    let type: EventType
    let context: EventType?
    let environment: Environment
    var filters: [PatternFilterCode] = []

    private var compiler: ExpressionCompiler { environment.compiler([type], context: context) }

    private func compile(_ expression: Expression?) throws(DeploymentError) -> Evaluator? { try compiler.compile(expression) }

    private mutating func codes(_ nodes: [PatternNode]) throws(DeploymentError) -> [PatternNodeCode] {
      var codes: [PatternNodeCode] = []
      for node in nodes { codes.append(try code(node)) }
      return codes
    }

    mutating func code(_ node: PatternNode) throws(DeploymentError) -> PatternNodeCode {
      switch node {
      case .filter(let event, let filter, let tag, let consume):
        let code = try PatternFilterCode(
          number: filters.count, type: event, filter: filter, tag: tag, consume: consume,
          environment.compiler([event, type], context: context))
        filters.append(code)
        return .filter(code)
      case .every(let inner): return .every(try code(inner))
      case .everyDistinct(let inner, let keys, let expiry):
        return .everyDistinct(try code(inner), try compiler.compile(keys), try period(expiry))
      case .followedBy(let parts, let maxima):
        var limits: [Evaluator?] = []
        for maximum in maxima { limits.append(try compile(maximum)) }
        return .followedBy(try codes(parts), limits)
      case .and(let parts): return .and(try codes(parts))
      case .or(let parts): return .or(try codes(parts))
      case .not(let inner): return .not(try code(inner))
      case .repeated(let inner, let low, let high, let until, let tags):
        let until = try until.map { u throws(DeploymentError) in try code(u) }
        return .repeated(try code(inner), low: try compile(low), high: try compile(high), until: until, tags: tags)
      case .within(let inner, let time): return .guarded(try code(inner), .within(try PeriodEvaluator(time, compiler), max: nil))
      case .withinMax(let inner, let time, let max):
        return .guarded(try code(inner), .within(try PeriodEvaluator(time, compiler), max: try compiler.compile(max)))
      case .whileTrue(let inner, let condition): return .guarded(try code(inner), .whileTrue(try compiler.compile(condition)))
      case .interval(let time): return .interval(try PeriodEvaluator(time, compiler))
      case .at(let cron): return .at(cron, compiler)
      case .schedule(let date, let repetitions, let time):
        return .schedule(date: try compile(date), repetitions: try compile(repetitions), period: try period(time))
      }
    }

    private func period(_ period: TimePeriod?) throws(DeploymentError) -> PeriodEvaluator? {
      guard let period else { return nil }
      return try PeriodEvaluator(period, compiler)
    }
  }
}

indirect enum PatternNodeCode {
  enum Guard {
    case within(PeriodEvaluator, max: Evaluator?)
    case whileTrue(Evaluator)
  }
  case filter(PatternFilterCode)
  case every(PatternNodeCode)
  case everyDistinct(PatternNodeCode, [Evaluator], PeriodEvaluator?)
  case followedBy([PatternNodeCode], [Evaluator?])
  case and([PatternNodeCode])
  case or([PatternNodeCode])
  case not(PatternNodeCode)
  case repeated(PatternNodeCode, low: Evaluator?, high: Evaluator?, until: PatternNodeCode?, tags: [Int])
  case guarded(PatternNodeCode, Guard)
  case interval(PeriodEvaluator)
  case at(CronPlan, ExpressionCompiler)
  case schedule(date: Evaluator?, repetitions: Evaluator?, period: PeriodEvaluator?)
}

/// A pattern's filter, taken apart: what depends on the event alone, an equality between the event and earlier tags that serves as an
/// index key, and the rest.
final class PatternFilterCode {
  let number: Int
  let type: EventType
  let tag: Int?
  let consume: Int?
  let eventOnly: [Evaluator]
  /// Over the event (stream 0) and over the match so far (stream 1).
  let eventKey: [Evaluator]
  let matchKey: [Evaluator]
  let rest: [Evaluator]
  /// In compat mode: what the only comparison of the rest compares the event with. The original finds matches in its order.
  let bound: Evaluator?
  var isConditional: Bool { !eventOnly.isEmpty || !eventKey.isEmpty || !rest.isEmpty }

  init(number: Int, type: EventType, filter: Expression?, tag: Int?, consume: Int?, _ compiler: ExpressionCompiler) throws(DeploymentError)
  {
    self.number = number
    self.type = type
    self.tag = tag
    self.consume = consume
    var eventOnly: [Evaluator] = []
    var eventKey: [Evaluator] = []
    var matchKey: [Evaluator] = []
    var rest: [Evaluator] = []
    var bounds: [Expression] = []
    for part in PatternFilterCode.conjuncts(filter) {
      if part.onlyStream == 0 {
        eventOnly.append(try compiler.compile(part))
      } else if case .compare(.equal, let a, let b) = part.node, a.onlyStream == 0, b.onlyStream == 1 {
        eventKey.append(try compiler.compile(a))
        matchKey.append(try compiler.compile(b))
      } else if case .compare(.equal, let a, let b) = part.node, a.onlyStream == 1, b.onlyStream == 0 {
        eventKey.append(try compiler.compile(b))
        matchKey.append(try compiler.compile(a))
      } else {
        rest.append(try compiler.compile(part))
        if let bound = part.bound { bounds.append(bound) }
      }
    }
    let isOrdered = compiler.environment.runtime.isCompat && bounds.count == 1 && rest.count == 1
    bound = isOrdered ? try compiler.compile(bounds[0]) : nil
    (self.eventOnly, self.eventKey, self.matchKey, self.rest) = (eventOnly, eventKey, matchKey, rest)
  }

  /// What an event of a type passes that any of a pattern's filters takes, of what can be asked of columns; nil where that may be any event.
  static func entryCondition(_ root: PatternNode, _ type: EventType) -> Expression? {
    var conditions: [Expression] = []
    for filter in root.filters where filter.type === type {
      let parts = conjuncts(filter.condition).filter { $0.onlyStream == 0 && ColumnFilter($0, variables: { _ in .null }) != nil }
      if parts.isEmpty { return nil }
      conditions.append(Expression(.and(parts), .boolean))
    }
    return conditions.isEmpty ? nil : Expression(.or(conditions), .boolean)
  }

  private static func conjuncts(_ filter: Expression?) -> [Expression] {
    guard let filter else { return [] }
    if case .and(let parts) = filter.node { return parts.flatMap { conjuncts($0) } }
    return [filter]
  }
}

extension Expression {
  /// The side over the match so far of a comparison with a property of the event.
  fileprivate var bound: Expression? {
    guard case .compare(let op, let a, let b) = node, op != .equal, op != .notEqual else { return nil }
    if case .column(0, _) = a.node, b.onlyStream == 1 { return b }
    if case .column(0, _) = b.node, a.onlyStream == 1 { return a }
    return nil
  }
}

extension PatternNode {
  fileprivate var filters: [(type: EventType, condition: Expression?)] {
    switch self {
    case .filter(let type, let condition, _, _): [(type, condition)]
    case .every(let inner), .not(let inner), .everyDistinct(let inner, _, _), .within(let inner, _), .withinMax(let inner, _, _),
      .whileTrue(let inner, _):
      inner.filters
    case .followedBy(let parts, _), .and(let parts), .or(let parts): parts.flatMap(\.filters)
    case .repeated(let inner, _, _, let until, _): inner.filters + (until?.filters ?? [])
    case .interval, .at, .schedule: []
    }
  }
}
