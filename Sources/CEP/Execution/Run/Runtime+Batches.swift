public import EventModel
internal import Builtins
internal import Kernels

/// What a batch's times do to the engine's clock.
public enum BatchClock: Sendable {
  /// Each event's time is set before it is delivered, also backwards; what is due then fires at that time.
  case follow
  /// Times do not go back; each timer fires at its own time.
  case forward
  /// Nothing.
  case none
}

extension Runtime {
  /// Processes a batch: the same rows at the same times as if its events were sent one by one.
  ///
  /// Statements that keep columns take a stretch of rows at once, as far as the next timer; for the others an event is made of each row
  /// that may concern them. Returns how many events no statement reads.
  @discardableResult
  public func send(_ batch: EventBatch, clock mode: BatchClock) -> Int {
    let times = mode == .none ? [] : TimeBounds.clamped(batch.times)
    guard let stream = knownStream(of: batch.type), stream.hasConsumers else {
      for row in times.indices { tick(times[row], mode) }
      return batch.count
    }
    let pass = BatchPass(self, stream, batch, times, mode)
    if honoursPriorities { pass.runEach() } else { pass.run() }
    return 0
  }

  /// At how many instants at most timers fire on the way to a later time: a clock that goes on by years must not halt the engine.
  private static let mostSteps = 100_000

  /// Advances from timer to timer, so that none is passed over, wherever the batches were cut. What is due after very many fires once.
  public func step(to time: Int64) {
    if !hasStarted {
      hasStarted = true
      return advance(to: time)
    }
    var left = Runtime.mostSteps
    while let next = nextTimer, next < time, next > now, left > 0 {
      advance(to: next)
      left -= 1
    }
    if time > now { advance(to: time) }
  }

  func tick(_ time: Int64, _ mode: BatchClock) {
    switch mode {
    case .follow: advance(to: time)
    case .forward: step(to: time)
    case .none: break
    }
  }

  /// The properties that decide of which events of a type some statement may need the values; nil where every one's are needed.
  /// - Parameter countsAll: whether the other events' times are sent, too.
  public func decidingProperties(of type: EventType, countsAll: Bool) -> [Int]? {
    guard let stream = streams[ObjectIdentifier(type)], let filters = stream.entryFilters(in: self, countsAll: countsAll) else {
      return nil
    }
    return filters.reduce(into: Set()) { $0.formUnion($1.properties) }.sorted()
  }

  /// Of which events of a batch some statement may need the values; nil where every one's are needed. The batch may lack all but the deciding
  /// properties.
  ///
  /// What filters say now is what they say later: none reads a variable that statements set.
  public func wanted(_ batch: EventBatch, countsAll: Bool) -> [UInt32]? {
    guard let stream = streams[ObjectIdentifier(batch.type)], let filters = stream.entryFilters(in: self, countsAll: countsAll) else {
      return nil
    }
    let (all, rest, passing) = (RowSelection(), RowSelection(), RowSelection())
    all.fill(0..<batch.count)
    rest.copy(all)
    var isWanted = [Bool](repeating: false, count: batch.count)
    for filter in filters {
      passing.copy(rest)
      guard filter.apply(to: passing, of: batch) else { return nil }
      if passing.count == 0 { continue }
      for row in passing.buffer { isWanted[Int(row)] = true }
      rest.keep { !isWanted[$0] }
    }
    all.keep { isWanted[$0] }
    return Array(all.buffer)
  }

  func maker(for batch: EventBatch) -> EventMaker {
    if let maker = makers[ObjectIdentifier(batch.type)], maker.properties == batch.properties { return maker }
    let maker = EventMaker(batch, self)
    makers[ObjectIdentifier(batch.type)] = maker
    return maker
  }
}

/// One batch on its way through the statements that read its type.
private struct BatchPass {
  let runtime: Runtime
  let stream: EventStream
  let batch: EventBatch
  let times: [Int64]
  let mode: BatchClock
  let maker: EventMaker
  private let consumers: [(consumer: Consumer, view: Int)]
  private let fused: [FusedInstance]
  private let lastTime: Int64

  init(_ runtime: Runtime, _ stream: EventStream, _ batch: EventBatch, _ times: [Int64], _ mode: BatchClock) {
    self.runtime = runtime
    self.stream = stream
    self.batch = batch
    self.times = times
    self.mode = mode
    maker = runtime.maker(for: batch)
    consumers = stream.consumers(in: runtime)
    fused = consumers.compactMap { $0.view < 0 ? $0.consumer.fused : nil }
    lastTime = times.max() ?? .min
  }

  /// Event by event, for all statements.
  func runEach() {
    for row in 0..<batch.count {
      if !times.isEmpty { runtime.tick(times[row], mode) }
      let value = value(at: row)
      if value < batch.valueCount, batch.event(ofValue: value) == row { runtime.send(maker.event(batch, value, now: runtime.now)) }
    }
  }

  /// The first value in the columns that is of the row or of a later one.
  private func value(at row: Int) -> Int {
    guard let chosen = batch.chosen else { return row }
    var (low, high) = (0, chosen.count)
    while low < high {
      let middle = (low + high) / 2
      if Int(chosen[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func values(_ rows: Range<Int>) -> Range<Int> { value(at: rows.lowerBound)..<value(at: rows.upperBound) }

  func run() {
    for instance in fused {
      instance.timed { runtime.attempt(instance.statement) { () throws(EvaluationError) in try instance.prepare(batch) } }
    }
    let others = OtherConsumers(consumers, batch, times)
    var start = 0
    while start < batch.count {
      if !times.isEmpty { runtime.tick(times[start], mode) }
      let range = start..<stretch(from: start)
      for instance in fused { instance.timed { instance.consume(batch, range, values(range), times) } }
      runOthers(range, others)
      if !times.isEmpty { runtime.clock.set(times[range.upperBound - 1]) }
      start = range.upperBound
    }
  }

  /// Where the rows from `start` on must be cut: before the first that a timer precedes, of those that wait and those that the rows
  /// themselves would start.
  private func stretch(from start: Int) -> Int {
    if times.isEmpty { return batch.count }
    var end = cut(start..<batch.count, at: runtime.nextTimer)
    for instance in fused {
      guard let (row, due) = instance.dueIfStarted(batch, in: start..<end, values(start..<end), times) else { continue }
      // A clock that goes back: the timer must not be there yet when the first row, which is later than it, is processed.
      end = row > start && times[start] >= due ? row : cut(start..<end, at: due)
    }
    return end
  }

  private func cut(_ range: Range<Int>, at due: Int64?) -> Int {
    guard let due, due <= lastTime else { return range.upperBound }
    return times.withUnsafeBufferPointer { times in
      var row = range.lowerBound + 1
      while row < range.upperBound, times[row] < due { row += 1 }
      return min(row, range.upperBound)
    }
  }

  /// The rows that concern the other statements, one at a time; timers that these start fire between them.
  private func runOthers(_ range: Range<Int>, _ others: OtherConsumers) {
    guard !others.isEmpty else { return }
    var row = range.lowerBound
    while row < range.upperBound {
      let nextValue = others.next(from: value(at: row))
      let next = nextValue.map { batch.event(ofValue: $0) } ?? range.upperBound
      if let due = runtime.nextTimer, due <= lastTime, !times.isEmpty {
        let end = min(next, range.upperBound - 1)
        if let first = (row...max(row, end)).first(where: { times[$0] >= due }), first > range.lowerBound, runtime.now < due {
          runtime.tick(times[first], mode)
          row = first
          continue
        }
      }
      guard let nextValue, next < range.upperBound else { return }
      if !times.isEmpty { runtime.tick(times[next], mode) }
      stream.deliver(maker.event(batch, nextValue, now: runtime.now), in: runtime, to: others.chosen(nextValue))
      runtime.finishPass()
      row = next + 1
    }
  }
}

/// The statements that take events, and which of a batch's values concern them.
private final class OtherConsumers {
  private var selections: [RowSelection?] = []
  private var isOther: [Bool] = []
  private var places: [Int] = []
  /// Whether some, and whether every one of them takes all rows.
  private var all = false
  private var allOfAll = true
  private let valueCount: Int
  var isEmpty: Bool { !isOther.contains(true) }

  /// - Parameter times: the events' times, where these set the clock.
  init(_ consumers: [(consumer: Consumer, view: Int)], _ batch: EventBatch, _ times: [Int64]) {
    valueCount = batch.valueCount
    for (consumer, view) in consumers {
      let isFused = consumer.fused != nil && view < 0
      var selection: RowSelection?
      if !isFused, view < 0, let rows = consumer.scan?(batch, times) {
        selection = rows
      } else if !isFused, view < 0, let filter = consumer.prefilter {
        let rows = RowSelection()
        rows.fill(0..<batch.valueCount)
        if filter.apply(to: rows, of: batch) { selection = rows }
      }
      selections.append(selection)
      isOther.append(!isFused)
      places.append(0)
      if !isFused, selection == nil { all = true }
      if !isFused, selection != nil { allOfAll = false }
    }
  }

  /// The first row from `row` on that concerns any; rows are asked for in order.
  func next(from row: Int) -> Int? {
    if all { return row < valueCount ? row : nil }
    var next: Int?
    for index in selections.indices where isOther[index] {
      guard let selection = selections[index] else { continue }
      while places[index] < selection.count, Int(selection.rows[places[index]]) < row { places[index] += 1 }
      if places[index] < selection.count { next = min(next ?? .max, Int(selection.rows[places[index]])) }
    }
    return next
  }

  /// Which consumers the row concerns.
  func chosen(_ row: Int) -> [Bool] {
    if allOfAll { return isOther }
    return selections.indices.map { index in
      guard isOther[index] else { return false }
      guard let selection = selections[index] else { return true }
      while places[index] < selection.count, Int(selection.rows[places[index]]) < row { places[index] += 1 }
      return places[index] < selection.count && Int(selection.rows[places[index]]) == row
    }
  }
}
