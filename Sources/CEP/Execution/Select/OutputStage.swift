internal import Builtins
internal import EventModel
internal import Plan

/// The last steps of a change's rows: order, limit, distinct; then to the listener and into other streams.
final class OutputStage {
  private let code: SelectCode
  private let frame: Frame
  private unowned let statement: StatementRuntime

  init(_ code: SelectCode, _ frame: Frame, _ statement: StatementRuntime) {
    self.code = code
    self.frame = frame
    self.statement = statement
  }

  /// - Parameter force: the listener is told even if there is no row.
  func give(_ rows: Rows, force: Bool = false) throws(EvaluationError) {
    let new = try arrange(rows.new)
    let old = try arrange(rows.old)
    if new.isEmpty, old.isEmpty, !force { return }
    try route(new: new, old: old)
    statement.wasTouched = true
    switch code.plan.selection {
    case .insert: if !new.isEmpty || force { statement.output(new: new, old: []) }
    case .remove: if !old.isEmpty || force { statement.output(new: old, old: []) }
    case .both: statement.output(new: new, old: old)
    }
  }

  /// Rows for another stream alone.
  func insert(_ rows: Rows) throws(EvaluationError) { try route(new: try arrange(rows.new), old: []) }

  private func route(new: [Event], old: [Event]) throws(EvaluationError) {
    guard let insertion = code.insertion else { return }
    if insertion.givesNew { try insert(new, insertion) }
    if insertion.givesOld { try insert(old, insertion) }
  }

  /// Whether the statement's selection of streams leaves any of the rows.
  func hasSelected(_ rows: Rows) -> Bool {
    switch code.plan.selection {
    case .insert: !rows.new.isEmpty
    case .remove: !rows.old.isEmpty
    case .both: !rows.isEmpty
    }
  }

  private func insert(_ rows: [Event], _ insertion: Insertion) throws(EvaluationError) {
    let runtime = statement.runtime
    for row in rows {
      let event = insertion.event(row, time: frame.clock.now)
      if let table = insertion.table {
        try table.of(frame.partition)?.insert(event)
      } else {
        runtime.insert(event, first: insertion.window != nil)
      }
    }
  }

  func arrange(_ rows: [Row]) throws(EvaluationError) -> [Event] {
    var rows = rows
    if let ordering = code.ordering, rows.count > 1 {
      rows = rows.enumerated().sorted { a, b in
        let order = ordering.compare(a.element.keys, b.element.keys)
        return order != 0 ? order < 0 : a.offset < b.offset
      }.map(\.element)
    }
    var events = rows.map(\.event)
    if code.plan.limit != nil {
      let skip = try code.offset.map { e throws(EvaluationError) in try e(frame) }?.integer ?? 0
      events = Array(events.dropFirst(Int(max(skip, 0))))
      if let count = try code.limit.map({ e throws(EvaluationError) in try e(frame) })?.integer, count >= 0, count < events.count {
        events = Array(events.prefix(Int(count)))
      }
    }
    // Of the rows that LIMIT has left, as in the original.
    guard code.plan.distinct else { return events }
    var seen = Set<[Value]>()
    return events.filter { seen.insert($0.values).inserted }
  }
}
