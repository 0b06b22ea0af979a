internal import Builtins
internal import EventModel
internal import Kernels
public import Plan

extension Runtime {
  func deployFused(_ plan: FusedPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let code = try lifted { () throws(DeploymentError) in
      try SelectCode(plan.rest, subqueries: [], context: nil, environment: statement.environment)
    }
    let instance = try FusedInstance(plan, code, statement)
    statement.instance = instance
    stream(of: plan.inputType).add(
      Consumer(statement: statement, rank: 100, fused: instance) { [unowned instance] event throws(EvaluationError) in
        try instance.accept(event)
      })
    try instance.start()
  }
}

extension Runtime {
  func deploySliding(_ plan: SlidingPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let environment = statement.environment
    let code = try lifted { () throws(DeploymentError) in
      try SelectCode(plan.rest, subqueries: [], context: nil, environment: environment)
    }
    let instance = try SlidingInstance(plan, code, statement)
    statement.instance = instance
    let consumer = Consumer(
      statement: statement, rank: 100, prefilter: environment.columnFilter(plan.filter),
      scan: { [unowned instance] batch, times in instance.scan(batch, times) }, isFiltered: plan.filter != nil
    ) { [unowned instance] event throws(EvaluationError) in
      try instance.accept(event)
    }
    stream(of: plan.inputType).add(consumer)
    try instance.start()
  }
}

extension ModulePlan {
  /// Whether some statement changes events of a stream before the others see them.
  public var updatesStreams: Bool { statements.contains { if case .updateStream = $0.kind { true } else { false } } }

  /// Whether some statement sets variables while events are processed.
  public var setsVariables: Bool {
    statements.contains { statement in
      switch statement.kind {
      case .on(let on): if case .set = on.action { true } else { false }
      case .select(let select): select.outputRate?.assignsVariables ?? false
      default: false
      }
    }
  }
}

extension OutputRatePlan {
  fileprivate var assignsVariables: Bool {
    if case .when(_, let assignments) = condition, !assignments.isEmpty { return true }
    return !terminatedThen.isEmpty
  }
}
