internal import EventModel
import Glibc

extension Double {
  /// The natural logarithm.
  func logarithm() -> Double { Glibc.log(self) }
}

/// Values come from the network, so what they hash to is known to nobody outside the process.
private let sketchSeed = UInt64.random(in: .min ... .max)

/// Cannot forget: for windows that are emptied at once.
final class ApproximateDistinctState: AggregateState {
  private var sketch = HyperLogLog()
  /// Kept with the state, for the same value must hash to the same after a restart.
  private var seed = sketchSeed
  private var key = KeyedHash(seed: sketchSeed)
  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if !value.isNull { sketch.add(value.keyHash(seed: 0, key)) }
  }
  override func clear() { sketch = HyperLogLog() }
  override func exchange(_ archive: StateArchive) {
    archive.word(&seed)
    if archive.isRestoring { key = KeyedHash(seed: seed) }
    sketch.exchange(archive)
  }

  override func merge(_ other: AggregateState) -> Bool {
    guard let other = other as? ApproximateDistinctState, other.seed == seed else { return false }
    sketch.merge(other.sketch)
    return true
  }

  override func value(time: Int64) -> Value { .int(Int64(sketch.estimate.rounded())) }
}

/// The most frequent values (Space-Saving, Metwally et al.): of n values with 16·k counters each count is at most n/(16·k) too high, and a
/// value that makes up more than that share is never missed. Cannot forget.
final class TopState: AggregateState {
  private var counts: [Value: Int64] = [:]
  private var wanted = 10
  /// Values that had the least count when last looked for, some of which may have more by now: what gives way is found without a search
  /// for each event.
  private var least: (count: Int64, values: [Value]) = (0, [])

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    guard !value.isNull else { return }
    if let k = rest.first?.integer { wanted = Int(min(max(k, 1), 1000)) }
    if let known = counts[value] {
      counts[value] = known + 1
    } else if counts.count < 16 * wanted {
      counts[value] = 1
      if !least.values.isEmpty { least = (0, []) }
    } else if let (loser, count) = takeLeast() {
      counts[loser] = nil
      counts[value] = count + 1
    }
  }

  /// A value with the least count. The least count never falls, and all values that have it are found at once, so that a search is paid for
  /// by the events that made it necessary.
  private func takeLeast() -> (Value, Int64)? {
    while let value = least.values.popLast() {
      if counts[value] == least.count { return (value, least.count) }
    }
    guard let count = counts.values.min() else { return nil }
    least = (count, counts.filter { $0.value == count }.map(\.key))
    return least.values.popLast().map { ($0, count) }
  }

  override func clear() {
    counts = [:]
    least = (0, [])
  }

  /// The bounds add up: a value that only one of both knows may have had the other's least count there.
  override func merge(_ other: AggregateState) -> Bool {
    guard let other = other as? TopState else { return false }
    wanted = max(wanted, other.wanted)
    let unknownHere = counts.count < 16 * wanted ? 0 : counts.values.min() ?? 0
    let unknownThere = other.counts.count < 16 * other.wanted ? 0 : other.counts.values.min() ?? 0
    var sums = counts.mapValues { $0 + unknownThere }
    for (value, count) in other.counts { sums[value] = (counts[value] ?? unknownHere) + count }
    let kept = sums.sorted { $0.value > $1.value }.prefix(16 * wanted)
    counts = Dictionary(kept.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
    least = (0, [])
    return true
  }

  override func exchange(_ archive: StateArchive) {
    archive.table(&counts, blank: 0) { archive.integer(&$0) }
    archive.integer(&wanted)
    if archive.isRestoring { least = (0, []) }
  }

  override func value(time: Int64) -> Value {
    let ordered = counts.sorted { a, b in a.value != b.value ? a.value > b.value : (a.key.text ?? "") < (b.key.text ?? "") }
    return .array(
      ordered.prefix(wanted).map { .map(ValueMap([(key: "value", value: $0.key), (key: "count", value: .int($0.value))])) })
  }
}

/// A quantile with a relative error of 1 % (logarithmic buckets, as in DDSketch, Masson et al.). Can forget.
final class PercentileState: AggregateState {
  private static let growth = 1.02020202
  private var buckets: [Int32: Int] = [:]
  private var zeros = 0
  private var count = 0
  private var percent = 50.0

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    if let wanted = rest.first?.number, !wanted.isNaN { percent = min(max(wanted, 0), 100) }
    change(value, by: 1)
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) { change(value, by: -1) }
  override func clear() {
    buckets = [:]
    (zeros, count) = (0, 0)
  }
  override func exchange(_ archive: StateArchive) {
    var items = buckets.map { (key: $0.key, size: $0.value) }
    archive.array(&items, blank: (key: 0, size: 0)) { bucket in
      archive.integer(&bucket.key)
      archive.integer(&bucket.size)
    }
    if archive.isRestoring { buckets = Dictionary(items.map { ($0.key, $0.size) }, uniquingKeysWith: { first, _ in first }) }
    archive.integer(&zeros)
    archive.integer(&count)
    archive.number(&percent)
  }

  override func merge(_ other: AggregateState) -> Bool {
    guard let other = other as? PercentileState else { return false }
    buckets.merge(other.buckets, uniquingKeysWith: +)
    (zeros, count) = (zeros + other.zeros, count + other.count)
    return true
  }

  private func change(_ value: Value, by step: Int) {
    guard let number = value.number, number.isFinite else { return }
    count += step
    guard abs(number) > 1e-9 else {
      zeros += step
      return
    }
    let key = Self.key(number)
    let left = buckets[key, default: 0] + step
    buckets[key] = left == 0 ? nil : left
  }

  override func value(time: Int64) -> Value {
    guard count > 0 else { return .null }
    let rank = Int((percent / 100 * Double(count - 1)).rounded())
    var seen = 0
    var zerosPassed = false
    for (key, size) in buckets.sorted(by: { Self.middle($0.key) < Self.middle($1.key) }) {
      if !zerosPassed, key > 0 {
        zerosPassed = true
        seen += zeros
        if seen > rank { return .double(0) }
      }
      seen += size
      if seen > rank { return .double(Self.middle(key)) }
    }
    return .double(0)
  }

  /// Positive keys for positive numbers, negative for negative ones; 0 is no key.
  private static func key(_ number: Double) -> Int32 {
    let exponent = Int32((abs(number).logarithm() / growth.logarithm()).rounded(.up)) + 100_000
    return number < 0 ? -exponent : exponent
  }

  private static func middle(_ key: Int32) -> Double {
    let top = pow(growth, Double(abs(key) - 100_000))
    return (key < 0 ? -1 : 1) * 2 * top / (1 + growth)
  }
}

/// Ours, not Esper's: what a stream looks like at scale.
extension Builtins {
  static let sketchAggregates: [AggregateFunction] = [
    AggregateFunction(
      "approxCountDistinct", arity: 1...1, help: "the number of distinct values, exact to 256, then with a standard error of 1.6 %",
      canForget: false, resultType: { _ in .long }
    ) { _, _ in ApproximateDistinctState() },
    AggregateFunction(
      "topK", arity: 2...2, help: "the most frequent values with their counts, at most that many", canForget: false,
      resultType: { $0.last?.isNumeric == true ? .array(.map) : nil }
    ) { _, _ in TopState() },
    AggregateFunction(
      "percentile", arity: 2...2, help: "the value that so many percent do not exceed, with a relative error of 1 %",
      resultType: { $0.allSatisfy(\.isNumeric) ? .double : nil }
    ) { _, _ in PercentileState() },
  ]
}
