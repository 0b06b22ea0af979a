internal import EventModel

/// The values (or events) that are in, in order of arrival: first, last, window, nth.
final class ArrivalState: AggregateState {
  enum Result { case first, last, window, nth }
  let result: Result
  private var values: [Value] = []
  /// Which row each value is of; nil where nobody said.
  private var rows: [Event?] = []
  private var row: Event?
  private var head = 0
  private var index = 0
  init(_ result: Result) { self.result = result }

  override func take(row: Event?) { self.row = row }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    values.append(value)
    rows.append(row)
    row = nil
    if let number = rest.first?.integer { index = Int(number) }
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard let position = position(of: value) else { return }
    if position == head {
      rows[head] = nil
      head += 1
    } else {
      values.remove(at: position)
      rows.remove(at: position)
    }
    if head > 64, head * 2 > values.count { dropHead() }
  }

  private func position(of value: Value) -> Int? {
    defer { row = nil }
    if let row, let own = rows[head...].firstIndex(where: { $0 === row }), values[own] == value { return own }
    return values[head...].firstIndex(of: value)
  }

  private func dropHead() {
    values.removeFirst(head)
    rows.removeFirst(head)
    head = 0
  }

  override func clear() {
    values.removeAll()
    rows.removeAll()
    head = 0
  }
  override func exchange(_ archive: StateArchive) {
    dropHead()
    archive.entryValues(&values)
    // The window's own, which count there.
    if !archive.isMeasuring { archive.array(&rows, blank: nil) { archive.event(&$0) } }
    if archive.isRestoring, rows.count != values.count { rows = Array(repeating: nil, count: values.count) }
    archive.integer(&index)
  }
  override func value(time: Int64) -> Value {
    let count = values.count - head
    let index = self.index < 0 ? count : self.index
    switch result {
    case .first: return index < count ? values[head + index] : .null
    case .last, .nth: return index < count ? values[values.count - 1 - index] : .null
    case .window: return count == 0 ? .null : .array(Array(values[head...]))
    }
  }
}

final class EverState: AggregateState {
  let keepsFirst: Bool
  private var kept = Value.null
  private var isSet = false
  init(keepsFirst: Bool) { self.keepsFirst = keepsFirst }
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if !keepsFirst || !isSet { kept = value }
    isSet = true
  }
  override func value(time: Int64) -> Value { kept }
  override func exchange(_ archive: StateArchive) {
    archive.value(&kept)
    archive.flag(&isSet)
  }
}

final class LeavingState: AggregateState {
  private var hasLeft = false
  override func leave(_ value: Value, _ rest: [Value], time: Int64) { hasLeft = true }
  override func value(time: Int64) -> Value { .bool(hasLeft) }
  override func exchange(_ archive: StateArchive) { archive.flag(&hasLeft) }
}

/// Events by keys: maxby, minby, sorted. The keys are the rest of the arguments.
final class ByKeyState: AggregateState {
  enum Result { case first, all }
  let result: Result
  let isEver: Bool
  let descending: [Bool]
  private typealias Entry = (keys: [Value], value: Value)
  private var entries = OrderedPieces<Entry>()
  init(_ result: Result, descending: [Bool], isEver: Bool = false) {
    self.result = result
    self.descending = descending
    self.isEver = isEver
  }

  private func precedes(_ a: [Value], _ b: [Value]) -> Bool {
    for (index, pair) in zip(a, b).enumerated() {
      let order = Value.order(pair.0, pair.1) ?? (pair.0.isNull ? (pair.1.isNull ? 0 : -1) : 1)
      if order != 0 { return (order < 0) != (index < descending.count && descending[index]) }
    }
    return false
  }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if isEver, let best = entries.first {
      if precedes(rest, best.keys) { entries = OrderedPieces([(rest, value)]) }
      return
    }
    entries.insert((rest, value), at: entries.firstPlace { precedes(rest, $0.keys) })
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    if isEver { return }
    let own = entries.place(
      from: entries.firstPlace { !precedes($0.keys, rest) }, where: { $0.value == value && $0.keys == rest },
      while: { !precedes(rest, $0.keys) })
    // Numbers that have no order (NaN) may stand elsewhere.
    if let place = own ?? entries.place(from: entries.start, where: { $0.value == value }) { entries.remove(at: place) }
  }
  override func clear() { if !isEver { entries.removeAll() } }
  override func exchange(_ archive: StateArchive) {
    archive.note(entries: entries.count, of: 0)
    var all = entries.all
    archive.array(&all, blank: (keys: [], value: .null)) { entry in
      archive.values(&entry.keys)
      archive.value(&entry.value)
    }
    if archive.isRestoring { entries = OrderedPieces(all) }
  }
  override func value(time: Int64) -> Value {
    switch result {
    case .first: entries.first?.value ?? .null
    case .all: entries.count == 0 ? .null : .array(entries.all.map(\.value))
    }
  }
}

private func sameType(_ types: [ValueType]) -> ValueType? { types.first }
private func arrayType(_ types: [ValueType]) -> ValueType? { types.first.map { .array($0) } }

extension Builtins {
  static let eventAggregates: [AggregateFunction] = [
    AggregateFunction("first", arity: 1...2, help: "the first of the window", tellsRowsApart: true, resultType: sameType) { _, _ in
      ArrivalState(.first)
    },
    AggregateFunction("last", arity: 1...2, help: "the last of the window", tellsRowsApart: true, resultType: sameType) { _, _ in
      ArrivalState(.last)
    },
    AggregateFunction("nth", arity: 2...2, help: "the nth before the last", tellsRowsApart: true, resultType: sameType) { _, _ in
      ArrivalState(.nth)
    },
    AggregateFunction("window", arity: 1...1, help: "all of the window", needsWindow: true, tellsRowsApart: true, resultType: arrayType) {
      _, _ in
      ArrivalState(.window)
    },
    AggregateFunction("firstever", arity: 1...1, help: "the first that ever came", resultType: sameType) { _, _ in
      EverState(keepsFirst: true)
    },
    AggregateFunction("lastever", arity: 1...1, help: "the last that ever came", resultType: sameType) { _, _ in
      EverState(keepsFirst: false)
    },
    AggregateFunction("leaving", arity: 0...0, help: "whether anything has left", resultType: { _ in .boolean }) { _, _ in LeavingState() },
    AggregateFunction("maxby", arity: 1...1, help: "the event with the largest key", needsWindow: true, resultType: sameType) {
      _, descending in
      ByKeyState(.first, descending: descending.map { !$0 })
    },
    AggregateFunction("minby", arity: 1...1, help: "the event with the smallest key", needsWindow: true, resultType: sameType) {
      _, descending in
      ByKeyState(.first, descending: descending)
    },
    AggregateFunction("maxbyever", arity: 1...1, help: "the event that ever had the largest key", resultType: sameType) { _, descending in
      ByKeyState(.first, descending: descending.map { !$0 }, isEver: true)
    },
    AggregateFunction("minbyever", arity: 1...1, help: "the event that ever had the smallest key", resultType: sameType) { _, descending in
      ByKeyState(.first, descending: descending, isEver: true)
    },
    AggregateFunction("sorted", arity: 1...1, help: "the events in order of keys", needsWindow: true, resultType: arrayType) {
      _, descending in
      ByKeyState(.all, descending: descending)
    },
  ]
}
