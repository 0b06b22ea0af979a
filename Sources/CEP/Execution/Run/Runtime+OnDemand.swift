internal import Builtins
public import EventModel
public import Plan

extension Runtime {
  /// Runs a query once, against a module's windows and tables: the rows selected, deleted, changed or inserted.
  public func answer(_ query: OnDemandPlan, in module: DeployedModule) throws(DeploymentError) -> [Event] {
    do throws(EvaluationError) {
      let rows = try answer(query, module.environment)
      finishPass()
      return rows
    } catch { throw DeploymentError(error.description) }
  }

  private func answer(_ query: OnDemandPlan, _ environment: Environment) throws(EvaluationError) -> [Event] {
    switch query.kind {
    case .select(let plan): return try select(plan, query.subqueries, environment)
    case .delete(let name, let filter):
      let (store, frame) = try store(name, environment)
      let rows = try matching(store, filter, frame, environment)
      try store.change(new: [], old: rows)
      return rows
    case .update(let name, let plan, let filter):
      let (store, frame) = try store(name, environment)
      let assignments = try lifted { () throws(DeploymentError) in try AssignmentCode(plan, environment.compiler([store.type])) }
      let rows = try matching(store, filter, frame, environment)
      var changed: [Event] = []
      for row in rows { changed.append(try assignments.updated(row, frame)) }
      try store.change(new: changed, old: rows)
      return changed
    case .insert(let name, let rows):
      let (store, frame) = try store(name, environment)
      var made: [Event] = []
      for row in rows {
        var values: [Value] = []
        for value in row {
          let evaluator = try lifted { () throws(DeploymentError) in try environment.compiler([]).compile(value) }
          values.append(try evaluator?(frame) ?? .null)
        }
        made.append(Event.make(store.type, time: clock.now, values))
      }
      try store.change(new: made, old: [])
      return made
    }
  }

  private func store(_ name: String, _ environment: Environment) throws(EvaluationError) -> (RowStore, Frame) {
    (try lifted { () throws(DeploymentError) in try RowStore(name, environment) }, Frame(streams: 1, clock: clock))
  }

  private func matching(
    _ store: RowStore, _ filter: Expression?, _ frame: Frame, _ environment: Environment
  ) throws(EvaluationError) -> [Event] {
    guard let condition = try lifted({ () throws(DeploymentError) in try environment.compiler([store.type]).compile(filter) }) else {
      return store.rows(byKey: false)
    }
    var rows: [Event] = []
    for row in store.rows(byKey: false) {
      frame.events[0] = row
      if try condition(frame).isTrue { rows.append(row) }
    }
    return rows
  }

  /// A statement that is never started: its sources' present rows go through it once.
  private func select(_ plan: SelectPlan, _ subqueries: [SubqueryPlan], _ environment: Environment) throws(EvaluationError) -> [Event] {
    let statement = StatementRuntime(
      order: statements.count, plan: StatementPlan(name: "", isNamed: false, line: 0, subqueries: subqueries, kind: .select(plan)), runtime: self,
      environment: environment)
    let (code, sources) = try lifted { () throws(DeploymentError) in
      let code = try SelectCode(plan, subqueries: subqueries, context: nil, environment: environment)
      var sources: [SourceCode] = []
      for source in plan.sources { sources.append(try SourceCode(source, context: nil, environment: environment)) }
      return (code, sources)
    }
    let instance = try SelectInstance(statement, nil, code, sources)
    return try instance.output.arrange(try instance.processor.process(new: try instance.currentTuples(), old: []).new)
  }
}
