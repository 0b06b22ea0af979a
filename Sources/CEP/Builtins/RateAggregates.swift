internal import EventModel

/// `rate(10)`: events a second over the last ten seconds of engine time; null until an event has left that span.
final class RateState: AggregateState {
  private var times: [Int64] = []
  private var head = 0
  private var span: Int64 = 0
  private var isFull = false

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    let wanted = (value.number ?? 0) * 1000
    span = wanted.isNaN ? 1 : Int64(min(max(wanted, 1), 1e15))
    times.append(time)
    while head < times.count, times[head] <= time &- span {
      head += 1
      isFull = true
    }
    if head > 64, head * 2 > times.count {
      times.removeFirst(head)
      head = 0
    }
  }
  override func clear() { (times, head, isFull) = ([], 0, false) }
  override func exchange(_ archive: StateArchive) {
    times.removeFirst(head)
    head = 0
    archive.integers(&times)
    archive.integer(&span)
    archive.flag(&isFull)
  }
  override func value(time: Int64) -> Value {
    isFull ? .double(Double(times.count - head) * 1000 / Double(span)) : .null
  }
}

/// `rate(timestamp)`: events a second of a data window, from the timestamp that left last to the one that came last.
final class TimestampRateState: AggregateState {
  private var count: Int64 = 0
  private var latest: Int64 = 0
  private var left: Int64?

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    count += 1
    latest = value.integer ?? latest
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    count -= 1
    left = value.integer ?? left
  }
  override func clear() { (count, latest, left) = (0, 0, nil) }
  override func exchange(_ archive: StateArchive) {
    archive.integer(&count)
    archive.integer(&latest)
    archive.integer(&left)
  }
  override func value(time: Int64) -> Value {
    guard let left, latest > left else { return .null }
    return .double(Double(count) * 1000 / (Double(latest) - Double(left)))
  }
}

extension Builtins {
  static let rateAggregates: [AggregateFunction] = [
    AggregateFunction(
      "rate", arity: 1...1, help: "events a second over the last seconds, or by a timestamp over a data window",
      resultType: { types in types.first.flatMap { $0.isNumeric ? .double : nil } }
    ) { _, _ in RateState() },
    AggregateFunction(
      "rateby", arity: 1...1, help: "what rate(timestamp) stands for",
      resultType: { types in types.first.flatMap { $0.isNumeric ? .double : nil } }
    ) { _, _ in TimestampRateState() },
  ]
}
