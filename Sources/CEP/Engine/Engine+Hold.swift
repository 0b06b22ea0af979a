public import EventModel
import EventTime
import Execution

/// Events that a batch has made due, for the engine to be delivered.
public struct DueEvents {
  /// In order; of a clock that has passed very many at once, the first.
  fileprivate var batches: [EventBatch]
  /// Events of the batch that was taken.
  fileprivate var eventsIn: Int
  fileprivate var clock = ClockReport()
  /// The clock has passed more than these: to be delivered before anything else is done with the engine.
  public fileprivate(set) var isPartial = false
}

/// What the watermark has come to.
struct ClockReport {
  /// The time of the first event of all, once the clock has passed it, and what the clock shows.
  var first: Int64?
  var now: Int64?
  var counts = WatermarkCounts()
  var held = 0
  /// What an operator is to be told, once.
  var notices: [ClockNotice] = []

  init() {}

  init(_ watermark: WatermarkClock) {
    (first, now, counts, held) = (watermark.firstTime, watermark.now, watermark.counts, watermark.held)
    notices = watermark.takeNotices()
  }
}

extension Engine {
  /// Takes a batch, and gives what is due: in watermark mode what the clock has passed, otherwise the batch itself.
  ///
  /// This touches the clock and nothing else of the engine, so another thread may hold batches while the engine delivers what earlier
  /// ones have made due, as long as that is not partial; everything else waits until all is delivered. Events that nobody wants are told
  /// by ``chooser(of:)``, not here.
  /// - Parameters:
  ///   - wall: the wall clock in ms, for watermark mode: it tells exporters that are silent from those that contradict.
  ///   - limit: after how many events no more are taken out: the rest is when it is delivered.
  public func hold(_ batch: EventBatch, wall: Int64, limit: Int) -> DueEvents {
    var due = DueEvents(batches: [], eventsIn: batch.count)
    guard let watermark else {
      due.batches = [batch]
      return due
    }
    self.wall = wall
    watermark.add(batch, wall: wall)
    // What an answer before this one left comes first.
    var count = 0
    while !owes, count < limit, let next = watermark.next() {
      due.batches.append(next)
      count += next.count
    }
    due.isPartial = owes || count >= limit
    owes = due.isPartial
    due.clock = ClockReport(watermark)
    return due
  }

  /// Delivers what `hold` gave, in the order in which it did.
  public func deliver(_ due: DueEvents) {
    counts.eventsIn += UInt64(due.eventsIn)
    begin(due.clock.first)
    for batch in due.batches { deliver(batch) }
    note(due.clock)
    guard due.isPartial else { return step(to: due.clock.now) }
    owes = false
    release()
  }

  /// Delivers what the watermark has passed.
  func release() {
    guard let watermark else { return }
    begin(watermark.firstTime)
    while let batch = watermark.next() { deliver(batch) }
    noteClock()
    step(to: watermark.now)
  }

  private func deliver(_ batch: EventBatch) {
    let clock: BatchClock =
      switch options.clock {
      case .compat: .follow
      case .system: .none
      case .watermark: .forward
      }
    counts.unread += UInt64(runtime.send(batch, clock: clock))
  }

  /// The first event sets the clock, wanted or not.
  private func begin(_ first: Int64?) {
    guard !hasBegun, let first else { return }
    hasBegun = true
    runtime.step(to: first)
  }

  private func step(to now: Int64?) {
    if let now, hasBegun { runtime.step(to: now) }
  }

  func noteClock() {
    if let watermark { note(ClockReport(watermark)) }
  }

  private func note(_ clock: ClockReport) {
    (counts.late, counts.lateDropped, counts.ahead) = (clock.counts.late, clock.counts.dropped, clock.counts.ahead)
    counts.held = UInt64(clock.held)
    notices += clock.notices
  }
}
