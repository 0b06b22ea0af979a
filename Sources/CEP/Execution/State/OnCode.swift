internal import Builtins
internal import EventModel
internal import Plan

/// A named window or a table, as on-actions see it.
enum RowStore {
  case window(NamedWindow)
  case table(Table)

  /// All that are declared under the name, each with its partition: one, where it is not one for each of several.
  static func all(_ name: String, _ environment: Environment) -> [(store: RowStore, partition: Partition?)] {
    if let windows = environment.windows[name] { return windows.all.map { (RowStore.window($0.store), $0.partition) } }
    return environment.tables[name]?.all.map { (RowStore.table($0.store), $0.partition) } ?? []
  }

  init?(_ name: String, _ environment: Environment, _ partition: Partition?) {
    if let window = environment.windows[name]?.of(partition) {
      self = .window(window)
    } else if let table = environment.tables[name]?.of(partition) {
      self = .table(table)
    } else {
      return nil
    }
  }

  var type: EventType {
    switch self {
    case .window(let window): window.plan.type
    case .table(let table): table.plan.type
    }
  }
  /// The rows that may have a key, in the order in which `rows(byKey: true)` has them.
  func rows(_ lookup: RowLookup, _ key: [Value]) throws(EvaluationError) -> [Event] {
    switch self {
    case .window(let window): try window.rows(lookup, key)
    case .table(let table): table.rows(lookup.columns, key) ?? table.rows
    }
  }
  /// - Parameter byKey: whether the rows are looked up by an equality or comparison with the trigger.
  func rows(byKey: Bool) -> [Event] {
    switch self {
    case .window(let window): byKey ? window.indexed : window.contents
    case .table(let table): table.rows
    }
  }
  /// - Parameter force: readers are told even if nothing changes.
  func change(new: [Event], old: [Event], force: Bool = false) throws(EvaluationError) {
    switch self {
    case .window(let window): try window.change(new: new, old: old, force: force)
    case .table(let table):
      for row in old { table.remove(row) }
      for row in new { table.put(row) }
    }
  }
}

/// Equalities between a row (stream 0) and another stream, by which rows are looked up.
struct RowLookup {
  let rowKeys: [Expression]
  let ofRow: [Evaluator]
  let ofTrigger: [Evaluator]
  /// Where all keys are columns of the row, which; else none.
  let columns: [Int]

  init(rowKeys: [Expression], ofRow: [Evaluator], ofTrigger: [Evaluator]) {
    (self.rowKeys, self.ofRow, self.ofTrigger) = (rowKeys, ofRow, ofTrigger)
    columns = rowKeys.columns(of: 0) ?? []
  }

  /// Nil where the condition has no such equality.
  init?(_ condition: Expression?, _ compiler: ExpressionCompiler) throws(DeploymentError) {
    let equalities = JoinEquality.all(in: condition).filter { [$0.left.stream, $0.right.stream].contains(0) }
    if equalities.isEmpty { return nil }
    let rowKeys = equalities.map { $0.side(of: 0) }
    self.init(
      rowKeys: rowKeys, ofRow: try compiler.compile(rowKeys),
      ofTrigger: try compiler.compile(equalities.map { $0.side(opposite: 0) }))
  }
}

/// An on-action, compiled.
final class OnCode {
  struct BranchAction {
    enum Kind {
      case delete
      case update(AssignmentCode)
      case insert([Evaluator], EventType, [Int?], isOwn: Bool)
    }
    let kind: Kind
    let condition: Evaluator?
  }
  struct Branch {
    let isMatched: Bool
    let condition: Evaluator?
    let actions: [BranchAction]
  }
  enum Action {
    case select(SelectCode, deletes: Bool)
    case delete
    case update(AssignmentCode)
    case merge([Branch])
    case set(AssignmentCode, [VariableAccess], EventType)
    case split([SelectCode], all: Bool)
  }
  let trigger: SourceCode
  /// The named window or table that it acts on.
  let storeName: String?
  let filter: Evaluator?
  let action: Action
  let subqueries: [SubqueryCode]
  /// Whether the condition compares a row's property with the trigger.
  let findsByKey: Bool
  let lookup: RowLookup?
  /// In compat mode: the row's side of the condition's only ordering against the trigger. The original finds rows in its order.
  let rowOrder: Evaluator?

  init(_ plan: OnPlan, _ statement: StatementRuntime, context: EventType?) throws(DeploymentError) {
    let environment = statement.environment
    trigger = try SourceCode(plan.trigger, context: context, environment: environment)
    var filter: Expression?
    switch plan.action {
    case .select(let select, let window, _): (storeName, filter) = (window, select.filter)
    case .delete(let window, let condition), .update(let window, _, let condition), .merge(let window, let condition, _):
      (storeName, filter) = (window, condition)
    case .set, .split: storeName = nil
    }
    let streams = (try storeName.map { name throws(DeploymentError) in [try environment.rowType(of: name)] } ?? []) + [plan.trigger.type]
    let compiler = environment.compiler(streams, context: context)
    self.filter = try compiler.compile(filter)
    findsByKey = OnCode.comparesRowWithTrigger(filter)
    lookup = storeName == nil ? nil : try RowLookup(filter, compiler)
    let orders = environment.runtime.isCompat ? (filter?.conjuncts ?? []).compactMap(OnCode.rowOrder) : []
    rowOrder = orders.count == 1 ? try compiler.compile(orders[0]) : nil
    var subqueries: [SubqueryCode] = []
    var selectSubqueries: [SubqueryPlan] = []
    if case .select = plan.action {
      selectSubqueries = statement.plan.subqueries
    } else {
      for subquery in statement.plan.subqueries {
        subqueries.append(try SubqueryCode(subquery, outer: streams, context: context, environment: environment))
      }
    }
    self.subqueries = subqueries
    switch plan.action {
    case .select(let select, _, let deletes):
      action = .select(
        try SelectCode(select, subqueries: selectSubqueries, context: context, environment: environment), deletes: deletes)
    case .delete: action = .delete
    case .update(_, let assignments, _):
      action = .update(try AssignmentCode(assignments, environment.compiler(streams + [streams[0]], context: context)))
    case .merge(_, _, let branches):
      var compiled: [Branch] = []
      for branch in branches { compiled.append(try OnCode.branch(branch, streams, context, environment)) }
      action = .merge(compiled)
    case .set(let assignments):
      var properties: [EventType.Property] = []
      var variables: [VariableAccess] = []
      for assignment in assignments {
        guard let name = assignment.target.variable, !properties.contains(where: { $0.name == name }) else { continue }
        let variable = try compiler.variable(name)
        variables.append(variable)
        properties.append(.init(name, variable.type))
      }
      let type = EventType(name: statement.plan.name, kind: .derived, properties: properties)
      action = .set(try AssignmentCode(assignments, compiler), variables, type)
    case .split(let selects, let all):
      var codes: [SelectCode] = []
      for select in selects { codes.append(try SelectCode(select, subqueries: [], context: context, environment: environment)) }
      action = .split(codes, all: all)
    }
  }

  private static func comparesRowWithTrigger(_ condition: Expression?) -> Bool {
    switch condition?.node {
    case .and(let parts): return parts.contains { comparesRowWithTrigger($0) }
    case .compare(let op, let a, let b): return op != .notEqual && Set([a.onlyStream, b.onlyStream]) == [0, 1]
    default: return false
    }
  }

  private static func rowOrder(_ condition: Expression) -> Expression? {
    guard case .compare(let op, let a, let b) = condition.node, op != .equal, op != .notEqual else { return nil }
    if case .column(0, _) = a.node, b.onlyStream == 1 { return a }
    if case .column(0, _) = b.node, a.onlyStream == 1 { return b }
    return nil
  }

  private static func branch(_ plan: MergeBranch, _ streams: [EventType], _ context: EventType?, _ environment: Environment)
    throws(DeploymentError) -> Branch
  {
    let compiler = environment.compiler(streams, context: context)
    let updating = environment.compiler(streams + [streams[0]], context: context)
    var actions: [BranchAction] = []
    for action in plan.actions {
      switch action {
      case .delete(let condition): actions.append(BranchAction(kind: .delete, condition: try compiler.compile(condition)))
      case .update(let assignments, let condition):
        actions.append(BranchAction(kind: .update(try AssignmentCode(assignments, updating)), condition: try compiler.compile(condition)))
      case .insert(let columns, let insert, let condition):
        environment.noteInsertion(into: insert.target, context: context)
        actions.append(
          BranchAction(
            kind: .insert(
              try compiler.compile(columns.map(\.expression)), insert.target, insert.mapping, isOwn: insert.target === streams[0]),
            condition: try compiler.compile(condition)))
      }
    }
    return Branch(isMatched: plan.isMatched, condition: try compiler.compile(plan.condition), actions: actions)
  }
}
