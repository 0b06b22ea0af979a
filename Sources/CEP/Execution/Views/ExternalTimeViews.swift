internal import Builtins
internal import EventModel

/// The clock is a property: an event drops those that are older than itself by the interval.
final class ExternallyTimedView: View {
  private let interval: Interval
  private let timestamp: Evaluator
  private let site: ViewSite
  private var queue = TimedQueue()
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, timestamp: @escaping Evaluator, site: ViewSite) {
    self.interval = interval
    self.timestamp = timestamp
    self.site = site
  }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving = old.filter { queue.remove($0) }
    var newest: Int64?
    for event in new {
      guard let time = try site.value(timestamp, of: event).integer.map(TimeBounds.clamped) else {
        throw EvaluationError("the window's timestamp is null")
      }
      queue.append(event, time)
      newest = time
    }
    if let newest { leaving += queue.removeFirst { interval.after($0) <= newest } }
    try pass(new: new, old: leaving)
  }

  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
  override func exchange(_ archive: StateArchive) { queue.exchange(archive) }
}

final class ExternallyTimedBatchView: BatchView {
  private let interval: Interval
  private let timestamp: Evaluator
  private let site: ViewSite
  private var reference: Int64?
  private var oldest: Int64?

  init(interval: Interval, timestamp: @escaping Evaluator, reference: Int64?, site: ViewSite) {
    self.interval = interval
    self.timestamp = timestamp
    self.reference = reference.map(TimeBounds.clamped)
    self.site = site
  }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    var released: [Event]?
    for event in new {
      guard let time = try site.value(timestamp, of: event).integer.map(TimeBounds.clamped) else {
        throw EvaluationError("the window's timestamp is null")
      }
      let reference = self.reference ?? time
      self.reference = reference
      let oldest = self.oldest ?? time
      self.oldest = oldest
      if time >= boundary(after: oldest, reference) {
        released = (released ?? []) + current
        current = []
        self.oldest = time
      }
      current.append(event)
    }
    if let released { try give(released) }
  }

  private func boundary(after time: Int64, _ reference: Int64) -> Int64 {
    if interval.months > 0 { return interval.first(after: time, from: reference) }
    let size = max(interval.milliseconds, 1)
    var offset = (time - reference) % size
    if offset < 0 { offset += size }
    return time - offset + size
  }

  override func exchange(_ archive: StateArchive) {
    archive.integer(&reference)
    archive.integer(&oldest)
    super.exchange(archive)
  }
}
