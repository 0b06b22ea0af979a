/// An engine that is simple enough to trust: what a statement gives is computed anew from whole lists of events at every change.
final class NaiveEngine {
  struct Update {
    let time: Int
    let statement: String
    let new: [[(String, NaiveValue)]]
    let old: [[(String, NaiveValue)]]
  }

  private let runs: [NaiveRun]
  private var number = 0
  private(set) var updates: [Update] = []
  private(set) var now = 0

  init(_ statements: [NaiveStatement]) { runs = statements.map { NaiveRun($0) } }

  /// Sets the clock, then delivers.
  func send(at time: Int, _ type: String, _ values: [String: NaiveValue]?) {
    now = time
    var inserted: [(String, [String: NaiveValue])] = []
    for run in runs { if let change = run.advance(to: time) { inserted += give(run, change) } }
    settle(inserted)
    if let values { settle(deliver(type, values)) }
  }

  private func settle(_ inserted: [(String, [String: NaiveValue])]) {
    var waiting = inserted
    while !waiting.isEmpty {
      let (type, values) = waiting.removeFirst()
      waiting += deliver(type, values)
    }
  }

  private func deliver(_ type: String, _ values: [String: NaiveValue]) -> [(String, [String: NaiveValue])] {
    number += 1
    let event = NaiveEvent(number: number, values: values)
    var inserted: [(String, [String: NaiveValue])] = []
    for run in runs where run.statement.source == type {
      if let change = run.accept(event, at: now) { inserted += give(run, change) }
    }
    return inserted
  }

  private func give(_ run: NaiveRun, _ change: NaiveRun.Change) -> [(String, [String: NaiveValue])] {
    guard let (new, old) = run.rows(change) else { return [] }
    let statement = run.statement
    if !new.isEmpty || (statement.givesOld && !old.isEmpty) {
      updates.append(Update(time: now, statement: statement.name, new: new, old: statement.givesOld ? old : []))
    }
    guard let target = statement.insertsInto else { return [] }
    return new.map { row in (target, Dictionary(row, uniquingKeysWith: { first, _ in first })) }
  }
}

/// One statement at work.
final class NaiveRun {
  struct Change {
    var new: [NaiveEvent]
    var old: [NaiveEvent]
  }
  typealias Row = [(String, NaiveValue)]

  let statement: NaiveStatement
  /// What the window holds, with the time of arrival; of a batch window what waits.
  private var held: [(event: NaiveEvent, time: Int)] = []
  private var lastBatch: [NaiveEvent] = []
  private var reference: Int?
  private var due: Int?
  /// What is in the aggregates: what has entered and not left.
  private var inside: [NaiveEvent] = []
  private var pending: [Change] = []
  private var gaveFirst = false

  init(_ statement: NaiveStatement) { self.statement = statement }

  // MARK: the window

  func advance(to time: Int) -> Change? {
    switch statement.window {
    case .time(let seconds):
      let leaving = held.prefix { $0.time + seconds * 1000 <= time }.map(\.event)
      held.removeFirst(leaving.count)
      return leaving.isEmpty ? nil : Change(new: [], old: leaving)
    case .timeBatch(let seconds):
      guard let end = due, end <= time else { return nil }
      let change = Change(new: held.map(\.event), old: lastBatch)
      held = []
      lastBatch = change.new
      due = change.new.isEmpty && change.old.isEmpty ? nil : next(after: time, seconds)
      return change.new.isEmpty && change.old.isEmpty ? nil : change
    default: return nil
    }
  }

  /// The next end of a batch: whole intervals from the first event.
  private func next(after time: Int, _ seconds: Int) -> Int {
    let start = reference ?? time
    reference = start
    return start + ((time - start) / (seconds * 1000) + 1) * seconds * 1000
  }

  func accept(_ event: NaiveEvent, at time: Int) -> Change? {
    if let filter = statement.filter, !filter.holds(event) { return nil }
    switch statement.window {
    case .none: return Change(new: [event], old: [])
    case .keepAll, .time:
      held.append((event, time))
      return Change(new: [event], old: [])
    case .lastEvent: return replace(0..<held.count, event, time)
    case .length(let size): return replace(0..<(held.count < size ? 0 : 1), event, time)
    case .firstLength(let size):
      if held.count >= size { return nil }
      held.append((event, time))
      return Change(new: [event], old: [])
    case .unique:
      guard let index = held.firstIndex(where: { $0.event["k"] == event["k"] }) else { return replace(0..<0, event, time) }
      return replace(index..<(index + 1), event, time)
    case .firstUnique:
      if held.contains(where: { $0.event["k"] == event["k"] }) { return nil }
      held.append((event, time))
      return Change(new: [event], old: [])
    case .lengthBatch(let size):
      held.append((event, time))
      if held.count < size { return nil }
      let change = Change(new: held.map(\.event), old: lastBatch)
      (held, lastBatch) = ([], change.new)
      return change
    case .timeBatch(let seconds):
      if held.isEmpty, due == nil { due = next(after: time, seconds) }
      held.append((event, time))
      return nil
    }
  }

  private func replace(_ range: Range<Int>, _ event: NaiveEvent, _ time: Int) -> Change {
    let old = held[range].map(\.event)
    held.removeSubrange(range)
    held.append((event, time))
    return Change(new: [event], old: old)
  }

  // MARK: rows

  /// Nil where a change gives no row now.
  func rows(_ change: Change) -> (new: [Row], old: [Row])? {
    var change = change
    if let condition = statement.condition {
      change = Change(new: change.new.filter(condition.holds), old: change.old.filter(condition.holds))
      if change.new.isEmpty, change.old.isEmpty { return nil }
    }
    let rated: (count: Int, kind: NaiveStatement.Rate)
    switch statement.rate {
    case .none: return arranged(result(change))
    case .every(let count), .last(let count), .first(let count): rated = (count, statement.rate)
    }
    pending.append(change)
    var given: (new: [Keyed], old: [Keyed])?
    if case .first = rated.kind {
      let rows = result(change)
      if !gaveFirst, !rows.new.isEmpty || !rows.old.isEmpty {
        given = rows
        gaveFirst = true
      }
    }
    let isFull = pending.reduce(0) { $0 + $1.new.count } >= rated.count || pending.reduce(0) { $0 + $1.old.count } >= rated.count
    if isFull {
      let all = pending
      pending = []
      gaveFirst = false
      switch rated.kind {
      case .every:
        let parts = all.map { result($0) }
        given = (parts.flatMap(\.new), parts.flatMap(\.old))
      case .last:
        let parts = all.map { result($0) }
        given = (parts.flatMap(\.new).suffix(1).map { $0 }, parts.flatMap(\.old).suffix(1).map { $0 })
      default: break
      }
    }
    return given.map { arranged($0) }
  }

  private typealias Keyed = (row: Row, key: NaiveValue)

  private func arranged(_ rows: (new: [Keyed], old: [Keyed])) -> (new: [Row], old: [Row]) { (arranged(rows.new), arranged(rows.old)) }

  private func arranged(_ rows: [Keyed]) -> [Row] {
    var sorted = rows
    if let order = statement.order {
      sorted = rows.enumerated().sorted { a, b in
        let (x, y) = order.descending ? (b.element.key, a.element.key) : (a.element.key, b.element.key)
        return NaiveValue.precedes(x, y) || (!NaiveValue.precedes(y, x) && a.offset < b.offset)
      }.map(\.element)
    }
    return sorted.prefix(statement.limit ?? .max).map(\.row)
  }

  /// The rows of a change; of what leaves only where the statement asks for them.
  private func result(_ change: Change) -> (new: [Keyed], old: [Keyed]) {
    let rows = allRows(change)
    return (rows.new, statement.givesOld ? rows.old : [])
  }

  private func allRows(_ change: Change) -> (new: [Keyed], old: [Keyed]) {
    let before = inside
    if statement.hasAggregates {
      inside += change.new
      for event in change.old { if let index = inside.firstIndex(where: { $0.number == event.number }) { inside.remove(at: index) } }
    }
    if !statement.hasAggregates { return (change.new.compactMap { row($0, []) }, change.old.compactMap { row($0, []) }) }
    if statement.isPerEvent {
      return (change.new.compactMap { row($0, group(of: $0, inside)) }, change.old.compactMap { row($0, group(of: $0, inside)) })
    }
    if statement.keys.isEmpty { return ([row(nil, inside)].compactMap { $0 }, [row(nil, before)].compactMap { $0 }) }
    var touched: [NaiveEvent] = []
    for event in change.new + change.old where !touched.contains(where: { key($0) == key(event) }) { touched.append(event) }
    return (touched.compactMap { row($0, group(of: $0, inside)) }, touched.compactMap { row($0, group(of: $0, before)) })
  }

  private func key(_ event: NaiveEvent) -> [NaiveValue] { statement.keys.map { event[$0] } }
  private func group(of event: NaiveEvent, _ events: [NaiveEvent]) -> [NaiveEvent] { events.filter { key($0) == key(event) } }

  private func row(_ event: NaiveEvent?, _ events: [NaiveEvent]) -> Keyed? {
    if let (aggregate, condition) = statement.having, !condition.holds(aggregate.value(events)) { return nil }
    let row: Row = statement.columns.map { column in
      switch column.column {
      case .property(let name): (column.name, event?[name] ?? .null)
      case .aggregate(let aggregate): (column.name, aggregate.value(events))
      }
    }
    return (row, statement.order.map { row[$0.column].1 } ?? .null)
  }
}
