internal import Builtins
internal import EventModel

/// Events leave from the head only, so that one that came after the clock was set back waits behind the one before it.
final class TimeView: View {
  private let interval: Interval
  private let site: ViewSite
  private var slot: Int
  private var queue = TimedQueue()
  private var timer: Timer?
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, site: ViewSite) {
    self.interval = interval
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    let now = site.clock.now
    for event in new { queue.append(event, now) }
    if timer == nil { schedule() }
    try pass(new: new, old: leaving)
  }

  private func schedule() {
    guard let first = queue.firstTime else { return }
    timer = site.schedule(at: interval.after(first), slot: slot) { [unowned self] () throws(EvaluationError) in try self.expire() }
  }

  private func expire() throws(EvaluationError) {
    timer = nil
    let leaving = queue.removeFirst { interval.after($0) <= site.clock.now }
    schedule()
    try pass(new: [], old: leaving)
  }

  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func stop() { timer?.cancel() }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
  override func exchange(_ archive: StateArchive) {
    queue.exchange(archive)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.expire() }
  }
}

/// Holds events until none has come for the interval; then all leave at once.
final class TimeAccumulatingView: View {
  private let interval: Interval
  private let site: ViewSite
  private var slot: Int
  private var queue = EventQueue()
  private var timer: Timer?
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, site: ViewSite) {
    self.interval = interval
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    if !new.isEmpty {
      timer?.cancel()
      for event in new { queue.append(event) }
      timer = site.schedule(at: interval.after(site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in
        try self.release()
      }
    }
    try pass(new: new, old: leaving)
  }

  private func release() throws(EvaluationError) {
    let leaving = queue.all
    queue.removeAll()
    timer = nil
    try pass(new: [], old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func stop() { timer?.cancel() }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
  override func exchange(_ archive: StateArchive) {
    archive.queue(&queue)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.release() }
  }
}

/// Takes events for the interval after its start.
final class FirstTimeView: View {
  private let interval: Interval
  private let site: ViewSite
  private var slot: Int
  private var queue = EventQueue()
  private var isOpen = true
  private var timer: Timer?
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, site: ViewSite) {
    self.interval = interval
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }
  override func start() throws(EvaluationError) {
    timer = site.schedule(at: interval.after(site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in self.isOpen = false
    }
  }
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    let entering = isOpen ? new : []
    for event in entering { queue.append(event) }
    try pass(new: entering, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func stop() { timer?.cancel() }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
  override func exchange(_ archive: StateArchive) {
    archive.queue(&queue)
    archive.flag(&isOpen)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in self.isOpen = false }
  }
}
