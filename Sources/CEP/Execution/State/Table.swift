internal import Builtins
internal import EventModel
internal import Plan

/// A table: rows by primary key.
final class Table: StatementInstance {
  let plan: TablePlan
  private var events = KeyedEvents()
  private let keyColumns: [Int]

  init(_ statement: StatementRuntime, _ partition: Partition?, _ plan: TablePlan) {
    self.plan = plan
    keyColumns = plan.columns.indices.filter { plan.columns[$0].isKey }
    super.init(statement, partition)
  }

  override func exchange(_ archive: StateArchive) { events.exchange(archive) }
  override func currentRows() throws(EvaluationError) -> [Event] { rows }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    let rows = self.rows.prefix(StatementShare.of(self.rows.count, share))
    for row in rows { remove(row) }
    return rows.count
  }

  var rows: [Event] { events.all }
  func row(_ key: [Value]) -> Event? { events[key] }

  func isPrimaryKey(_ columns: [Int]) -> Bool {
    !keyColumns.isEmpty && columns.count == keyColumns.count && keyColumns.allSatisfy(columns.contains)
  }

  /// The rows that have a key; nil where the columns are not those of the primary key.
  func rows(_ columns: [Int], _ key: [Value]) -> [Event]? {
    guard isPrimaryKey(columns) else { return nil }
    return row(keyColumns.compactMap { column in columns.firstIndex(of: column).map { key[$0] } }).map { [$0] } ?? []
  }
  func key(of row: Event) -> [Value] { keyColumns.map { row[$0] } }
  func put(_ row: Event) { _ = events.set(key(of: row), row) }

  /// A row whose key is new.
  func insert(_ row: Event) throws(EvaluationError) {
    let key = key(of: row)
    if events[key] != nil {
      throw EvaluationError("the table \(plan.name) has a row of the key \(key.map { $0.text ?? "null" }.joined(separator: ", ")) already")
    }
    _ = events.set(key, row)
  }

  /// Sets the columns that a statement `into table` gives, by name, in the row of a key.
  func set(_ key: [Value], _ given: Event) {
    let before = events[key]
    let type = plan.type
    let row = Event.make(type, time: given.time, count: type.properties.count) { index in
      if let position = keyColumns.firstIndex(of: index), position < key.count { return key[position] }
      if let column = given.type.index(of: type.properties[index].name) { return given[column] }
      return before?[index] ?? .null
    }
    _ = events.set(key, row)
  }

  func remove(_ row: Event) { events.remove(key(of: row)) }
}
