internal import EventModel

/// The values in order, with equal ones side by side: min, max, median, avedev.
final class SortedState: AggregateState {
  enum Result { case min, max, median, averageDeviation }
  let result: Result
  private let order: (Value, Value) -> Int?
  private var values = OrderedPieces<Value>()
  init(_ result: Result, _ types: [ValueType] = []) {
    self.result = result
    order = orderOf(types)
  }

  private func place(of value: Value) -> OrderedPieces<Value>.Place { values.firstPlace { (order($0, value) ?? 0) >= 0 } }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if !value.isNull { values.insert(value, at: place(of: value)) }
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    if !value.isNull, let place = values.place(from: place(of: value), where: { _ in true }) { values.remove(at: place) }
  }
  override func clear() { values.removeAll() }
  override func exchange(_ archive: StateArchive) {
    var all = values.all
    archive.entryValues(&all)
    if archive.isRestoring { values = OrderedPieces(all) }
  }

  override func value(time: Int64) -> Value {
    guard let first = values.first, let last = values.last else { return .null }
    switch result {
    case .min: return first
    case .max: return last
    case .median:
      let middle = values.count / 2
      guard let upper = values[middle]?.number else { return .null }
      return .double(values.count % 2 == 1 ? upper : (upper + (values[middle - 1]?.number ?? 0)) / 2)
    case .averageDeviation:
      let numbers = values.all.compactMap(\.number)
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      return .double(numbers.reduce(0) { $0 + abs($1 - mean) } / Double(numbers.count))
    }
  }
}

final class ExtremeEverState: AggregateState {
  let sign: Int
  private let order: (Value, Value) -> Int?
  var best = Value.null
  init(sign: Int, _ types: [ValueType]) {
    self.sign = sign
    order = orderOf(types)
  }
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if !value.isNull, best.isNull || (order(value, best) ?? 0) * sign > 0 { best = value }
  }
  override func value(time: Int64) -> Value { best }
  override func exchange(_ archive: StateArchive) { archive.value(&best) }
}

/// Addresses have an order of their own.
private func orderOf(_ types: [ValueType]) -> (Value, Value) -> Int? {
  if types.first == .address { return { Value.orderAddresses($0, $1) } }
  return { Value.order($0, $1) }
}

private func numberType(_ types: [ValueType]) -> ValueType? { types.first.flatMap { $0.isNumeric ? .double : nil } }
private func sameType(_ types: [ValueType]) -> ValueType? { types.first }

extension Builtins {
  static let orderAggregates: [AggregateFunction] = [
    AggregateFunction("min", arity: 1...1, help: "the smallest value", resultType: sameType) { types, _ in SortedState(.min, types) },
    AggregateFunction("max", arity: 1...1, help: "the largest value", resultType: sameType) { types, _ in SortedState(.max, types) },
    AggregateFunction("fmin", arity: 1...1, help: "min, with a filter", resultType: sameType) { types, _ in SortedState(.min, types) },
    AggregateFunction("fmax", arity: 1...1, help: "max, with a filter", resultType: sameType) { types, _ in SortedState(.max, types) },
    AggregateFunction("median", arity: 1...1, help: "the middle value", resultType: numberType) { _, _ in SortedState(.median) },
    AggregateFunction("avedev", arity: 1...1, help: "the mean distance from the mean", resultType: numberType) { _, _ in
      SortedState(.averageDeviation)
    },
    AggregateFunction("minever", arity: 1...1, help: "the smallest value that ever came", resultType: sameType) { types, _ in
      ExtremeEverState(sign: -1, types)
    },
    AggregateFunction("fminever", arity: 1...1, help: "minever, with a filter", resultType: sameType) { types, _ in
      ExtremeEverState(sign: -1, types)
    },
    AggregateFunction("fmaxever", arity: 1...1, help: "maxever, with a filter", resultType: sameType) { types, _ in
      ExtremeEverState(sign: 1, types)
    },
    AggregateFunction("maxever", arity: 1...1, help: "the largest value that ever came", resultType: sameType) { types, _ in
      ExtremeEverState(sign: 1, types)
    },
  ]
}
