internal import EventModel
internal import Kernels
internal import Plan

extension Engine {
  /// Chooses column kernels for the statements that have the shape. The rows are the same, however a statement is run.
  ///
  /// - Parameter isCompat: a filter whose IN list names a value twice takes events twice, for which kernels are not made.
  static func chooseStrategies(_ module: ModulePlan, isCompat: Bool) -> ModulePlan {
    // What statements insert comes row by row, for which columns are of no use.
    let inserted = module.statements.flatMap(\.insertTargets)
    let isUpdated = module.statements.contains { if case .updateStream = $0.kind { true } else { false } }
    if isUpdated { return module }
    var module = module
    for index in module.statements.indices {
      let statement = module.statements[index]
      guard case .select(var select) = statement.kind, statement.context == nil, statement.subqueries.isEmpty,
        let fused = FusedPlan(select), !inserted.contains(where: { $0 === fused.inputType }),
        !isCompat || fused.filter?.repeatsMembers != true
      else { continue }
      select.strategy = .fused("groups of a batch")
      module.statements[index].kind = .select(select)
    }
    return module
  }
}

extension Expression {
  fileprivate var repeatsMembers: Bool {
    var repeats = false
    visit { node in
      if case .oneOf(_, let members, false) = node, Set(members).count < members.count { repeats = true }
    }
    return repeats
  }
}

extension StatementPlan {
  /// The streams that it inserts into.
  fileprivate var insertTargets: [EventType] {
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
