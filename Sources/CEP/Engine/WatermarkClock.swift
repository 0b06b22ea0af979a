internal import EventModel

/// The watermark clock: it stays `lateness` behind the largest believable time seen, never goes back, and gives events out in time order
/// once it has passed them.
///
/// What is given out, and in which order, does not depend on how the events were cut into batches.
final class WatermarkClock {
  private let options: EngineOptions
  private var queue = ReorderQueue()
  /// The largest time that moved the clock; nil before the first event.
  private var largest: Int64?
  /// Where the clock would be without idle time.
  private(set) var clock: Int64?
  private var clockAtLastEvent: Int64 = 0
  private(set) var late: UInt64 = 0
  private(set) var lateDropped: UInt64 = 0
  /// Sessions found ahead of all others.
  private(set) var sessionsAhead: Set<UInt32> = []
  private var leap: Leap?

  /// Events far ahead of the clock, which wait until others agree with their time.
  private struct Leap {
    var session: UInt32
    /// The export times of the messages that agree.
    var messages: Set<Int64>
    var target: Int64
    var events: [(batch: EventBatch, row: Int, time: Int64)]
  }
  private static let messagesToAgree = 4
  private static let mostSuspended = 65_536

  init(_ options: EngineOptions) { self.options = options }

  func take(_ batch: EventBatch) {
    for row in 0..<batch.count {
      let time = batch.times.isEmpty ? (batch.exportTimes.isEmpty ? clock ?? 0 : batch.exportTimes[row]) : batch.times[row]
      let export = batch.exportTimes.isEmpty ? time : batch.exportTimes[row]
      let session = batch.sessions.isEmpty ? 0 : batch.sessions[row]
      take(batch, row, time, export, session)
    }
    clockAtLastEvent = clock ?? 0
  }

  private func take(_ batch: EventBatch, _ row: Int, _ time: Int64, _ export: Int64, _ session: UInt32) {
    let candidate = min(time, export)
    guard let largest else {
      move(to: candidate)
      return hold(batch, row, time)
    }
    if candidate > largest, candidate - largest > options.maxSkew { return suspend(batch, row, time, candidate, export, session) }
    if let leap, leap.session != session { refute(leap) }
    if candidate > largest { move(to: candidate) }
    hold(batch, row, time)
  }

  private func move(to time: Int64) {
    largest = time
    clock = max(clock ?? .min, time - options.lateness)
  }

  private func hold(_ batch: EventBatch, _ row: Int, _ time: Int64) {
    guard let clock, time < clock else { return queue.insert(batch, row, time) }
    late += 1
    if options.late == .drop { lateDropped += 1 } else { queue.insert(batch, row, clock) }
  }

  private func suspend(_ batch: EventBatch, _ row: Int, _ time: Int64, _ candidate: Int64, _ export: Int64, _ session: UInt32) {
    var current = leap ?? Leap(session: session, messages: [], target: candidate, events: [])
    leap = nil
    let agrees = session != current.session && abs(candidate - current.target) <= options.maxSkew
    current.target = session == current.session ? max(current.target, candidate) : current.target
    current.messages.insert(export)
    current.events.append((batch, row, time))
    let isAlone = sessionsAhead.isEmpty || !sessionsAhead.contains(session)
    if agrees || (isAlone && current.messages.count >= WatermarkClock.messagesToAgree) { return accept(current) }
    if current.events.count > WatermarkClock.mostSuspended || sessionsAhead.contains(session) { return release(current) }
    leap = current
  }

  /// The time was right after all: the clock follows.
  private func accept(_ leap: Leap) {
    sessionsAhead.remove(leap.session)
    move(to: leap.target)
    for event in leap.events { hold(event.batch, event.row, event.time) }
  }

  /// Another session goes on in its own time: the one ahead moves nobody's clock, and its events are delivered now.
  private func refute(_ leap: Leap) {
    sessionsAhead.insert(leap.session)
    release(leap)
  }

  private func release(_ leap: Leap) {
    self.leap = nil
    for event in leap.events { queue.insert(event.batch, event.row, largest ?? event.time) }
  }

  /// The next event that the clock has passed, with the time at which it is delivered.
  func next() -> (batch: EventBatch, row: Int, time: Int64)? {
    guard let clock else { return nil }
    return queue.takeFirst(upTo: clock)
  }

  func idle(for milliseconds: Int64) {
    guard milliseconds >= options.idleAfter, let clock else { return }
    self.clock = max(clock, clockAtLastEvent + milliseconds)
  }

  /// The end of input: everything is passed.
  func drain() {
    if let leap {
      self.leap = nil
      accept(leap)
    }
    if let last = queue.largestTime { clock = max(clock ?? .min, last) }
  }
}

/// Events by time: buckets of a quarter of a second, sorted when their time comes.
struct ReorderQueue {
  private struct Entry {
    var time: Int64
    var batch: Int32
    var row: Int32
  }
  private static let bucketBits: Int64 = 8
  private var buckets: [Int64: [Entry]] = [:]
  /// The numbers of the buckets that hold events, as a heap.
  private var numbers: [Int64] = []
  /// The bucket being given out, in order.
  private var open: [Entry] = []
  private var position = 0
  private var openNumber = Int64.min
  private var batches: [Int32: (batch: EventBatch, left: Int)] = [:]
  private var newest: (batch: EventBatch, number: Int32)?
  private var nextNumber: Int32 = 0
  private(set) var largestTime: Int64?
  private(set) var count = 0

  mutating func insert(_ batch: EventBatch, _ row: Int, _ time: Int64) {
    let entry = Entry(time: time, batch: number(of: batch), row: Int32(row))
    count += 1
    largestTime = max(largestTime ?? time, time)
    let bucket = time >> ReorderQueue.bucketBits
    if bucket <= openNumber {
      // After all that are no later, so that equal times keep their order of arrival.
      var index = open.count
      while index > position, open[index - 1].time > time { index -= 1 }
      open.insert(entry, at: index)
    } else if buckets[bucket]?.append(entry) == nil {
      buckets[bucket] = [entry]
      push(bucket)
    }
  }

  private mutating func number(of batch: EventBatch) -> Int32 {
    if let newest, newest.batch === batch {
      batches[newest.number]?.left += 1
      return newest.number
    }
    nextNumber &+= 1
    batches[nextNumber] = (batch, 1)
    newest = (batch, nextNumber)
    return nextNumber
  }

  mutating func takeFirst(upTo time: Int64) -> (batch: EventBatch, row: Int, time: Int64)? {
    if position == open.count {
      guard let number = numbers.first, number << ReorderQueue.bucketBits <= time else { return nil }
      pop()
      openNumber = number
      // A stable sort, so that equal times keep their order of arrival.
      open = buckets.removeValue(forKey: number) ?? []
      open = open.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
      position = 0
    }
    guard position < open.count, open[position].time <= time else { return nil }
    let entry = open[position]
    position += 1
    count -= 1
    guard let held = batches[entry.batch] else { return nil }
    if held.left == 1 {
      batches[entry.batch] = nil
      if newest?.number == entry.batch { newest = nil }
    } else {
      batches[entry.batch]?.left -= 1
    }
    return (held.batch, Int(entry.row), entry.time)
  }

  private mutating func push(_ number: Int64) {
    numbers.append(number)
    var child = numbers.count - 1
    while child > 0, numbers[child] < numbers[(child - 1) / 2] {
      numbers.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private mutating func pop() {
    let last = numbers.removeLast()
    guard !numbers.isEmpty else { return }
    numbers[0] = last
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < numbers.count && numbers[child] < numbers[least] { least = child }
      if least == parent { return }
      numbers.swapAt(parent, least)
      parent = least
    }
  }
}
