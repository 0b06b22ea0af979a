internal import Builtins
internal import EventModel
internal import Plan

/// A table: rows by primary key.
final class Table {
  let plan: TablePlan
  private var events = KeyedEvents()
  private let keyColumns: [Int]

  init(_ plan: TablePlan) {
    self.plan = plan
    keyColumns = plan.columns.indices.filter { plan.columns[$0].isKey }
  }

  var rows: [Event] { events.all }
  func row(_ key: [Value]) -> Event? { events[key] }
  func key(of row: Event) -> [Value] { keyColumns.map { row[$0] } }
  func insert(_ row: Event) { _ = events.set(key(of: row), row) }
  func remove(_ row: Event) { events.remove(key(of: row)) }
}
