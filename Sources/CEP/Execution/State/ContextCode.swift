internal import Builtins
internal import EventModel
internal import Plan

/// A context, compiled: its levels, outermost first.
final class ContextCode {
  let levels: [ContextLevelCode]
  /// The types of the events that begin, end or choose partitions.
  let types: [EventType]

  init(_ plan: ContextPlan, _ environment: Environment) throws(DeploymentError) {
    var levels: [ContextLevelCode] = []
    if case .nested(let inner) = plan.kind {
      for plan in inner { levels.append(try ContextLevelCode(plan, environment)) }
    } else {
      levels = [try ContextLevelCode(plan, environment)]
    }
    self.levels = levels
    var types: [EventType] = []
    for level in levels { for type in level.types where !types.contains(type) { types.append(type) } }
    self.types = types
  }
}

final class ContextLevelCode {
  struct Stream {
    let type: EventType
    let filter: Evaluator?
    let keys: [Evaluator]
    let hashFunction: String?
  }
  enum Condition {
    case filter(EventType, Evaluator?, tag: Int?)
    case pattern(PatternCode, tags: [Int?])
    case crontab(CronPlan)
    case after(PeriodEvaluator)
    case never
  }
  enum Kind {
    case keyed([Stream])
    case hash([Stream], granularity: Evaluator, preallocates: Bool)
    case category(EventType, Evaluator?, [(label: String, condition: Evaluator)])
    case timed(start: Condition, startsNow: Bool, end: Condition, overlaps: Bool, distinct: [Evaluator])
  }
  let plan: ContextPlan
  let kind: Kind
  let types: [EventType]
  let compiler: ExpressionCompiler

  init(_ plan: ContextPlan, _ environment: Environment) throws(DeploymentError) {
    self.plan = plan
    compiler = environment.compiler([])
    switch plan.kind {
    case .keyed(let streams):
      kind = .keyed(try ContextLevelCode.streams(streams, environment))
      types = streams.map(\.type)
    case .hash(let streams, let granularity, let preallocates):
      kind = .hash(
        try ContextLevelCode.streams(streams, environment), granularity: try compiler.compile(granularity), preallocates: preallocates)
      types = streams.map(\.type)
    case .category(let type, let filter, let categories):
      let compiler = environment.compiler([type])
      var compiled: [(label: String, condition: Evaluator)] = []
      for category in categories { compiled.append((category.label, try compiler.compile(category.condition))) }
      kind = .category(type, try compiler.compile(filter), compiled)
      types = [type]
    case .startEnd(let start, let startsNow, let end):
      let (begin, finish) = (
        try ContextLevelCode.condition(start, nil, environment), try ContextLevelCode.condition(end, plan.type, environment)
      )
      kind = .timed(start: begin, startsNow: startsNow, end: finish, overlaps: false, distinct: [])
      types = begin.types + finish.types
    case .initiatedTerminated(let start, let startsNow, let end, let distinct):
      let (begin, finish) = (
        try ContextLevelCode.condition(start, nil, environment), try ContextLevelCode.condition(end, plan.type, environment)
      )
      kind = .timed(
        start: begin, startsNow: startsNow, end: finish, overlaps: true,
        distinct: try environment.compiler([], context: plan.type).compile(distinct))
      types = begin.types + finish.types
    case .nested: throw DeploymentError("a nested context within a nested context")
    }
  }

  /// Whether events of a type belong to partitions by what they say; of another they belong to all.
  func divides(_ type: EventType) -> Bool {
    switch kind {
    case .keyed(let streams), .hash(let streams, _, _): streams.contains { type.isKind(of: $0.type) }
    case .category(let divided, _, _): type.isKind(of: divided)
    case .timed: false
    }
  }

  private static func streams(_ plans: [ContextPlan.Stream], _ environment: Environment) throws(DeploymentError) -> [Stream] {
    var streams: [Stream] = []
    for plan in plans {
      let compiler = environment.compiler([plan.type])
      streams.append(
        Stream(
          type: plan.type, filter: try compiler.compile(plan.filter), keys: try compiler.compile(plan.keys),
          hashFunction: plan.hashFunction))
    }
    return streams
  }

  private static func condition(_ plan: ContextPlan.Condition, _ context: EventType?, _ environment: Environment) throws(DeploymentError)
    -> Condition
  {
    switch plan {
    case .filter(let type, let filter, let tag):
      return .filter(type, try environment.compiler([type], context: context).compile(filter), tag: tag)
    case .pattern(let pattern, let tags): return .pattern(try PatternCode(pattern, context: context, environment: environment), tags: tags)
    case .crontab(let cron): return .crontab(cron)
    case .after(let period): return .after(try PeriodEvaluator(period, environment.compiler([], context: context)))
    case .never: return .never
    }
  }

  func node(_ context: ContextRuntime, depth: Int, outer: [Event]) -> ContextNode {
    switch kind {
    case .keyed, .hash: KeyedNode(context, self, depth: depth, outer: outer)
    case .category: CategoryNode(context, self, depth: depth, outer: outer)
    case .timed: TimedNode(context, self, depth: depth, outer: outer)
    }
  }
}

extension ContextLevelCode.Condition {
  var types: [EventType] {
    switch self {
    case .filter(let type, _, _): [type]
    case .pattern(let pattern, _): pattern.inputTypes
    default: []
    }
  }
}
