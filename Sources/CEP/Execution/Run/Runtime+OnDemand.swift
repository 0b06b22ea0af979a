internal import Builtins
public import EventModel
public import Plan

extension Runtime {
  /// Runs a query once, against a module's windows and tables: the rows selected, deleted, changed or inserted.
  ///
  /// Of windows and tables that each partition of a context has for itself it reads and changes all.
  public func answer(_ query: OnDemandPlan, in module: DeployedModule) throws(DeploymentError) -> [Event] {
    do throws(EvaluationError) {
      let rows = try answer(query, module.environment)
      finishPass()
      return rows
    } catch { throw DeploymentError(error.description) }
  }

  private func answer(_ query: OnDemandPlan, _ environment: Environment) throws(EvaluationError) -> [Event] {
    let context = query.context.flatMap { environment.contexts[$0] }
    switch query.kind {
    case .select(let plan): return try select(plan, query.subqueries, context, environment)
    case .delete(let name, let filter):
      let condition = try compile(filter, name, context, environment)
      return try change(name, environment) { store, frame throws(EvaluationError) in
        let rows = try self.matching(store, condition, frame)
        return (rows, [], rows)
      }
    case .update(let name, let plan, let filter):
      let condition = try compile(filter, name, context, environment)
      let assignments = try lifted { () throws(DeploymentError) in
        try AssignmentCode(plan, environment.compiler([try environment.rowType(of: name)], context: context?.plan.type))
      }
      return try change(name, environment) { store, frame throws(EvaluationError) in
        let rows = try self.matching(store, condition, frame)
        var changed: [Event] = []
        for row in rows { changed.append(try assignments.updated(row, frame)) }
        return (changed, changed, rows)
      }
    case .insert(let name, let rows):
      let (type, values) = try lifted { () throws(DeploymentError) in
        var compiled: [[Evaluator?]] = []
        for row in rows {
          var values: [Evaluator?] = []
          for value in row { values.append(try environment.compiler([], context: context?.plan.type).compile(value)) }
          compiled.append(values)
        }
        return (try environment.rowType(of: name), compiled)
      }
      return try change(name, environment) { store, frame throws(EvaluationError) in
        var made: [Event] = []
        for row in values {
          var values: [Value] = []
          for value in row { values.append(try value?(frame) ?? .null) }
          made.append(Event.make(type, time: self.clock.now, values))
        }
        return (made, made, [])
      }
    }
  }

  /// Changes a window or table, or that of every partition; what is to be told of it.
  private func change(
    _ name: String, _ environment: Environment,
    _ work: (RowStore, Frame) throws(EvaluationError) -> (told: [Event], new: [Event], old: [Event])
  ) throws(EvaluationError) -> [Event] {
    var told: [Event] = []
    for (store, partition) in RowStore.all(name, environment) {
      let frame = Frame(streams: 1, clock: clock)
      frame.enter(partition)
      let change = try work(store, frame)
      try store.change(new: change.new, old: change.old)
      told += change.told
    }
    return told
  }

  private func compile(
    _ filter: Expression?, _ name: String, _ context: ContextRuntime?, _ environment: Environment
  ) throws(EvaluationError) -> Evaluator? {
    try lifted { () throws(DeploymentError) in
      try environment.compiler([try environment.rowType(of: name)], context: context?.plan.type).compile(filter)
    }
  }

  private func matching(_ store: RowStore, _ condition: Evaluator?, _ frame: Frame) throws(EvaluationError) -> [Event] {
    guard let condition else { return store.rows(byKey: false) }
    var rows: [Event] = []
    for row in store.rows(byKey: false) {
      frame.events[0] = row
      if try condition(frame).isTrue { rows.append(row) }
    }
    return rows
  }

  /// A statement that is never started: its sources' present rows go through it once, under a context once for each partition.
  private func select(
    _ plan: SelectPlan, _ subqueries: [SubqueryPlan], _ context: ContextRuntime?, _ environment: Environment
  ) throws(EvaluationError) -> [Event] {
    let statement = StatementRuntime(
      order: statements.count, plan: StatementPlan(name: "", isNamed: false, line: 0, subqueries: subqueries, kind: .select(plan)),
      runtime: self,
      environment: environment)
    let (code, sources) = try lifted { () throws(DeploymentError) in
      let code = try SelectCode(plan, subqueries: subqueries, context: context?.plan.type, environment: environment)
      var sources: [SourceCode] = []
      for source in plan.sources { sources.append(try SourceCode(source, context: context?.plan.type, environment: environment)) }
      return (code, sources)
    }
    var rows: [Event] = []
    for partition in context.map({ $0.partitions.map(Optional.some) }) ?? [nil] {
      let instance = try SelectInstance(statement, partition, code, sources)
      rows += try instance.rowsOnce()
    }
    return rows
  }
}
