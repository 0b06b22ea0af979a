internal import EventModel
internal import Kernels
internal import Plan

extension Engine {
  /// Chooses column kernels for the statements that have the shape. The rows are the same, however a statement is run.
  static func chooseStrategies(_ module: ModulePlan) -> ModulePlan {
    // What statements insert comes row by row, for which columns are of no use.
    let inserted = module.statements.compactMap { $0.rows.target }
    var module = module
    for index in module.statements.indices {
      let statement = module.statements[index]
      guard case .select(var select) = statement.kind, statement.context == nil, statement.subqueries.isEmpty,
        let fused = FusedPlan(select), !inserted.contains(where: { $0 === fused.inputType })
      else { continue }
      select.strategy = .fused("groups of a batch")
      module.statements[index].kind = .select(select)
    }
    return module
  }
}
