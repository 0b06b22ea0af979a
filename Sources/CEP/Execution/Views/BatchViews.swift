internal import Builtins
internal import EventModel

/// Holds events back and passes them on together, those of the release before as leaving.
class BatchView: View {
  final var current: [Event] = []
  private var last: [Event] = []
  private let ownHistory = BatchHistory()

  override final var isBatch: Bool { true }
  override final var contents: [Event] { current }
  override final var history: History? { ownHistory }

  /// Whether there is anything to pass on.
  final var hasRows: Bool { !current.isEmpty || !last.isEmpty }

  /// - Parameter isForced: whether those behind are told even of no rows.
  final func release(isForced: Bool = false) throws(EvaluationError) {
    // Whoever is told still finds the batch in the window.
    defer { current = [] }
    try give(current, isForced: isForced)
  }

  final func give(_ batch: [Event], isForced: Bool = false) throws(EvaluationError) {
    let previous = last
    last = batch
    ownHistory.batch = batch
    if isForced { try next?.receive(new: batch, old: previous) } else { try pass(new: batch, old: previous) }
  }

  override final func discard(_ events: [Event]) {
    if !events.isEmpty { current.removeAll { event in events.contains { $0 === event } } }
  }
  override final func takeFirst(_ count: Int) -> [Event] { current.takeFirst(count) }
  override func exchange(_ archive: StateArchive) {
    archive.events(&current)
    archive.events(&last)
    archive.events(&ownHistory.batch)
  }
}

final class LengthBatchView: BatchView {
  private let size: Int
  init(size: Int) { self.size = size }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    for event in new {
      current.append(event)
      if current.count >= size { try release() }
    }
  }
}

/// A batch that is released by a timer.
class TimedBatchView: BatchView {
  /// What a batch by time may be asked for besides.
  struct Manner {
    /// Every release tells those behind, also of no rows.
    var forcesUpdate: Bool
    /// The first batch begins with the statement, not with the first event.
    var startsEager: Bool
  }

  final let site: ViewSite
  private var slot: Int
  private let manner: Manner
  private var timer: Timer?

  init(_ manner: Manner, _ site: ViewSite) {
    self.manner = manner
    self.site = site
    slot = site.statement.takeSlot()
  }

  /// When a batch that begins now is released.
  func due() -> Int64 { site.clock.now }

  override final func start() throws(EvaluationError) { if manner.startsEager { schedule() } }
  override final func stop() { timer?.cancel() }

  /// Sees to it that what is held will be released.
  final func schedule() {
    if timer != nil { return }
    timer = site.schedule(at: due(), slot: slot) { [unowned self] () throws(EvaluationError) in try self.releaseInTime() }
  }

  final func releaseInTime() throws(EvaluationError) {
    timer?.cancel()
    timer = nil
    if hasRows || manner.forcesUpdate { schedule() }
    try release(isForced: manner.forcesUpdate)
  }

  override func exchange(_ archive: StateArchive) {
    super.exchange(archive)
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.releaseInTime() }
  }
}

final class TimeBatchView: TimedBatchView {
  private var grid: BatchGrid

  init(interval: Interval, reference: Int64?, manner: Manner, site: ViewSite) {
    grid = BatchGrid(interval: interval, reference: reference)
    super.init(manner, site)
  }
  override func due() -> Int64 { grid.next(after: site.clock.now) }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    if new.isEmpty { return }
    if current.isEmpty { schedule() }
    current += new
  }
  override func exchange(_ archive: StateArchive) {
    grid.exchange(archive)
    super.exchange(archive)
  }
}

/// Released when full or when the interval since the last release is over.
final class TimeLengthBatchView: TimedBatchView {
  private let interval: Interval
  private let size: Int

  init(interval: Interval, size: Int, manner: Manner, site: ViewSite) {
    self.interval = interval
    self.size = size
    super.init(manner, site)
  }
  override func due() -> Int64 { interval.after(site.clock.now) }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    if new.isEmpty { return }
    current += new
    if current.count >= size { try releaseInTime() } else { schedule() }
  }
}
