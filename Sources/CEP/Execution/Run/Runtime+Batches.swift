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
    BatchPass(self, stream, batch, times, mode).run()
    return 0
  }

  /// Processes rows that a statement inserted, as if they had been inserted one by one: what they insert in turn comes behind all of them.
  func deliver(inserted batch: EventBatch) {
    guard let stream = knownStream(of: batch.type), stream.hasConsumers else { return }
    BatchPass(self, stream, batch, [], .none, isInserted: true).run()
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
    streams[ObjectIdentifier(type)]?.entryIndex(in: self, countsAll: countsAll)?.properties.sorted()
  }

  /// Of which events of a batch some statement may need the values; nil where every one's are needed. The batch may lack all but the deciding
  /// properties.
  ///
  /// What filters say now is what they say later: none reads a variable that statements set.
  public func wanted(_ batch: EventBatch, countsAll: Bool) -> [UInt32]? {
    streams[ObjectIdentifier(batch.type)]?.entryIndex(in: self, countsAll: countsAll)?.rowsOfAny(batch)
  }

  /// What `wanted` says of a type's batches, for a thread that asks while another one runs the engine: variables that are set from outside
  /// keep the values that they have now. Nil where every event is wanted.
  public func chooser(of type: EventType, countsAll: Bool) -> ((EventBatch) -> [UInt32]?)? {
    guard let index = streams[ObjectIdentifier(type)]?.entryIndex(in: self, countsAll: countsAll)?.copied() else { return nil }
    return { index.rowsOfAny($0) }
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
  /// Whether the batch is of rows that wait in the queue of a pass.
  let isInserted: Bool
  let maker: EventMaker
  private let consumers: [(consumer: Consumer, view: Int)]
  /// Whether statements may take the batch ahead of the others.
  private let takesColumns: Bool
  private let fused: [(instance: FusedInstance, number: Int)]
  private let lastTime: Int64

  init(
    _ runtime: Runtime, _ stream: EventStream, _ batch: EventBatch, _ times: [Int64], _ mode: BatchClock, isInserted: Bool = false
  ) {
    self.isInserted = isInserted
    self.runtime = runtime
    self.stream = stream
    self.batch = batch
    self.times = times
    self.mode = mode
    maker = runtime.maker(for: batch)
    consumers = stream.consumers(in: runtime)
    // Rows that the events bring into their own stream come between them; those that wait in a queue come behind.
    takesColumns = isInserted || !runtime.takesInserted(batch.type)
    fused =
      takesColumns
      ? consumers.enumerated().compactMap { number, item in item.view < 0 ? item.consumer.fused.map { ($0, number) } : nil } : []
    lastTime = times.max() ?? .min
  }

  func run() {
    // Column by column nothing is known of priorities, nor of what UPDATE ISTREAM makes of events.
    if runtime.honoursPriorities || stream.isUpdated { runEach() } else { runTogether() }
  }

  /// Event by event, for all statements.
  private func runEach() {
    for row in 0..<batch.count {
      if !times.isEmpty { runtime.tick(times[row], mode) }
      let value = value(at: row)
      if value < batch.valueCount, batch.event(ofValue: value) == row {
        stream.deliver(maker.event(batch, value, now: runtime.now), in: runtime)
        finishEvent()
      }
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

  private func finishEvent() { if isInserted { runtime.finishEvent() } else { runtime.finishPass() } }

  private func runTogether() {
    let index = stream.filterIndex(in: runtime)
    index.evaluate(batch)
    // Of many statements most have no row in a batch.
    let fused = fused.compactMap { instance, number -> FusedInstance? in
      let rows = index.rows(of: number)
      guard instance.isConcerned(by: rows) else { return nil }
      instance.timed { runtime.attempt(instance.statement) { () throws(EvaluationError) in try instance.prepare(batch, rows) } }
      return instance
    }
    let others = OtherConsumers(consumers, index, batch, times, takesColumns: takesColumns)
    var start = 0
    while start < batch.count {
      if !times.isEmpty { runtime.tick(times[start], mode) }
      let range = start..<stretch(from: start, fused)
      for instance in fused { instance.timed { instance.consume(batch, range, values(range), times) } }
      runOthers(range, others)
      if !times.isEmpty { runtime.clock.set(times[range.upperBound - 1]) }
      start = range.upperBound
    }
  }

  /// Where the rows from `start` on must be cut: before the first that a timer precedes, of those that wait and those that the rows
  /// themselves would start.
  private func stretch(from start: Int, _ fused: [FusedInstance]) -> Int {
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
      finishEvent()
      row = next + 1
    }
  }
}

/// The statements that take events, and which of a batch's values concern them.
private final class OtherConsumers {
  /// The numbers of those that take every row.
  private var always: [Int] = []
  /// Of the others: where in `concerned` the consumers of each value begin.
  private var starts: [Int32]
  private var concerned: [Int32] = []
  private var chosen: [Int] = []
  private let valueCount: Int
  let isEmpty: Bool

  /// - Parameters:
  ///   - times: the events' times, where these set the clock.
  ///   - takesColumns: whether statements take the batch ahead.
  init(
    _ consumers: [(consumer: Consumer, view: Int)], _ index: FilterIndex, _ batch: EventBatch, _ times: [Int64], takesColumns: Bool
  ) {
    valueCount = batch.valueCount
    var selections: [(rows: RowSelection, consumer: Int)] = []
    for (number, (consumer, view)) in consumers.enumerated() where consumer.fused == nil || view >= 0 || !takesColumns {
      let rows =
        view >= 0 || consumer.fused != nil ? nil : (takesColumns ? consumer.scan?(batch, times) : nil) ?? index.rows(of: number)?.selection
      if let rows {
        if rows.count > 0 { selections.append((rows, number)) }
      } else {
        always.append(number)
      }
    }
    isEmpty = always.isEmpty && selections.isEmpty
    starts = selections.isEmpty ? [] : Array(repeating: 0, count: valueCount + 2)
    if !selections.isEmpty { sort(selections) }
  }

  /// Consumer by consumer, into a list for each value.
  private func sort(_ selections: [(rows: RowSelection, consumer: Int)]) {
    for (rows, _) in selections { for row in rows.buffer { starts[Int(row) + 2] += 1 } }
    for value in 2..<starts.count { starts[value] += starts[value - 1] }
    concerned = Array(repeating: 0, count: Int(starts[valueCount + 1]))
    for (rows, consumer) in selections {
      for row in rows.buffer {
        concerned[Int(starts[Int(row) + 1])] = Int32(consumer)
        starts[Int(row) + 1] += 1
      }
    }
  }

  /// The first row from `row` on that concerns any.
  func next(from row: Int) -> Int? {
    var row = row
    if always.isEmpty, !starts.isEmpty { while row < valueCount, starts[row] == starts[row + 1] { row += 1 } }
    return row < valueCount ? row : nil
  }

  /// The numbers of the consumers that the row concerns, ascending.
  func chosen(_ row: Int) -> [Int] {
    if starts.isEmpty { return always }
    let some = concerned[Int(starts[row])..<Int(starts[row + 1])]
    if some.isEmpty { return always }
    chosen.removeAll(keepingCapacity: true)
    var place = 0
    for number in some {
      while place < always.count, always[place] < Int(number) {
        chosen.append(always[place])
        place += 1
      }
      chosen.append(Int(number))
    }
    chosen += always[place...]
    return chosen
  }
}
