internal import EventModel

final class CountState: AggregateState {
  let countsNulls: Bool
  let isEver: Bool
  var count: Int64 = 0
  init(countsNulls: Bool, isEver: Bool = false) {
    self.countsNulls = countsNulls
    self.isEver = isEver
  }
  override func enter(_ value: Value, _ rest: [Value], time: Int64) { if countsNulls || !value.isNull { count += 1 } }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    if !isEver, countsNulls || !value.isNull, count > 0 { count -= 1 }
  }
  override func clear() { if !isEver { count = 0 } }
  override func value(time: Int64) -> Value { .int(count) }
  override func exchange(_ archive: StateArchive) { archive.integer(&count) }
}

/// Null when nothing that is not null is in it.
final class SumState: AggregateState {
  let type: ValueType
  var count = 0
  var integer: Int64 = 0
  var number = 0.0
  init(type: ValueType) { self.type = type }
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    guard !value.isNull else { return }
    count += 1
    if type.isInteger { integer &+= value.integer ?? 0 } else { number += value.number ?? 0 }
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard !value.isNull else { return }
    count -= 1
    if count <= 0 { return clear() }
    if type.isInteger { integer &-= value.integer ?? 0 } else { number -= value.number ?? 0 }
  }
  override func clear() {
    count = 0
    integer = 0
    number = 0
  }
  override func exchange(_ archive: StateArchive) {
    archive.integer(&count)
    archive.integer(&integer)
    archive.number(&number)
  }
  override func value(time: Int64) -> Value {
    if count <= 0 { return .null }
    if type == .int { return .int(Int64(Int32(truncatingIfNeeded: integer))) }
    return type.isInteger ? .int(integer) : .double(number)
  }
}

final class AverageState: AggregateState {
  var count = 0
  var sum = 0.0
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    guard let number = value.number else { return }
    count += 1
    sum += number
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard let number = value.number else { return }
    count -= 1
    if count <= 0 { clear() } else { sum -= number }
  }
  override func clear() {
    count = 0
    sum = 0
  }
  override func exchange(_ archive: StateArchive) {
    archive.integer(&count)
    archive.number(&sum)
  }
  override func value(time: Int64) -> Value { count <= 0 ? .null : .double(sum / Double(count)) }
}

/// Mean and deviation without cancellation (Welford), so that leaving values do not erode them.
final class DeviationState: AggregateState {
  var count = 0
  var mean = 0.0
  var squares = 0.0
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    guard let number = value.number else { return }
    count += 1
    let delta = number - mean
    mean += delta / Double(count)
    squares += delta * (number - mean)
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard let number = value.number else { return }
    count -= 1
    if count <= 0 { return clear() }
    let delta = number - mean
    mean -= delta / Double(count)
    squares -= delta * (number - mean)
  }
  override func clear() { (count, mean, squares) = (0, 0, 0) }
  override func exchange(_ archive: StateArchive) {
    archive.integer(&count)
    archive.number(&mean)
    archive.number(&squares)
  }
  override func value(time: Int64) -> Value {
    count < 2 ? .null : .double(max(squares / Double(count - 1), 0).squareRoot())
  }
}

private func sumType(_ types: [ValueType]) -> ValueType? {
  guard let type = types.first, type.isNumeric else { return nil }
  switch type {
  case .byte, .short: return .int
  default: return type
  }
}

extension Builtins {
  static let numberAggregates: [AggregateFunction] = [
    AggregateFunction("count", arity: 0...1, help: "the number of events, or of values that are not null", resultType: { _ in .long }) {
      types, _ in
      CountState(countsNulls: types.isEmpty)
    },
    AggregateFunction("countever", arity: 0...1, help: "the number of events that ever came", resultType: { _ in .long }) { types, _ in
      CountState(countsNulls: types.isEmpty, isEver: true)
    },
    AggregateFunction("sum", arity: 1...1, help: "the sum, null of nothing; of ints an int", resultType: sumType) { types, _ in
      SumState(type: sumType(types) ?? .double)
    },
    AggregateFunction("avg", arity: 1...1, help: "the mean, as a double", resultType: { sumType($0).map { _ in .double } }) { _, _ in
      AverageState()
    },
    AggregateFunction("stddev", arity: 1...1, help: "the sample standard deviation", resultType: { sumType($0).map { _ in .double } }) {
      _, _ in
      DeviationState()
    },
  ]
}
