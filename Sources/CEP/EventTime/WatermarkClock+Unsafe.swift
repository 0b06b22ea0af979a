public import EventModel

/// The clock of a stream whose events come out of order: it holds them back and hands them out in time order once it has passed them.
///
/// The clock stands `lateness` behind the largest time that it trusts and never goes back. Its answers depend on the order of the events
/// alone, not on how they are cut into batches. Time is virtual: the wall's is told with each call. All times in ms.
///
///     clock.add(batch, wall: now)
///     while let ready = clock.next() { engine.send(ready) }
///     clock.now.map { engine.advance(to: $0) }
public final class WatermarkClock {
  public let options: WatermarkOptions
  /// What the clock shows; nil before there is a time that it trusts.
  public internal(set) var now: Int64?
  public internal(set) var counts = WatermarkCounts()
  var guardian: SkewGuard
  /// Behind a pointer, for a property's checks would cost more than the work on one event.
  let buckets: UnsafeMutablePointer<HeldBuckets>
  /// Events of sessions about which nothing is decided, in order of arrival.
  var undecided: [(session: UInt32, event: HeldEvent)] = []
  /// The layout of each type's rows, and its number among all that have been.
  private var layouts: [(layout: RowLayout, number: Int32)] = []
  private var layoutCount: Int32 = 0
  /// What takes the rows of undecided events, by layout.
  var waitingSegment: UInt32?
  var waitingLayout: Int32 = -1
  /// Where the rows of the batch that is being taken in have their places.
  var places: UnsafeMutablePointer<RowPlace>
  var placeCount = 0
  private var targets: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private var placeCapacity = 1
  /// Events on their way out: [head, count) are still to go.
  private var taken: UnsafeMutablePointer<HeldEvent>
  private var takenHead = 0
  private var takenCount = 0
  private var takenCapacity = 0
  var earliest = Int64.max
  var latestUnwanted = Int64.min
  /// Segments of rows that were dropped, perhaps before they were written.
  var dropped: [UInt32] = []
  private var lastWall: Int64?
  private var clockAtLastRecord: Int64?

  /// Times beyond these are taken for these (over 30 million years), so that sums stay in range.
  static let extreme: Int64 = 1 << 60

  @inline(__always)
  static func bounded(_ time: Int64) -> Int64 { min(max(time, -extreme), extreme) }

  public init(options: WatermarkOptions = WatermarkOptions()) {
    self.options = options
    guardian = SkewGuard(options)
    buckets = .allocate(capacity: 1)
    buckets.initialize(to: HeldBuckets())
    taken = .allocate(capacity: 1)
    places = .allocate(capacity: 1)
    targets = .allocate(capacity: 1)
  }

  deinit {
    buckets.pointee.deallocate()
    buckets.deinitialize(count: 1).deallocate()
    taken.deallocate()
    places.deallocate()
    targets.deallocate()
  }

  /// How many events are held.
  public var held: Int { buckets.pointee.count + undecided.count + takenCount - takenHead }

  /// The time of the first event, once the clock has passed it, whether it was wanted or not.
  public var firstTime: Int64? { now.flatMap { earliest <= $0 ? earliest : nil } }

  /// What an operator is to be told, once.
  public func takeNotices() -> [ClockNotice] {
    defer { guardian.notices.removeAll() }
    return guardian.notices
  }

  // MARK: Events in

  /// Takes events in. An event without a time has its message's export time, else the clock's. Events that the batch has no values of
  /// move the clock, are late or ahead as the others are, and come out nowhere.
  /// - Parameter wall: the wall clock; it only counts how long the stream has been idle.
  public func add(_ batch: EventBatch, wall: Int64) {
    guard batch.count > 0 else { return }
    precondition(batch.times.isEmpty || batch.times.count == batch.count, "one time per event")
    precondition(batch.exportTimes.isEmpty || batch.exportTimes.count == batch.count, "one export time per event")
    precondition(batch.sessions.isEmpty || batch.sessions.count == batch.count, "one session per event")
    counts.received &+= UInt64(batch.count)
    precondition(batch.chosen.map { $0.allSatisfy { $0 < batch.count } } ?? true, "those chosen are events of the batch")
    let layout = layout(for: batch)
    reservePlaces(batch.valueCount)
    admit(batch, layout, wall)
    writeRows(of: batch, layout.layout)
    letGo()
    lastWall = wall
    clockAtLastRecord = now
    if buckets.pointee.count > options.maxHeld { press() }
  }

  private func reservePlaces(_ count: Int) {
    if placeCapacity < count {
      places.deallocate()
      targets.deallocate()
      placeCapacity = count
      places = .allocate(capacity: placeCapacity)
      targets = .allocate(capacity: placeCapacity)
    }
    placeCount = 0
  }

  /// Writes the rows to the places that they have been given.
  private func writeRows(of batch: EventBatch, _ layout: RowLayout) {
    RowWriter(layout: layout, places: UnsafeBufferPointer(start: places, count: placeCount), targets: targets).write(batch)
  }

  private func layout(for batch: EventBatch) -> (layout: RowLayout, number: Int32) {
    let index = layouts.firstIndex { $0.layout.type === batch.type } ?? layouts.count
    if index == layouts.count { layouts.append((RowLayout(type: batch.type, properties: [], fields: []), -1)) }
    let known = layouts[index]
    let layout = known.layout.extended(for: batch)
    if layout !== known.layout || known.number < 0 {
      layouts[index] = (layout, layoutCount)
      layoutCount += 1
    }
    return layouts[index]
  }

  /// A session has ended: it neither agrees nor disagrees any more.
  public func endSession(_ session: UInt32) {
    if guardian.end(session), now != nil { giveUpWaiting(of: session) }
    letGo()
  }

  // MARK: Time without events

  /// Lets the clock go on while no records come; to be called now and then when no batch waits.
  public func idle(wall: Int64) {
    guard let lastWall, wall - lastWall >= options.idleAfter else { return }
    if guardian.candidates > 0 {
      let before = self.now
      if let time = guardian.resolve(clock: before, wall: wall) {
        move(to: time, wall)
        clockAtLastRecord = now
      } else if let now {
        guardian.condemn(clock: now)
      }
      readmit(since: before)
      letGo()
    }
    guard let base = clockAtLastRecord, let now else { return }
    self.now = max(now, base + (wall - lastWall))
  }

  /// Sets the clock forward, as far as a flush at the end wants it.
  public func advance(to time: Int64) { now = max(now ?? .min, time) }

  /// Nothing more comes: all that is held is due, in order. The clock follows the events and goes no further.
  public func finish(wall: Int64) {
    let before = now
    if let time = guardian.resolve(clock: now, wall: wall) { move(to: time, wall) }
    if let now {
      // Of sessions that nobody contradicted, what still lies ahead comes in its own time.
      let waiting = undecided.sorted { $0.event.time < $1.event.time }
      undecided.removeAll()
      let alone = guardian.sessions.count <= 1
      for item in waiting {
        if alone || item.event.time - now <= (options.maxSkew ?? .max) {
          holdWaiting(item.event, now, before)
        } else {
          holdAhead(item.event)
        }
      }
      letGo()
    }
    let last = max(buckets.pointee.lastTime ?? .min, latestUnwanted)
    if last > .min { now = max(now ?? .min, last) }
  }

  // MARK: Events out

  /// The next events that the clock has passed, all of one type, in time order: their times are those at which they are delivered.
  /// Nil when there are none (left).
  public func next(limit: Int = 4096) -> EventBatch? {
    if takenHead == takenCount, !take(limit) { return nil }
    let runs = runs(min(takenCount - takenHead, limit))
    let count = runs.reduce(0) { $0 + $1.events.count }
    let batch = RowReader(runs: runs, count: count).batch()
    for run in runs { buckets.pointee.segments.release(run.events[0].segment, run.events.count) }
    takenHead += count
    counts.delivered &+= UInt64(count)
    return batch
  }

  /// The next of the events taken, segment by segment, as far as they are of one type.
  private func runs(_ limit: Int) -> [RowRun] {
    var runs: [RowRun] = []
    var (start, end) = (takenHead, takenHead + limit)
    while start < end {
      let segment = taken[start].segment
      let rows = buckets.pointee.segments[segment]
      if let first = runs.first, first.segment.pointee.layout.type !== rows.pointee.layout.type { break }
      var next = start + 1
      while next < end, taken[next].segment == segment { next += 1 }
      runs.append(RowRun(events: UnsafeBufferPointer(start: taken + start, count: next - start), segment: rows))
      start = next
    }
    end = start
    return runs
  }

  private func take(_ limit: Int) -> Bool {
    guard let now, buckets.pointee.count > 0, limit > 0 else { return false }
    if takenCapacity < limit {
      taken.deallocate()
      taken = .allocate(capacity: limit)
      takenCapacity = limit
    }
    takenHead = 0
    takenCount = buckets.pointee.take(through: now, limit: limit, into: taken)
    return takenCount > 0
  }

  // MARK: State

  /// The clock and the events that it holds; those about which nothing is decided come again as if they came anew. What sessions have
  /// done is not kept: after a restart they are others.
  public func exchange(_ archive: StateArchive) {
    archive.integer(&now)
    archive.integer(&latestUnwanted)
    for path in [\WatermarkCounts.received, \.delivered, \.unwanted, \.late, \.dropped, \.ahead, \.pressed] {
      archive.word(&counts[keyPath: path])
    }
    var held = archive.isSaving ? batches(of: buckets.pointee.all.map { (session: 0, event: $0) }) : []
    archive.array(&held, blank: nil) { archive.batch(&$0) }
    var waiting = archive.isSaving ? batches(of: undecided.filter { $0.event.segment != HeldEvent.nowhere }) : []
    archive.array(&waiting, blank: nil) { archive.batch(&$0) }
    guard archive.isRestoring, archive.failure == nil else { return }
    now = now.map(Self.bounded)
    clockAtLastRecord = now
    for case let batch? in held { putBack(batch) }
    for case let batch? in waiting { add(batch, wall: 0) }
    lastWall = nil
  }

  /// Copies of held events, in order.
  private func batches(of items: [(session: UInt32, event: HeldEvent)]) -> [EventBatch?] {
    var batches: [EventBatch?] = []
    var start = 0
    while start < items.count {
      let type = buckets.pointee.segments[items[start].event.segment].pointee.layout.type
      var end = start + 1
      while end < items.count, end - start < 4096,
        buckets.pointee.segments[items[end].event.segment].pointee.layout.type === type
      { end += 1 }
      let events = items[start..<end].map(\.event)
      let batch = events.withUnsafeBufferPointer { events in
        let runs = events.indices.map { index in
          RowRun(events: UnsafeBufferPointer(rebasing: events[index...index]), segment: buckets.pointee.segments[events[index].segment])
        }
        return RowReader(runs: runs, count: events.count).batch()
      }
      batches.append(
        EventBatch(
          type: type, count: batch.count, properties: batch.properties, columns: batch.columns, times: batch.times,
          sessions: items[start..<end].map(\.session)))
      start = end
    }
    return batches
  }

  /// Holds events that were held before: no clock goes by their times.
  private func putBack(_ batch: EventBatch) {
    let layout = layout(for: batch)
    reservePlaces(batch.count)
    for row in 0..<batch.count {
      place(batch.times[row], row, layout)
    }
    writeRows(of: batch, layout.layout)
  }

  // MARK: Memory

  private func press() {
    let excess = buckets.pointee.count - options.maxHeld * 7 / 8
    counts.pressed &+= UInt64(excess)
    advance(to: buckets.pointee.time(ofExcess: excess))
  }
}
