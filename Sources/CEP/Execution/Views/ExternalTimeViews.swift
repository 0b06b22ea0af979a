internal import Builtins
internal import EventModel

/// The clock is a property: an event drops those that are older than itself by the interval.
final class ExternallyTimedView: View {
  private let interval: Interval
  private let timestamp: Evaluator
  private let site: ViewSite
  private var queue = EventQueue()
  private var times: [Int64] = []
  private var head = 0
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, timestamp: @escaping Evaluator, site: ViewSite) {
    self.interval = interval
    self.timestamp = timestamp
    self.site = site
  }
  override var contents: [Event] { queue.all }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving = old.filter { remove($0) }
    var newest: Int64?
    for event in new {
      guard let time = try site.value(timestamp, of: event).integer.map(TimeBounds.clamped) else {
        throw EvaluationError("the window's timestamp is null")
      }
      queue.append(event)
      times.append(time)
      newest = time
    }
    if let newest {
      while !queue.isEmpty, interval.after(times[head]) <= newest {
        leaving.append(queue.removeFirst())
        head += 1
      }
    }
    if head > 64, head * 2 > times.count {
      times.removeFirst(head)
      head = 0
    }
    try pass(new: new, old: leaving)
  }

  private func remove(_ event: Event) -> Bool {
    guard let index = queue.all.firstIndex(where: { $0 === event }) else { return false }
    queue.remove(event)
    times.remove(at: head + index)
    return true
  }
  override func discard(_ events: [Event]) { for event in events { _ = remove(event) } }
  override func takeFirst(_ count: Int) -> [Event] {
    let taken = queue.removeFirst(count)
    head += taken.count
    return taken
  }
  override func exchange(_ archive: StateArchive) {
    archive.queue(&queue)
    var held = Array(times[head...])
    archive.integers(&held)
    if archive.isRestoring { (times, head) = (held, 0) }
  }
}

final class ExternallyTimedBatchView: View {
  private let interval: Interval
  private let timestamp: Evaluator
  private let site: ViewSite
  private var reference: Int64?
  private var oldest: Int64?
  private var current: [Event] = []
  private var last: [Event] = []
  private let ownHistory = BatchHistory()

  init(interval: Interval, timestamp: @escaping Evaluator, reference: Int64?, site: ViewSite) {
    self.interval = interval
    self.timestamp = timestamp
    self.reference = reference.map(TimeBounds.clamped)
    self.site = site
  }
  override var isBatch: Bool { true }
  override var contents: [Event] { current }
  override var history: History? { ownHistory }

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
    guard let released else { return }
    let previous = last
    last = released
    ownHistory.batch = released
    try pass(new: released, old: previous)
  }

  private func boundary(after time: Int64, _ reference: Int64) -> Int64 {
    if interval.months > 0 { return interval.first(after: time, from: reference) }
    let size = max(interval.milliseconds, 1)
    var offset = (time - reference) % size
    if offset < 0 { offset += size }
    return time - offset + size
  }

  override func discard(_ events: [Event]) {
    if !events.isEmpty { current.removeAll { event in events.contains { $0 === event } } }
  }
  override func takeFirst(_ count: Int) -> [Event] { current.takeFirst(count) }
  override func exchange(_ archive: StateArchive) {
    archive.integer(&reference)
    archive.integer(&oldest)
    archive.events(&current)
    archive.events(&last)
    archive.events(&ownHistory.batch)
  }
}
