internal import EventModel

/// What a batch says of its events, without the checks of arrays: each is empty, or has as many as there are events.
private struct Arrivals {
  let count: Int
  let times: UnsafeBufferPointer<Int64>
  let exportTimes: UnsafeBufferPointer<Int64>
  let sessions: UnsafeBufferPointer<UInt32>
  /// Nil where all have values.
  let chosen: UnsafeBufferPointer<UInt32>?

  func are(_ rows: Range<Int>, of session: UInt32) -> Bool {
    if sessions.isEmpty { return session == 0 }
    // Most stretches of more than one begin or end with another.
    guard sessions[rows.lowerBound] == session, sessions[rows.upperBound - 1] == session else { return false }
    var others: UInt32 = 0
    for row in rows { others |= sessions[row] ^ session }
    return others == 0
  }
}

/// How far a batch has been taken in.
private struct Admission {
  var clock: Int64
  /// A time behind this is far ahead.
  var limit: Int64
  /// The last event's session, as long as nothing is undecided.
  var session: UInt32?
  var late: UInt64 = 0
  /// The next of the batch's values.
  var value = 0
}

// MARK: Events in

extension WatermarkClock {
  private static let undecidedLimit = 65_536
  /// Events that are looked at together, as long as none of them needs a look of its own.
  private static let stretch = 128

  func admit(_ batch: EventBatch, _ layout: (layout: RowLayout, number: Int32), _ wall: Int64) {
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

  private func admit(_ arrivals: Arrivals, _ layout: (layout: RowLayout, number: Int32), _ wall: Int64) {
    let skew = options.maxSkew ?? Self.extreme * 2
    var state = Admission(clock: now ?? .min, limit: now.map { $0 + skew } ?? .min)
    var row = 0
    while row < arrivals.count {
      let end = min(row + Self.stretch, arrivals.count)
      if !admitPlain(row..<end, arrivals, layout, skew, &state) {
        for row in row..<end { admit(row, arrivals, layout, skew, wall, &state) }
      }
      row = end
    }
    if state.clock != .min { now = state.clock }
    counts.late &+= state.late
    if options.late == .drop { counts.dropped &+= state.late }
  }

  /// Takes a stretch of events in at once, where they are all of the last event's session, none is late by the clock as the stretch leaves
  /// it, and none far ahead. False where it is otherwise, and nothing has been done.
  private func admitPlain(
    _ rows: Range<Int>, _ arrivals: Arrivals, _ layout: (layout: RowLayout, number: Int32), _ skew: Int64, _ state: inout Admission
  ) -> Bool {
    guard let session = state.session, guardian.candidates == 0, !arrivals.times.isEmpty, arrivals.are(rows, of: session) else {
      return false
    }
    var (first, last) = (Int64.max, Int64.min)
    for row in rows {
      first = min(first, arrivals.times[row])
      last = max(last, arrivals.times[row])
    }
    // The largest time that is trusted, and by how much a time lies behind its message's at most.
    var (trusted, ahead) = (last, Int64(0))
    if !arrivals.exportTimes.isEmpty {
      (trusted, ahead) = (.min, .min)
      for row in rows {
        let (time, bound) = (arrivals.times[row], max(arrivals.exportTimes[row], -Self.extreme))
        trusted = max(trusted, min(time, bound))
        ahead = max(ahead, time &- bound)
      }
    }
    guard first >= -Self.extreme, last <= Self.extreme, trusted <= state.limit, ahead <= skew else { return false }
    let clock = max(state.clock, trusted - options.lateness)
    guard first >= clock else { return false }
    if clock > state.clock { (state.clock, state.limit) = (clock, clock + skew) }
    earliest = min(earliest, first)
    let held = placeCount
    if let chosen = arrivals.chosen {
      while state.value < chosen.count, Int(chosen[state.value]) < rows.upperBound {
        place(arrivals.times[Int(chosen[state.value])], state.value, layout)
        state.value += 1
      }
    } else {
      for row in rows { place(arrivals.times[row], row, layout) }
      state.value = rows.upperBound
    }
    let unwanted = rows.count - (placeCount - held)
    // Or later than the last of them: what is held is asked for its last time too.
    if unwanted > 0 { passBy(last, UInt64(unwanted)) }
    return true
  }

  @inline(__always)
  func place(_ time: Int64, _ source: Int, _ layout: (layout: RowLayout, number: Int32)) {
    (places + placeCount).initialize(to: buckets.pointee.place(time, source: source, layout.layout, layout.number))
    placeCount += 1
  }

  private func admit(
    _ row: Int, _ arrivals: Arrivals, _ layout: (layout: RowLayout, number: Int32), _ skew: Int64, _ wall: Int64, _ state: inout Admission
  ) {
    var source: Int? = state.value
    if let chosen = arrivals.chosen, state.value == chosen.count || Int(chosen[state.value]) != row {
      source = nil
    } else {
      state.value += 1
    }
    var time = arrivals.times.isEmpty ? max(state.clock, -Self.extreme) : Self.bounded(arrivals.times[row])
    let message = arrivals.exportTimes.isEmpty ? nil : arrivals.exportTimes[row]
    let trusted = min(time, message.map(Self.bounded) ?? time)
    let sender = arrivals.sessions.isEmpty ? 0 : arrivals.sessions[row]
    if trusted > state.limit {
      now = state.clock == .min ? nil : state.clock
      suspect(sender, wait(source, time, layout), trusted, message, wall)
      state.clock = now ?? .min
      state.limit = now.map { $0 + skew } ?? .min
      state.session = nil
      return
    }
    if state.session != sender || guardian.candidates > 0 {
      state.session = sender
      if guardian.inRange(sender, wall: wall) {
        now = state.clock
        giveUpWaiting(of: sender)
      }
    }
    if trusted - options.lateness > state.clock {
      state.clock = trusted - options.lateness
      state.limit = state.clock + skew
    }
    if time - trusted > skew {
      // No flow ends so long after its export: the time is nonsense, and the event belongs where its message does.
      time = trusted
      counts.ahead &+= 1
    }
    if time < state.clock {
      state.late += 1
      if options.late == .drop { return }
      time = state.clock
    }
    earliest = min(earliest, time)
    if let source { place(time, source, layout) } else { passBy(time) }
  }

  /// Events that nobody wants have their time.
  @inline(__always)
  private func passBy(_ time: Int64, _ events: UInt64 = 1) {
    counts.unwanted &+= events
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

  func letGo() {
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

  func move(to time: Int64, _ wall: Int64) {
    let clock = max(now ?? .min, time - options.lateness)
    if let now, clock > now { guardian.notices.append(.jumped(from: now, to: clock)) }
    now = clock
    guardian.settle(clock: clock, wall: wall)
  }

  /// Holds those that waited and are in range of the clock as it is now.
  /// - Parameter before: the clock as it was while they waited.
  func readmit(since before: Int64?) {
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
  func holdWaiting(_ event: HeldEvent, _ now: Int64, _ before: Int64?) {
    let earliest = before ?? (guardian.sessions.count <= 1 ? .min : now - (options.maxSkew ?? Self.extreme))
    if event.time >= earliest { keep(event) } else { hold(event, now) }
  }

  /// A session is ahead, or its far time was a blip: what waited of it is delivered at the current clock.
  func giveUpWaiting(of session: UInt32) {
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

  func holdAhead(_ event: HeldEvent) {
    guard let now else { return undecided.append((0, event)) }
    counts.ahead &+= 1
    keep(HeldEvent(time: now, segment: event.segment, row: event.row))
  }
}
