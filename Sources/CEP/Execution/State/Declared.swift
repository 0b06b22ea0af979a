internal import Builtins
internal import EventModel
internal import Plan

/// A window, table or variable that a statement declares for others: one of it, or one for each partition of the statement's context.
final class Declared<Store> {
  private unowned let statement: StatementRuntime
  private let store: (StatementInstance) -> Store?

  init(by statement: StatementRuntime, _ store: @escaping (StatementInstance) -> Store?) {
    self.statement = statement
    self.store = store
  }

  /// What was declared.
  var kind: StatementPlan.Kind { statement.plan.kind }

  /// - Parameter partition: that of who asks.
  func of(_ partition: Partition?) -> Store? { (statement.instance ?? partition?.instance(of: statement)).flatMap(store) }

  /// The only one, of a statement without context.
  var only: Store? { statement.instance.flatMap(store) }

  /// Those of all partitions, each with its partition.
  var all: [(store: Store, partition: Partition?)] {
    if let only { return [(only, nil)] }
    return (statement.partitions?.partitions ?? []).compactMap { partition in of(partition).map { ($0, partition) } }
  }
}

extension Declared<Variable> {
  var value: Value? { only?.value }
}

/// `create variable` at work.
final class VariableInstance: StatementInstance {
  let variable: Variable

  init(_ statement: StatementRuntime, _ partition: Partition?, _ plan: VariablePlan, _ initial: Evaluator?) throws(EvaluationError) {
    let frame = Frame(streams: 0, clock: statement.runtime.clock)
    frame.enter(partition)
    var value = try initial?(frame) ?? .null
    if initial != nil, plan.type.isNumeric { value = try castValue(value, to: plan.type) }
    variable = Variable(name: plan.name, type: plan.type, value: value)
    super.init(statement, partition)
  }

  override func exchange(_ archive: StateArchive) { archive.value(&variable.value) }
}
