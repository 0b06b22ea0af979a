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
  public private(set) var now: Int64?
  public private(set) var counts = WatermarkCounts()
  private var guardian: SkewGuard
  /// Behind a pointer, for a property's checks would cost more than the work on one event.
  private let buckets: UnsafeMutablePointer<HeldBuckets>
  /// Events of sessions about which nothing is decided, in order of arrival.
  private var undecided: [(session: UInt32, event: HeldEvent)] = []
  /// The layout of each type's rows, and its number among all that have been.
  private var layouts: [(layout: RowLayout, number: Int32)] = []
  private var layoutCount: Int32 = 0
  /// What takes the rows of undecided events, by layout.
  private var waitingSegment: UInt32?
  private var waitingLayout: Int32 = -1
  /// Where the rows of the batch that is being taken in have their places.
  private var places: UnsafeMutablePointer<RowPlace>
  private var placeCount = 0
  private var targets: UnsafeMutablePointer<UnsafeMutableRawPointer>
  private var placeCapacity = 1
  /// Events on their way out: [head, count) are still to go.
  private var taken: UnsafeMutablePointer<HeldEvent>
  private var takenHead = 0
  private var takenCount = 0
  private var takenCapacity = 0
  private var earliest = Int64.max
  private var latestUnwanted = Int64.min
  /// Segments of rows that were dropped, perhaps before they were written.
  private var dropped: [UInt32] = []
  private var lastWall: Int64?
  private var clockAtLastRecord: Int64?

  /// Times beyond these are taken for these (over 30 million years), so that sums stay in range.
  private static let extreme: Int64 = 1 << 60
  private static let undecidedLimit = 65_536

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
    RowWriter(
      layout: layout.layout, places: UnsafeBufferPointer(start: places, count: placeCount), targets: targets
    ).write(batch)
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

  private func admit(_ batch: EventBatch, _ layout: (layout: RowLayout, number: Int32), _ wall: Int64) {
    let times = batch.times.isEmpty ? batch.exportTimes : batch.times
    times.withUnsafeBufferPointer { times in
      batch.exportTimes.withUnsafeBufferPointer { exportTimes in
        batch.sessions.withUnsafeBufferPointer { sessions in
          (batch.chosen ?? []).withUnsafeBufferPointer { chosen in
            let arrivals = Arrivals(
              count: batch.count, times: times, exportTimes: exportTimes, sessions: sessions, chosen: batch.chosen == nil ? nil : chosen)
            admit(arrivals, layout, wall)
          }
        }
      }
    }
  }

  /// What a batch says of its events, without the checks of arrays: each is empty, or has as many as there are events.
  private struct Arrivals {
    let count: Int
    let times: UnsafeBufferPointer<Int64>
    let exportTimes: UnsafeBufferPointer<Int64>
    let sessions: UnsafeBufferPointer<UInt32>
    /// Nil where all have values.
    let chosen: UnsafeBufferPointer<UInt32>?
  }

  private func admit(_ arrivals: Arrivals, _ layout: (layout: RowLayout, number: Int32), _ wall: Int64) {
    let (times, exportTimes, sessions) = (arrivals.times, arrivals.exportTimes, arrivals.sessions)
    let (lateness, skew) = (options.lateness, options.maxSkew ?? Self.extreme * 2)
    let (drops, buckets) = (options.late == .drop, buckets)
    var clock = now ?? .min
    var limit = now.map { $0 + skew } ?? .min
    var session: UInt32?
    var late: UInt64 = 0
    var value = 0
    for row in 0..<arrivals.count {
      var source: Int? = value
      if let chosen = arrivals.chosen, value == chosen.count || Int(chosen[value]) != row { source = nil } else { value += 1 }
      var time = times.isEmpty ? max(clock, -Self.extreme) : min(max(times[row], -Self.extreme), Self.extreme)
      let bound = exportTimes.isEmpty ? time : min(max(exportTimes[row], -Self.extreme), Self.extreme)
      let trusted = min(time, bound)
      let sender = sessions.isEmpty ? 0 : sessions[row]
      if trusted > limit {
        now = clock == .min ? nil : clock
        suspect(sender, wait(source, time, layout), trusted, exportTimes.isEmpty ? nil : exportTimes[row], wall)
        clock = now ?? .min
        limit = now.map { $0 + skew } ?? .min
        session = nil
        continue
      }
      if session != sender || guardian.candidates > 0 {
        session = sender
        if guardian.inRange(sender, wall: wall) {
          now = clock
          giveUpWaiting(of: sender)
        }
      }
      if trusted - lateness > clock {
        clock = trusted - lateness
        limit = clock + skew
      }
      if time - trusted > skew {
        // No flow ends so long after its export: the time is nonsense, and the event belongs where its message does.
        time = trusted
        counts.ahead &+= 1
      }
      if time < clock {
        late += 1
        if drops { continue }
        time = clock
      }
      earliest = min(earliest, time)
      guard let source else {
        passBy(time)
        continue
      }
      (places + placeCount).initialize(to: buckets.pointee.place(time, source: source, layout.layout, layout.number))
      placeCount += 1
    }
    if clock != .min { now = clock }
    counts.late &+= late
    if drops { counts.dropped &+= late }
  }

  /// An event that nobody wants has its time.
  @inline(__always)
  private func passBy(_ time: Int64) {
    counts.unwanted &+= 1
    latestUnwanted = max(latestUnwanted, time)
  }

  /// Gives an undecided event's row its place, if it has one.
  private func wait(_ source: Int?, _ time: Int64, _ layout: (layout: RowLayout, number: Int32)) -> HeldEvent {
    guard let source else { return HeldEvent(time: time, segment: HeldEvent.nowhere, row: 0) }
    let segment: UInt32
    if let waitingSegment, waitingLayout == layout.number {
      segment = waitingSegment
    } else {
      if let waitingSegment { buckets.pointee.segments.close(waitingSegment) }
      segment = buckets.pointee.segments.make(layout.layout)
      (waitingSegment, waitingLayout) = (segment, layout.number)
    }
    let number = buckets.pointee.segments.append(segment)
    (places + placeCount).initialize(
      to: RowPlace(source: UInt32(source), row: number, segment: buckets.pointee.segments[segment]))
    placeCount += 1
    return HeldEvent(time: time, segment: segment, row: number)
  }

  /// Holds an event that waited until the clock has passed it; a late one is due at once.
  private func hold(_ event: HeldEvent, _ clock: Int64) {
    if event.time >= clock { return keep(event) }
    counts.late &+= 1
    if options.late == .drop {
      counts.dropped &+= 1
      // The row's batch may still be on its way in: its place must be there when it is written.
      dropped.append(event.segment)
    } else {
      keep(HeldEvent(time: clock, segment: event.segment, row: event.row))
    }
  }

  private func letGo() {
    for segment in dropped { buckets.pointee.segments.release(segment, 1) }
    dropped.removeAll(keepingCapacity: true)
  }

  private func keep(_ event: HeldEvent) {
    earliest = min(earliest, event.time)
    if event.segment == HeldEvent.nowhere { passBy(event.time) } else { buckets.pointee.add(event) }
  }

  // MARK: Times far ahead

  private func suspect(_ session: UInt32, _ event: HeldEvent, _ trusted: Int64, _ message: Int64?, _ wall: Int64) {
    switch guardian.suspect(session, time: trusted, message: message, clock: now, wall: wall) {
    case .wait:
      undecided.append((session, event))
      guard undecided.count > Self.undecidedLimit else { return }
      let before = now
      if let now { guardian.condemn(clock: now) } else { guardian.resolve(clock: nil, wall: wall).map { move(to: $0, wall) } }
      readmit(since: before)
    case .ahead:
      undecided.append((session, event))
      giveUpWaiting(of: session)
    case .agreed(let time):
      undecided.append((session, event))
      let before = now
      move(to: time, wall)
      readmit(since: before)
    }
  }

  private func move(to time: Int64, _ wall: Int64) {
    let clock = max(now ?? .min, time - options.lateness)
    if let now, clock > now { guardian.notices.append(.jumped(from: now, to: clock)) }
    now = clock
    guardian.settle(clock: clock, wall: wall)
  }

  /// Holds those that waited and are in range of the clock as it is now.
  /// - Parameter before: the clock as it was while they waited.
  private func readmit(since before: Int64?) {
    guard let now else { return }
    let waiting = undecided
    undecided.removeAll()
    for item in waiting {
      if guardian.sessions[item.session]?.isCandidate ?? false {
        undecided.append(item)
      } else if item.event.time - now > (options.maxSkew ?? .max) {
        holdAhead(item.event)
      } else {
        holdWaiting(item.event, now, before)
      }
    }
    closeWaiting()
  }

  /// What was not older than the clock when it came is not late, however far the clock went when it was decided: it has its own time. So
  /// do the first events of all, but for one of several sessions' that the clock has far behind it.
  private func holdWaiting(_ event: HeldEvent, _ now: Int64, _ before: Int64?) {
    let earliest = before ?? (guardian.sessions.count <= 1 ? .min : now - (options.maxSkew ?? Self.extreme))
    if event.time >= earliest { keep(event) } else { hold(event, now) }
  }

  /// A session is ahead, or its far time was a blip: what waited of it is delivered at the current clock.
  private func giveUpWaiting(of session: UInt32) {
    let waiting = undecided
    undecided.removeAll()
    for item in waiting {
      if item.session == session { holdAhead(item.event) } else { undecided.append(item) }
    }
    closeWaiting()
  }

  /// When nothing is undecided, nothing need be kept for it.
  private func closeWaiting() {
    guard undecided.isEmpty, let segment = waitingSegment else { return }
    buckets.pointee.segments.close(segment)
    waitingSegment = nil
  }

  private func holdAhead(_ event: HeldEvent) {
    guard let now else { return undecided.append((0, event)) }
    counts.ahead &+= 1
    keep(HeldEvent(time: now, segment: event.segment, row: event.row))
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
    now = now.map { min(max($0, -Self.extreme), Self.extreme) }
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
      (places + placeCount).initialize(to: buckets.pointee.place(batch.times[row], source: row, layout.layout, layout.number))
      placeCount += 1
    }
    RowWriter(
      layout: layout.layout, places: UnsafeBufferPointer(start: places, count: placeCount), targets: targets
    ).write(batch)
  }

  // MARK: Memory

  private func press() {
    let excess = buckets.pointee.count - options.maxHeld * 7 / 8
    counts.pressed &+= UInt64(excess)
    advance(to: buckets.pointee.time(ofExcess: excess))
  }
}
