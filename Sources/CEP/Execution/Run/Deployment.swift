internal import Builtins
internal import EventModel
internal import Kernels
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
    environment.setsVariables = module.setsVariables
    environment.updatesStreams = module.updatesStreams
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
      case .createSchema, .createExpression, .createList: break
      case .createVariable(let variable): try deployVariable(variable, statement)
      case .createContext(let context): try createContext(context, statement)
      case .createWindow(let window): try deployWindow(window, statement)
      case .createTable(let table): try deployTable(table, statement)
      case .select(let select):
        if case .fused = select.strategy, let fused = FusedPlan(select), plan.context == nil, plan.subqueries.isEmpty {
          try deployFused(fused, statement)
        } else if case .fused = select.strategy, let sliding = SlidingPlan(select) {
          try deploySliding(sliding, statement)
        } else {
          try deploySelect(select, statement)
        }
      case .on(let on): try deployOn(on, statement)
      case .updateStream(let update): try deployUpdate(update, statement)
      }
    } catch { throw DeploymentError(error.description, line: plan.line) }
    return statement.order
  }

  private func createContext(_ plan: ContextPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let context = try lifted { () throws(DeploymentError) in try ContextRuntime(plan, statement) }
    statement.environment.contexts[plan.name] = context
  }

  private func deployVariable(_ plan: VariablePlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let (environment, context) = (statement.environment, statement.context)
    let initial = try lifted { () throws(DeploymentError) in try environment.compiler([], context: context?.plan.type).compile(plan.initial)
    }
    environment.variables[plan.name] = Declared(by: statement) { ($0 as? VariableInstance)?.variable }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in
      try VariableInstance(statement, partition, plan, initial)
    }
    try start(statement, context)
  }

  private func deployTable(_ plan: TablePlan, _ statement: StatementRuntime) throws(EvaluationError) {
    statement.environment.tables[plan.name] = Declared(by: statement) { $0 as? Table }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in Table(statement, partition, plan) }
    try start(statement, statement.context)
  }

  private func deployWindow(_ plan: NamedWindowPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let (environment, context) = (statement.environment, statement.context)
    let code = try lifted { () throws(DeploymentError) in try NamedWindowCode(plan, context: context?.plan.type, environment) }
    environment.windows[plan.name] = Declared(by: statement) { $0 as? NamedWindow }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in try NamedWindow(statement, partition, code) }
    listen(statement, [plan.type], rank: 0, context, dividedLike: plan.model) { instance, event throws(EvaluationError) in
      try (instance as? NamedWindow)?.insert(event)
    }
    try start(statement, context)
  }

  private func deploySelect(_ plan: SelectPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let environment = statement.environment
    let context = statement.context
    let contextType = context?.plan.type
    let (code, sources) = try lifted { () throws(DeploymentError) in
      let code = try SelectCode(plan, subqueries: statement.plan.subqueries, context: contextType, environment: environment)
      var sources: [SourceCode] = []
      let condition = plan.sources.count == 1 ? plan.filter : nil
      let sequence = plan.strategy == .general ? nil : SequencePlan(plan)
      let types = plan.sources.map(\.inputType) + statement.plan.subqueries.map(\.source.inputType)
      for source in plan.sources {
        let isOnly = types.count { $0 === source.inputType } == 1
        sources.append(
          try SourceCode(
            source, context: contextType, environment: environment, where: condition, sequence: sequence, isOnly: isOnly))
      }
      return (code, sources)
    }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in
      try SelectInstance(statement, partition, code, sources)
    }
    for (number, subquery) in code.subqueries.enumerated() {
      listen(statement, subquery.source.inputTypes, rank: 10 + number, context) { instance, event throws(EvaluationError) in
        try (instance as? SelectInstance)?.frame.subqueries[number].accept(event)
      }
    }
    for (number, source) in sources.enumerated() {
      let index = try partitionIndex(source, context, environment)
      let prefilter = { environment.updatesStreams ? nil : environment.columnFilter(source.entryCondition($0)) }
      let scan: Consumer.Scan = { [unowned statement] batch, times in
        (statement.instance as? SelectInstance)?.sources[number].sequence?.scan(batch, times)
      }
      listen(
        statement, source.inputTypes, rank: 100 + number, context, prefilter, scan: source.sequence == nil ? nil : scan,
        isFiltered: source.isFiltered, among: index
      ) { instance, event throws(EvaluationError) in
        try (instance as? SelectInstance)?.sources[number].accept(event)
      }
    }
    try start(statement, context)
  }

  /// For a source whose filter names partitions of a context.
  private func partitionIndex(_ source: SourceCode, _ context: ContextRuntime?, _ environment: Environment)
    throws(EvaluationError) -> PartitionIndex?
  {
    guard let context, case .stream(let type, let filter?) = source.plan.kind else { return nil }
    let compiler = environment.compiler([type], context: context.plan.type)
    guard let lookup = try lifted({ () throws(DeploymentError) in try RowLookup(filter, compiler) }) else { return nil }
    return try context.index(lookup)
  }

  private func deployOn(_ plan: OnPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let context = statement.context
    let code = try lifted { () throws(DeploymentError) in try OnCode(plan, statement, context: context?.plan.type) }
    statement.makeInstance = { [unowned statement] (partition) throws(EvaluationError) in try OnInstance(statement, partition, code) }
    var subqueries = code.subqueries
    if case .select(let select, _) = code.action { subqueries = select.subqueries }
    for (number, subquery) in subqueries.enumerated() {
      listen(statement, subquery.source.inputTypes, rank: 10 + number, context) { instance, event throws(EvaluationError) in
        try (instance as? OnInstance)?.subqueries[number].accept(event)
      }
    }
    listen(statement, code.trigger.inputTypes, rank: 100, context, isFiltered: code.trigger.isFiltered) {
      instance, event throws(EvaluationError) in
      try (instance as? OnInstance)?.trigger?.accept(event)
    }
    try start(statement, context)
  }

  /// Hands a type's events to the statement's instance, or to those of the partitions that the event belongs to.
  /// - Parameters:
  ///   - model: the type as one of which the events are divided among the partitions; nil for their own.
  ///   - index: the partitions that are to see an event; nil for all that it belongs to.
  private func listen(
    _ statement: StatementRuntime, _ types: [EventType], rank: Int, _ context: ContextRuntime?, dividedLike model: EventType? = nil,
    _ prefilter: (EventType) -> ColumnFilter? = { _ in nil }, scan: Consumer.Scan? = nil, isFiltered: Bool = false,
    among index: PartitionIndex? = nil, _ accept: @escaping (StatementInstance, Event) throws(EvaluationError) -> Void
  ) {
    for type in types {
      let consumer: Consumer
      if let context {
        consumer = Consumer(statement: statement, rank: rank, prefilter: prefilter(type), isFiltered: isFiltered) {
          [unowned statement, unowned context] event throws(EvaluationError) in
          let partitions = if let index { try index.partitions(for: event) } else { try context.partitions(of: event, like: model) }
          for partition in partitions {
            if let instance = partition.instance(of: statement) { try accept(instance, event) }
          }
        }
      } else {
        consumer = Consumer(statement: statement, rank: rank, prefilter: prefilter(type), scan: scan, isFiltered: isFiltered) {
          [unowned statement] event throws(EvaluationError) in
          if let instance = statement.instance { try accept(instance, event) }
        }
      }
      stream(of: type).add(consumer)
    }
  }

  private func start(_ statement: StatementRuntime, _ context: ContextRuntime?) throws(EvaluationError) {
    if let context {
      statement.partitions = context
      return try context.add(statement)
    }
    let instance = try statement.makeInstance?(nil)
    statement.instance = instance
    try instance?.start()
  }

  /// An update changes what it is given before the statements see it.
  private func deployUpdate(_ plan: UpdateStreamPlan, _ statement: StatementRuntime) throws(EvaluationError) {
    let environment = statement.environment
    let compiler = environment.compiler([plan.type])
    let (filter, assignments, subqueries) = try lifted { () throws(DeploymentError) in
      var subqueries: [SubqueryCode] = []
      for subquery in statement.plan.subqueries {
        subqueries.append(try SubqueryCode(subquery, outer: [plan.type], context: nil, environment: environment))
      }
      return (try compiler.compile(plan.filter), try AssignmentCode(plan.assignments, compiler), subqueries)
    }
    statement.makeInstance = { [unowned statement] (_) throws(EvaluationError) in
      try UpdateInstance(statement, filter, assignments, subqueries)
    }
    for (number, subquery) in subqueries.enumerated() {
      listen(statement, subquery.source.inputTypes, rank: 10 + number, nil) { instance, event throws(EvaluationError) in
        try (instance as? UpdateInstance)?.subqueries[number].accept(event)
      }
    }
    try start(statement, nil)
    stream(of: plan.type).addUpdate { [unowned statement] event throws(EvaluationError) in
      try (statement.instance as? UpdateInstance)?.updated(event) ?? event
    }
  }

  /// What a statement lacks is found while it is deployed.
  func lifted<T>(_ work: () throws(DeploymentError) -> T) throws(EvaluationError) -> T {
    do throws(DeploymentError) { return try work() } catch { throw EvaluationError(error.description) }
  }
}
