internal import Builtins
internal import EventModel
internal import Plan

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
    guard let store else { return [] }
    guard let filter else { return store.rows(byKey: code.findsByKey) }
    let rows: [Event]
    if let lookup = code.lookup {
      frame.events[1] = event
      rows = try store.rows(lookup, try evaluateAll(lookup.ofTrigger, frame))
    } else {
      rows = store.rows(byKey: code.findsByKey)
    }
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
