internal import Builtins
internal import EventModel
public import Plan

/// A module at work.
public final class DeployedModule {
  let environment: Environment
  /// The numbers of its statements, in order.
  public fileprivate(set) var statements: [Int] = []

  init(environment: Environment) { self.environment = environment }
}

extension Runtime {
  /// Deploys a module's statements, in order. Layouts must have been told of all properties that are read.
  public func deploy(_ module: ModulePlan) throws(DeploymentError) -> DeployedModule {
    let environment = Environment(runtime: self)
    let deployed = DeployedModule(environment: environment)
    for plan in module.statements {
      deployed.statements.append(try deploy(plan, environment))
    }
    return deployed
  }

  private func deploy(_ plan: StatementPlan, _ environment: Environment) throws(DeploymentError) -> Int {
    let statement = StatementRuntime(order: statements.count, plan: plan, runtime: self, environment: environment)
    statements.append(statement)
    do throws(EvaluationError) {
      switch plan.kind {
      case .createSchema, .createExpression: break
      case .createVariable(let variable): try create(variable, environment)
      case .createContext(let context): try createContext(context, statement)
      case .createWindow(let window): try createWindow(window, statement)
      case .createTable(let table): environment.tables[table.name] = Table(table)
      case .select(let select): try deploySelect(select, statement)
      case .on(let on): try deployOn(on, statement)
      case .updateStream(let update): try deployUpdate(update, statement)
      }
    } catch { throw DeploymentError(error.description) }
    return statement.order
  }

  private func create(_ plan: VariablePlan, _ environment: Environment) throws(EvaluationError) {
    var value = Value.null
    if let initial = plan.initial {
      value = try lifted { () throws(DeploymentError) in try environment.compiler([]).compile(initial) }(Frame(streams: 0, clock: clock))
      if plan.type.isNumeric { value = try castValue(value, to: plan.type) }
    }
    environment.variables[plan.name] = Variable(name: plan.name, type: plan.type, value: value)
  }

  private func createContext(_ plan: ContextPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let context = try lifted { () throws(DeploymentError) in try ContextRuntime(plan, environment: statement.environment) }
    statement.environment.contexts[plan.name] = context
  }

  private func createWindow(_ plan: NamedWindowPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let window = NamedWindow(plan, self)
    let environment = statement.environment
    environment.windows[plan.name] = window
    let site = ViewSite(statement: statement, clock: clock, frame: Frame(streams: 1, clock: clock))
    let builder = ViewBuilder(compiler: environment.compiler([plan.type]), site: site)
    let chain = try lifted { () throws(DeploymentError) in try builder.chain(plan.views, plan.combination) }
    try window.start(chain ?? ViewChain([KeepAllView()]))
    if let source = plan.fillFrom.flatMap({ environment.windows[$0] }) {
      let filter = try lifted { () throws(DeploymentError) in try environment.compiler([plan.type]).compile(plan.fillFilter) }
      for event in source.contents {
        site.frame.events[0] = event
        if let filter, !(try filter(site.frame).isTrue) { continue }
        try window.insert(event)
      }
    }
    stream(of: plan.type).add(
      Consumer(statement: statement, rank: 0) { event throws(EvaluationError) in try window.insert(event) })
    // The window's own statement gives its insert stream (and what leaves, where that is asked for).
    _ = window.subscribe(statement) { [unowned statement] (new, old) throws(EvaluationError) in statement.output(new: new, old: old) }
  }

  private func deploySelect(_ plan: SelectPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let environment = statement.environment
    let context = statement.plan.context.flatMap { environment.contexts[$0] }
    let contextType = context?.plan.type
    let (code, sources) = try lifted { () throws(DeploymentError) in
      let code = try SelectCode(plan, subqueries: statement.plan.subqueries, context: contextType, environment: environment)
      var sources: [SourceCode] = []
      for source in plan.sources { sources.append(try SourceCode(source, context: contextType, environment: environment)) }
      return (code, sources)
    }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in
      try SelectInstance(statement, partition, code, sources)
    }
    let instance = try SelectInstance(statement, nil, code, sources)
    statement.instance = instance
    for (number, subquery) in code.subqueries.enumerated() {
      for type in subquery.source.inputTypes {
        stream(of: type).add(
          Consumer(statement: statement, rank: 10 + number) { [unowned instance] event throws(EvaluationError) in
            try instance.frame.subqueries[number].accept(event)
          })
      }
    }
    for (number, source) in sources.enumerated() {
      for type in source.inputTypes {
        stream(of: type).add(
          Consumer(statement: statement, rank: 100 + number) { [unowned instance] event throws(EvaluationError) in
            try instance.sources[number].accept(event)
          })
      }
    }
    try instance.start()
  }

  private func deployOn(_ plan: OnPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    throw EvaluationError("on-actions cannot be run yet")
  }

  private func deployUpdate(_ plan: UpdateStreamPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    throw EvaluationError("update istream cannot be run yet")
  }

  /// What a statement lacks is found while it is deployed.
  func lifted<T>(_ work: () throws(DeploymentError) -> T) throws(EvaluationError) -> T {
    do throws(DeploymentError) { return try work() } catch { throw EvaluationError(error.description) }
  }
}
