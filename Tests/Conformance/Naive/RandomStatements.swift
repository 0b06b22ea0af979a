/// Random modules of what the naive engine knows, and random events. The same seed gives the same.
struct RandomStatements {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

  private mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
  }
  private mutating func chance(_ percent: Int) -> Bool { next(100) < percent }
  private mutating func pick<T>(_ values: [T]) -> T { values[next(values.count)] }

  // MARK: events

  mutating func events() -> [(time: Int, values: [String: NaiveValue]?)] {
    var time = 0
    return (0..<(10 + next(30))).map { _ in
      time += pick([0, 0, 1, 300, 1000, 1000, 2500, 5000, 17_000])
      if chance(8) { return (time, nil) }
      return (
        time,
        [
          "k": chance(8) ? .null : .text(pick(["a", "b", "c"])), "v": chance(8) ? .null : .int(next(12) - 3),
          "d": .real(Double(next(20)) / 4),
        ]
      )
    }
  }

  // MARK: statements

  mutating func module() -> [NaiveStatement] {
    var first = statement("s1", "E", ["k", "v", "d"])
    guard chance(35), !first.givesOld else { return [first] }
    // The second reads what the first gives, under the names of E's properties.
    first.insertsInto = "S"
    first.order = nil
    first.limit = nil
    first.columns = [("k", .property("k")), ("v", first.hasAggregates ? .aggregate(aggregate(["v"], counts: true)) : .property("v"))]
    if case .property = first.columns[1].column { first.having = nil }
    if first.hasAggregates { first.keys = ["k"] } else { first.keys = [] }
    if first.hasAggregates { first.rate = .none }
    return [first, statement("s2", "S", ["k", "v"])]
  }

  private mutating func statement(_ name: String, _ source: String, _ properties: [String]) -> NaiveStatement {
    let window: NaiveWindow = pick([
      .none, .keepAll, .lastEvent, .length(1 + next(4)), .lengthBatch(1 + next(4)), .time(1 + next(10)), .timeBatch(1 + next(10)), .time(5),
      .timeBatch(5), .unique, .firstUnique, .firstLength(1 + next(4)),
    ])
    var statement = NaiveStatement(
      name: name, source: source, insertsInto: nil, givesOld: chance(40), columns: [], filter: chance(30) ? condition(properties) : nil,
      window: window, condition: chance(30) ? condition(properties) : nil, keys: [], having: nil, rate: .none, order: nil, limit: nil)
    let isAggregated = chance(65)
    if isAggregated, chance(65) { statement.keys = chance(25) ? ["k", "v"] : ["k"] }
    var columns: [NaiveColumn] = statement.keys.filter { _ in next(4) > 0 }.map { .property($0) }
    if chance(isAggregated ? 30 : 100) { columns.append(.property(pick(properties))) }
    let isWindowed = if case .none = window { false } else { true }
    if isAggregated { for _ in 0...next(3) { columns.append(.aggregate(aggregate(properties, isWindowed: isWindowed))) } }
    statement.columns = columns.enumerated().map { ("c\($0.offset)", $0.element) }
    if isAggregated, chance(30) {
      statement.having = (aggregate(["v"], counts: true), NaiveCondition(property: "", op: pick(["<", ">", "="]), value: .int(next(6))))
    }
    if !isAggregated, chance(25) { statement.rate = pick([.every(1 + next(4)), .last(1 + next(4)), .first(1 + next(4))]) }
    if chance(30) {
      statement.order = (next(columns.count), chance(50))
      if chance(40) { statement.limit = 1 + next(3) }
    }
    return statement
  }

  private mutating func condition(_ properties: [String]) -> NaiveCondition {
    switch pick(properties.filter { $0 != "d" }) {
    case "k": NaiveCondition(property: "k", op: pick(["=", "!="]), value: .text(pick(["a", "b"])))
    default: NaiveCondition(property: "v", op: pick(["<", ">", "=", "!="]), value: .int(next(8)))
    }
  }

  /// - Parameter counts: only what is a whole number and never a text.
  private mutating func aggregate(_ properties: [String], counts: Bool = false, isWindowed: Bool = false) -> NaiveAggregate {
    let numbers = properties.filter { $0 != "k" }
    let filter = chance(15) ? condition(["v"]) : nil
    switch next(counts ? 3 : isWindowed ? 8 : 6) {
    case 0: return NaiveAggregate(function: "count", property: nil, isDistinct: false, filter: filter)
    case 1: return NaiveAggregate(function: "sum", property: counts ? "v" : pick(numbers), isDistinct: !counts && chance(20), filter: nil)
    case 2: return NaiveAggregate(function: pick(["min", "max"]), property: "v", isDistinct: false, filter: nil)
    case 3: return NaiveAggregate(function: "avg", property: pick(numbers), isDistinct: false, filter: nil)
    case 4: return NaiveAggregate(function: "count", property: pick(properties), isDistinct: chance(50), filter: nil)
    case 5: return NaiveAggregate(function: "sum", property: "v", isDistinct: false, filter: filter)
    default: return NaiveAggregate(function: pick(["first", "last"]), property: pick(properties), isDistinct: false, filter: nil)
    }
  }
}
