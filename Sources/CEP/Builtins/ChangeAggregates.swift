internal import EventModel

/// Shannon entropy of the values, in bits: 0 where all are the same, log2(n) where n are all different.
final class EntropyState: AggregateState {
  private var counts: [Value: Int] = [:]
  private var total = 0
  /// Σ c·log2(c) over the values' counts c.
  private var weighted = 0.0

  override func enter(_ value: Value, _ rest: [Value], time: Int64) { change(value, by: 1) }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) { change(value, by: -1) }
  override func clear() {
    counts = [:]
    (total, weighted) = (0, 0)
  }

  override func exchange(_ archive: StateArchive) {
    archive.table(&counts, blank: 0) { archive.integer(&$0) }
    archive.integer(&total)
    archive.number(&weighted)
  }

  override func merge(_ other: AggregateState) -> Bool {
    guard let other = other as? EntropyState else { return false }
    for (value, count) in other.counts { change(value, by: count) }
    return true
  }

  private func change(_ value: Value, by step: Int) {
    guard !value.isNull else { return }
    let before = counts[value, default: 0]
    let after = before + step
    guard after >= 0 else { return }
    counts[value] = after == 0 ? nil : after
    total += step
    weighted += Self.term(after) - Self.term(before)
  }

  private static func term(_ count: Int) -> Double {
    count < 2 ? 0 : Double(count) * Double(count).logarithm() / 2.0.logarithm()
  }

  override func value(time: Int64) -> Value {
    guard total > 0 else { return .null }
    return .double(max(0, Double(total).logarithm() / 2.0.logarithm() - weighted / Double(total)))
  }
}

/// The newest value against those before it in the window.
final class BaselineState: AggregateState {
  enum Result { case mean, score }
  private let result: Result
  private var values: [Double] = []
  private var first = 0

  init(_ result: Result) { self.result = result }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if let number = value.number { values.append(number) }
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard value.number != nil, first < values.count else { return }
    first += 1
    if first > 1024, first > values.count / 2 {
      values.removeFirst(first)
      first = 0
    }
  }
  override func clear() {
    values = []
    first = 0
  }
  override func exchange(_ archive: StateArchive) {
    values.removeFirst(first)
    first = 0
    archive.numbers(&values)
  }

  override func value(time: Int64) -> Value {
    let earlier = values[first...].dropLast()
    guard let newest = values[first...].last, earlier.count >= 2 else { return .null }
    let mean = earlier.reduce(0, +) / Double(earlier.count)
    if result == .mean { return .double(mean) }
    let deviation = (earlier.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(earlier.count - 1)).squareRoot()
    // A quiet past has no deviation to measure by; a deviation of one keeps the score finite and in the unit of the values.
    return .double((newest - mean) / (deviation > 0 ? deviation : 1))
  }
}

/// Ours, not Esper's: spread and change.
extension Builtins {
  static let changeAggregates: [AggregateFunction] = [
    AggregateFunction("entropy", arity: 1...1, help: "how evenly the values are spread, in bits", resultType: { _ in .double }) { _, _ in
      EntropyState()
    },
    AggregateFunction(
      "baseline", arity: 1...1, help: "the mean of the window's values but for the newest; null for fewer than two",
      resultType: { $0.allSatisfy(\.isNumeric) ? .double : nil }
    ) { _, _ in BaselineState(.mean) },
    AggregateFunction(
      "zscore", arity: 1...1,
      help: "how many deviations the newest value lies above the mean of the window's others; null for fewer than two",
      resultType: { $0.allSatisfy(\.isNumeric) ? .double : nil }
    ) { _, _ in BaselineState(.score) },
  ]
}
