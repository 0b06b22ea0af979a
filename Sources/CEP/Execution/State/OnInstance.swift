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

/// An on-action at work.
final class OnInstance: StatementInstance {
  private let code: OnCode
  private let frame: Frame
  private(set) var trigger: SourceRuntime?
  private let store: RowStore?
  private var processor: ResultProcessor?
  private var output: OutputStage?
  private var splits: [(processor: ResultProcessor, output: OutputStage)] = []
  var subqueries: [SubqueryInstance] { frame.subqueries }

  init(_ statement: StatementRuntime, _ partition: Partition?, _ code: OnCode) throws(EvaluationError) {
    self.code = code
    frame = Frame(streams: code.storeName == nil ? 1 : 2, clock: statement.runtime.clock)
    frame.enter(partition)
    store = code.storeName.flatMap { RowStore($0, statement.environment, partition) }
    super.init(statement, partition)
    for subquery in code.subqueries { frame.subqueries.append(try SubqueryInstance(subquery, frame, statement)) }
    switch code.action {
    case .select(let select, _):
      for subquery in select.subqueries { frame.subqueries.append(try SubqueryInstance(subquery, frame, statement)) }
      processor = ResultProcessor(select, frame, seed: statement.runtime.seed, forgets: true)
      output = OutputStage(select, frame, statement)
    case .split(let selects, _):
      for select in selects {
        let own = frame.sibling(streams: 1)
        splits.append((ResultProcessor(select, own, seed: statement.runtime.seed, forgets: true), OutputStage(select, own, statement)))
      }
    default: break
    }
    let receiver = ClosureReceiver { [unowned self] (new, _) throws(EvaluationError) in for event in new { try self.run(event) } }
    trigger = try SourceRuntime(code.trigger, statement, frame, receiver)
  }

  override func start() throws(EvaluationError) {
    for subquery in frame.subqueries { try subquery.start() }
    try trigger?.start()
  }
  override func stop() {
    for subquery in frame.subqueries { subquery.stop() }
    trigger?.stop()
  }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = try trigger?.shed(share) ?? 0
    for subquery in frame.subqueries { count += try subquery.shed(share) }
    return count
  }

  override func exchange(_ archive: StateArchive) {
    for subquery in frame.subqueries { subquery.exchange(archive) }
    trigger?.exchange(archive)
  }

  private func run(_ event: Event) throws(EvaluationError) {
    switch code.action {
    case .select(let select, let deletes): try runSelect(select, event, deletes: deletes)
    case .delete:
      let rows = try matching(event, code.filter)
      if rows.isEmpty { return }
      try store?.change(new: [], old: rows)
      statement.output(new: rows, old: [])
    case .update(let assignments): try runUpdate(assignments, event)
    case .merge(let branches): try runMerge(branches, event)
    case .set(let assignments, let variables, let type):
      frame.events[0] = event
      try assignments.setVariables(frame)
      statement.output(new: [Event.make(type, time: frame.clock.now, variables.map { $0.of(frame)?.value ?? .null })], old: [])
    case .split(_, let all):
      var isTaken = false
      for split in splits where all || !isTaken {
        split.processor.frame.events[0] = event
        if let filter = split.processor.code.filter, !(try filter(split.processor.frame).isTrue) { continue }
        try split.output.insert(try split.processor.process(new: [Tuple(event)], old: []))
        isTaken = true
      }
      // A listener is told of what no branch takes.
      if !isTaken { statement.output(new: [event], old: []) }
    }
  }

  /// The rows for which a condition holds together with the triggering event.
  private func matching(_ event: Event, _ filter: Evaluator?) throws(EvaluationError) -> [Event] {
    guard let rows = store?.rows(byKey: code.findsByKey) else { return [] }
    guard let filter else { return rows }
    var found: [Event] = []
    for row in rows {
      frame.events = [row, event]
      if try filter(frame).isTrue { found.append(row) }
    }
    return try ordered(found)
  }

  private func ordered(_ rows: [Event]) throws(EvaluationError) -> [Event] {
    guard let order = code.rowOrder, rows.count > 1 else { return rows }
    var keyed: [(key: Value, row: Event)] = []
    for row in rows {
      frame.events[0] = row
      keyed.append((try order(frame), row))
    }
    return keyed.enumerated().sorted { a, b in
      let order = Value.order(a.element.key, b.element.key) ?? 0
      return order != 0 ? order < 0 : a.offset < b.offset
    }.map(\.element.row)
  }

  private func runSelect(_ select: SelectCode, _ event: Event, deletes: Bool) throws(EvaluationError) {
    guard let processor, let output else { return }
    let rows = try matching(event, select.filter)
    try output.give(try processor.process(new: rows.map { Tuple(joined: [$0, event]) }, old: []))
    if deletes { try store?.change(new: [], old: rows, force: true) }
  }

  private func runUpdate(_ assignments: AssignmentCode, _ event: Event) throws(EvaluationError) {
    let rows = try matching(event, code.filter)
    if rows.isEmpty { return }
    var updated: [Event] = []
    for row in rows {
      frame.events = [row, event, row]
      updated.append(try assignments.updated(row, frame))
    }
    try store?.change(new: updated, old: rows)
    statement.output(new: updated, old: rows)
  }

  private func runMerge(_ branches: [OnCode.Branch], _ event: Event) throws(EvaluationError) {
    let rows = try matching(event, code.filter)
    var new: [Event] = []
    var old: [Event] = []
    if rows.isEmpty {
      frame.events = [nil, event]
      if let branch = try firstBranch(branches, isMatched: false) {
        for action in branch.actions { try apply(action, row: nil, event, &new, &old) }
      }
    }
    for row in rows {
      frame.events = [row, event]
      guard let branch = try firstBranch(branches, isMatched: true) else { continue }
      for action in branch.actions {
        frame.events = [row, event]
        try apply(action, row: row, event, &new, &old)
      }
    }
    if new.isEmpty, old.isEmpty { return }
    try store?.change(new: new, old: old)
    statement.output(new: new, old: old)
  }

  private func firstBranch(_ branches: [OnCode.Branch], isMatched: Bool) throws(EvaluationError) -> OnCode.Branch? {
    for branch in branches where branch.isMatched == isMatched { if try holds(branch.condition) { return branch } }
    return nil
  }

  private func holds(_ condition: Evaluator?) throws(EvaluationError) -> Bool {
    guard let condition else { return true }
    return try condition(frame).isTrue
  }

  private func apply(_ action: OnCode.BranchAction, row: Event?, _ event: Event, _ new: inout [Event], _ old: inout [Event])
    throws(EvaluationError)
  {
    guard try holds(action.condition) else { return }
    switch action.kind {
    case .delete:
      if let row { old.append(row) }
    case .update(let assignments):
      guard let row else { return }
      frame.events = [row, event, row]
      let updated = try assignments.updated(row, frame)
      new.append(updated)
      old.append(row)
    case .insert(let columns, let target, let mapping, let isOwn):
      let values = try evaluateAll(columns, frame)
      let layouts = statement.environment.layouts
      var slots = [Value](repeating: .null, count: layouts.width(of: target))
      for (column, property) in mapping.enumerated() {
        guard let property else { continue }
        let slot = layouts.slot(target, property)
        if slot >= 0 { slots[slot] = values[column] }
      }
      let inserted = Event.make(target, time: frame.clock.now, slots)
      if isOwn {
        new.append(inserted)
      } else {
        statement.runtime.insert(inserted, first: statement.environment.windows[target.name] != nil)
      }
    }
  }
}
