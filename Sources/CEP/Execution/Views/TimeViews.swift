internal import Builtins
internal import EventModel

/// Events in order of arrival with the time at which each came; they leave from the head only, so that an event that came after the clock
/// was set back waits behind the one before it.
final class TimeView: View {
  private let interval: Interval
  private let site: ViewSite
  private var slot: Int
  private var queue = EventQueue()
  private var times: [Int64] = []
  private var head = 0
  private var timer: Timer?
  private lazy var ownHistory = WindowHistory(self)

  init(interval: Interval, site: ViewSite) {
    self.interval = interval
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var contents: [Event] { queue.all }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { remove($0) }
    let now = site.clock.now
    for event in new {
      queue.append(event)
      times.append(now)
    }
    if timer == nil, !queue.isEmpty { schedule() }
    try pass(new: new, old: leaving)
  }

  private func schedule() {
    timer = site.schedule(at: interval.after(times[head]), slot: slot) { [unowned self] () throws(EvaluationError) in try self.expire() }
  }

  private func expire() throws(EvaluationError) {
    timer = nil
    var leaving: [Event] = []
    while !queue.isEmpty, interval.after(times[head]) <= site.clock.now {
      leaving.append(queue.removeFirst())
      head += 1
    }
    if head > 64, head * 2 > times.count {
      times.removeFirst(head)
      head = 0
    }
    if !queue.isEmpty { schedule() }
    try pass(new: [], old: leaving)
  }

  private func remove(_ event: Event) -> Bool {
    guard let index = queue.all.firstIndex(where: { $0 === event }) else { return false }
    queue.remove(event)
    times.remove(at: head + index)
    return true
  }
  override func discard(_ events: [Event]) { for event in events { _ = remove(event) } }
  override func stop() { timer?.cancel() }
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
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.expire() }
  }
}

final class TimeBatchView: View {
  private var grid: BatchGrid
  private let site: ViewSite
  private var slot: Int
  private let forcesUpdate: Bool
  private let startsEager: Bool
  private var current: [Event] = []
  private var last: [Event] = []
  private var timer: Timer?
  private let ownHistory = BatchHistory()

  init(interval: Interval, reference: Int64?, forcesUpdate: Bool, startsEager: Bool, site: ViewSite) {
    grid = BatchGrid(interval: interval, reference: reference)
    self.forcesUpdate = forcesUpdate
    self.startsEager = startsEager
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var isBatch: Bool { true }
  override var contents: [Event] { current }
  override var history: History? { ownHistory }
  override func start() throws(EvaluationError) { if startsEager { schedule() } }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    if new.isEmpty { return }
    if current.isEmpty, timer == nil { schedule() }
    current += new
  }

  private func schedule() {
    timer = site.schedule(at: grid.next(after: site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in try self.release() }
  }

  private func release() throws(EvaluationError) {
    timer = nil
    let (batch, previous) = (current, last)
    // Whoever is told still finds the batch in the window.
    defer { (current, last) = ([], batch) }
    if !batch.isEmpty || !previous.isEmpty || forcesUpdate { schedule() }
    ownHistory.batch = batch
    if forcesUpdate { try next?.receive(new: batch, old: previous) } else { try pass(new: batch, old: previous) }
  }

  override func discard(_ events: [Event]) {
    if !events.isEmpty { current.removeAll { event in events.contains { $0 === event } } }
  }
  override func takeFirst(_ count: Int) -> [Event] { current.takeFirst(count) }
  override func stop() { timer?.cancel() }
  override func exchange(_ archive: StateArchive) {
    grid.exchange(archive)
    archive.events(&current)
    archive.events(&last)
    archive.events(&ownHistory.batch)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.release() }
  }
}

/// Released when full or when the interval since the last release is over.
final class TimeLengthBatchView: View {
  private let interval: Interval
  private let size: Int
  private let site: ViewSite
  private var slot: Int
  private let forcesUpdate: Bool
  private let startsEager: Bool
  private var current: [Event] = []
  private var last: [Event] = []
  private var timer: Timer?
  private let ownHistory = BatchHistory()

  init(interval: Interval, size: Int, forcesUpdate: Bool, startsEager: Bool, site: ViewSite) {
    self.interval = interval
    self.size = size
    self.forcesUpdate = forcesUpdate
    self.startsEager = startsEager
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var isBatch: Bool { true }
  override var contents: [Event] { current }
  override var history: History? { ownHistory }
  override func start() throws(EvaluationError) { if startsEager { schedule() } }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    if new.isEmpty { return }
    current += new
    if current.count >= size {
      try release()
    } else if timer == nil {
      schedule()
    }
  }

  private func schedule() {
    timer = site.schedule(at: interval.after(site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in try self.release() }
  }

  private func release() throws(EvaluationError) {
    timer?.cancel()
    timer = nil
    let (batch, previous) = (current, last)
    // Whoever is told still finds the batch in the window.
    defer { (current, last) = ([], batch) }
    if !batch.isEmpty || !previous.isEmpty || forcesUpdate { schedule() }
    ownHistory.batch = batch
    if forcesUpdate { try next?.receive(new: batch, old: previous) } else { try pass(new: batch, old: previous) }
  }

  override func discard(_ events: [Event]) {
    if !events.isEmpty { current.removeAll { event in events.contains { $0 === event } } }
  }
  override func takeFirst(_ count: Int) -> [Event] { current.takeFirst(count) }
  override func stop() { timer?.cancel() }
  override func exchange(_ archive: StateArchive) {
    archive.events(&current)
    archive.events(&last)
    archive.events(&ownHistory.batch)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.release() }
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
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    if !new.isEmpty {
      timer?.cancel()
      for event in new { queue.append(event) }
      timer = site.schedule(at: interval.after(site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in try self.release() }
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
  override var history: History? { ownHistory }
  override func start() throws(EvaluationError) {
    timer = site.schedule(at: interval.after(site.clock.now), slot: slot) { [unowned self] () throws(EvaluationError) in self.isOpen = false }
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
