/// A value of the naive engine: null, a whole number, a fraction, a text.
enum NaiveValue: Hashable {
  case null, int(Int), real(Double), text(String)

  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .real(let value): value
    default: nil
    }
  }

  /// Nulls are smallest.
  static func precedes(_ a: NaiveValue, _ b: NaiveValue) -> Bool {
    switch (a, b) {
    case (.null, .null): false
    case (.null, _): true
    case (_, .null): false
    case (.text(let x), .text(let y)): x < y
    default: (a.number ?? 0) < (b.number ?? 0)
    }
  }
}

/// An event: a number of its own, and its properties by name.
struct NaiveEvent {
  let number: Int
  let values: [String: NaiveValue]
  subscript(name: String) -> NaiveValue { values[name] ?? .null }
}

/// `property op number`, or `property op 'text'`; false where the property is null.
struct NaiveCondition {
  let property: String
  let op: String
  let value: NaiveValue

  var text: String {
    if case .text(let text) = value { return "\(property) \(op) '\(text)'" }
    return "\(property) \(op) \(value.number.map { Int($0) } ?? 0)"
  }

  func holds(_ event: NaiveEvent) -> Bool { holds(event[property]) }

  func holds(_ given: NaiveValue) -> Bool {
    if given == .null { return false }
    switch op {
    case "=": return given == value
    case "!=": return given != value
    case "<": return NaiveValue.precedes(given, value)
    case ">": return NaiveValue.precedes(value, given)
    default: return false
    }
  }
}

enum NaiveWindow {
  case none, keepAll, lastEvent, length(Int), lengthBatch(Int), time(Int), timeBatch(Int), unique, firstUnique, firstLength(Int)

  var text: String {
    switch self {
    case .none: ""
    case .keepAll: ".win:keepall()"
    case .lastEvent: ".std:lastevent()"
    case .length(let size): ".win:length(\(size))"
    case .lengthBatch(let size): ".win:length_batch(\(size))"
    case .time(let seconds): ".win:time(\(seconds) sec)"
    case .timeBatch(let seconds): ".win:time_batch(\(seconds) sec)"
    case .unique: ".std:unique(k)"
    case .firstUnique: ".std:firstunique(k)"
    case .firstLength(let size): ".win:firstlength(\(size))"
    }
  }
}

/// An aggregate of the statement, by its text; over a list of events.
struct NaiveAggregate {
  let function: String
  let property: String?
  let isDistinct: Bool
  let filter: NaiveCondition?

  var text: String {
    let argument = (isDistinct ? "distinct " : "") + (property ?? "*") + (filter.map { ", " + $0.text } ?? "")
    return "\(function)(\(argument))"
  }

  func value(_ events: [NaiveEvent]) -> NaiveValue {
    let events = events.filter { filter?.holds($0) ?? true }
    guard let property else { return .int(events.count) }
    if function == "first" { return events.first?[property] ?? .null }
    if function == "last" { return events.last?[property] ?? .null }
    var values = events.map { $0[property] }.filter { $0 != .null }
    if isDistinct { values = Array(Set(values)) }
    if function == "count" { return .int(values.count) }
    if values.isEmpty { return .null }
    switch function {
    case "min": return values.min(by: NaiveValue.precedes) ?? .null
    case "max": return values.max(by: NaiveValue.precedes) ?? .null
    case "avg": return .real(values.reduce(0) { $0 + ($1.number ?? 0) } / Double(values.count))
    default:
      let sum = values.reduce(0) { $0 + ($1.number ?? 0) }
      return property == "d" ? .real(sum) : .int(Int(sum))
    }
  }
}

/// A column: a property or an aggregate.
enum NaiveColumn {
  case property(String)
  case aggregate(NaiveAggregate)
}

/// `[insert into S] select … from E(…).window where … group by … having … output … order by … limit …`.
struct NaiveStatement {
  enum Rate { case none, every(Int), last(Int), first(Int) }
  var name: String
  var source: String
  var insertsInto: String?
  var givesOld: Bool
  var columns: [(name: String, column: NaiveColumn)]
  var filter: NaiveCondition?
  var window: NaiveWindow
  var condition: NaiveCondition?
  var keys: [String]
  /// The condition's property is not looked at: the aggregate is.
  var having: (aggregate: NaiveAggregate, condition: NaiveCondition)?
  var rate: Rate
  /// A column's name.
  var order: (column: Int, descending: Bool)?
  var limit: Int?

  var hasAggregates: Bool {
    having != nil || columns.contains { if case .aggregate = $0.column { true } else { false } }
  }
  /// A row per event rather than per group or for all.
  var isPerEvent: Bool {
    columns.contains { if case .property(let name) = $0.column { !keys.contains(name) } else { false } }
  }

  var text: String {
    let selected = columns.map { column -> String in
      switch column.column {
      case .property(let name): "\(name) as \(column.name)"
      case .aggregate(let aggregate): "\(aggregate.text) as \(column.name)"
      }
    }
    var text = "@Name('\(name)') " + (insertsInto.map { "insert into \($0) " } ?? "") + "select " + (givesOld ? "irstream " : "")
    text += selected.joined(separator: ", ") + " from \(source)" + (filter.map { "(\($0.text))" } ?? "") + window.text
    if let condition { text += " where \(condition.text)" }
    if !keys.isEmpty { text += " group by " + keys.joined(separator: ", ") }
    if let having { text += " having \(having.aggregate.text) \(having.condition.op) \(Int(having.condition.value.number ?? 0))" }
    switch rate {
    case .none: break
    case .every(let count): text += " output every \(count) events"
    case .last(let count): text += " output last every \(count) events"
    case .first(let count): text += " output first every \(count) events"
    }
    if let order { text += " order by \(columns[order.column].name)" + (order.descending ? " desc" : "") }
    if let limit { text += " limit \(limit)" }
    return text
  }
}
