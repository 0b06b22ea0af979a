internal import EventModel
internal import Execution
internal import Kernels
internal import Plan

extension Engine {
  /// Chooses column kernels for the statements that have the shape. The rows are the same, however a statement is run.
  ///
  /// - Parameter inserted: the types that statements insert events of. Such may come row by row: worth gathering for groups, not for what
  ///   is asked of events.
  static func chooseStrategies(_ module: ModulePlan, inserted: Set<EventType>, _ options: EngineOptions) -> ModulePlan {
    // In compat mode a filter whose IN list names a value twice takes events twice, and the clock goes back; kernels are not made for that.
    let isCompat = options.clock == .compat
    let slides = !isCompat && !options.honoursPriorities && !options.keepsCurrentRows
    let isUpdated = module.statements.contains { if case .updateStream = $0.kind { true } else { false } }
    if isUpdated { return module }
    func isInserted(_ type: EventType) -> Bool { inserted.contains { $0.isKind(of: type) } }
    var module = module
    for index in module.statements.indices {
      let statement = module.statements[index]
      guard case .select(var select) = statement.kind, statement.context == nil, statement.subqueries.isEmpty else { continue }
      if let fused = FusedPlan(select) {
        guard fused.content == .groups || !isInserted(fused.inputType), !isCompat || fused.filter?.repeatsMembers != true,
          !module.setsVariables || !fused.readsVariables
        else { continue }
        select.strategy = .fused("groups of a batch")
      } else if slides, let sliding = SlidingPlan(select) {
        guard !isInserted(sliding.inputType), !module.setsVariables || !sliding.readsVariables else { continue }
        select.strategy = .fused("groups of a sliding window")
      }
      module.statements[index].kind = .select(select)
    }
    return module
  }
}

extension Engine {
  /// The types that statements insert events of.
  static func insertedTypes(_ plans: [ModulePlan]) -> Set<EventType> { Set(plans.flatMap(\.statements).flatMap(\.insertTargets)) }

  /// Chooses the kernel for keyed sequences where a pattern is one, over streams whose events come in batches and unchanged.
  ///
  /// Not for compat mode, in which the clock goes back between two events, nor where priorities decide which statements see an event.
  static func chooseSequences(_ modules: [ModulePlan]) -> [ModulePlan] {
    if modules.contains(where: \.updatesStreams) { return modules }
    let inserted = insertedTypes(modules)
    return modules.map { module in
      var module = module
      for index in module.statements.indices {
        let statement = module.statements[index]
        guard case .select(var select) = statement.kind, statement.context == nil, statement.subqueries.isEmpty,
          let sequence = SequencePlan(select),
          !sequence.steps.contains(where: { step in inserted.contains { $0.isKind(of: step.type) } }),
          !module.setsVariables || !sequence.steps.contains(where: { $0.filter?.readsVariables ?? false })
        else { continue }
        select.strategy = .fused("keyed sequence")
        module.statements[index].kind = .select(select)
      }
      return module
    }
  }
}

extension Expression {
  fileprivate var readsVariables: Bool {
    var reads = false
    visit { if case .variable = $0 { reads = true } }
    return reads
  }

  fileprivate var repeatsMembers: Bool {
    var repeats = false
    visit { node in
      if case .oneOf(_, let members, false) = node, Set(members).count < members.count { repeats = true }
    }
    return repeats
  }
}

extension Engine {
  /// Puts WHERE before the window where that makes no difference: where the window is a sliding one of time, or none.
  ///
  /// While the clock goes on an event leaves such a window at its own time, whatever else is in there. Not for compat mode, in which the
  /// clock goes back, so that an event may be kept by one before it that WHERE rejects.
  static func pushConditions(_ module: ModulePlan) -> ModulePlan {
    var module = module
    for index in module.statements.indices {
      let statement = module.statements[index]
      guard case .select(var select) = statement.kind, statement.context == nil, statement.subqueries.isEmpty, select.sources.count == 1,
        let condition = select.filter, condition.isSettled, select.sources[0].matchRecognize == nil,
        case .stream(let type, let filter) = select.sources[0].kind
      else { continue }
      switch (select.sources[0].views.first, select.sources[0].views.count) {
      case (nil, 0), (.time?, 1): break
      default: continue
      }
      var looksBack = false
      for expression in select.allExpressions { expression.visit { if case .previous = $0 { looksBack = true } } }
      if looksBack { continue }
      select.filter = nil
      select.sources[0].kind = .stream(type, filter: filter.map { Expression(.and([$0, condition]), .boolean) } ?? condition)
      module.statements[index].kind = .select(select)
    }
    return module
  }
}

extension Expression {
  /// Whether it is one for columns that says the same of an event whenever it is asked.
  fileprivate var isSettled: Bool {
    var isSettled = ColumnFilter(self, variables: { _ in .null }) != nil
    visit { node in
      switch node {
      case .variable, .member, .call, .currentTimestamp, .isInsertStream: isSettled = false
      default: break
      }
    }
    return isSettled
  }
}

extension StatementPlan {
  /// The streams that it inserts into.
  var insertTargets: [EventType] {
    switch kind {
    case .select(let select): return [select.insertInto?.target].compactMap { $0 }
    case .on(let on):
      switch on.action {
      case .select(let select, _, _): return [select.insertInto?.target].compactMap { $0 }
      case .split(let selects, _): return selects.compactMap { $0.insertInto?.target }
      case .merge(_, _, let branches):
        return branches.flatMap(\.actions).compactMap { action in
          if case .insert(_, let insert, _) = action { insert.target } else { nil }
        }
      default: return []
      }
    default: return []
    }
  }
}
