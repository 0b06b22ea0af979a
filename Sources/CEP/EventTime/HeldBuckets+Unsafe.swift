/// Held events by time: coarse buckets in a ring, each sorted when its time comes.
///
/// An event costs one append, and a share of one counting sort. Events of equal time keep the order of their arrival.
struct HeldBuckets {
  private struct Bucket {
    var events: UnsafeMutablePointer<HeldEvent>?
    var head = 0
    var count = 0
    var capacity = 0
    /// Up to where [head, count) is in order.
    var sorted = 0
    /// The segment that takes the bucket's new rows, and the number of its layout.
    var segment: UInt32 = 0
    var layout: Int32 = -1
  }

  static let shift: Int64 = 8
  private static let width = 1 << Int(shift)
  private static let ringSize = 1 << 13

  private let ring: UnsafeMutablePointer<Bucket>
  /// Events too far ahead for the ring, in order of arrival.
  private var far: [HeldEvent] = []
  private var lowestFar = Int64.max
  /// The number of the earliest bucket that may hold something.
  private var first = Int64.min
  private(set) var count = 0
  private var scratch: UnsafeMutablePointer<HeldEvent>
  private var scratchCapacity = 1024
  var segments = SegmentTable()
  /// What takes the rows of events that are too far ahead.
  private var farSegment: UInt32 = 0
  private var farLayout: Int32 = -1
  /// Emptied buckets' memory, to be used again.
  private var spare: [(UnsafeMutablePointer<HeldEvent>, Int)] = []

  init() {
    ring = .allocate(capacity: Self.ringSize)
    ring.initialize(repeating: Bucket(), count: Self.ringSize)
    scratch = .allocate(capacity: scratchCapacity)
  }

  mutating func deallocate() {
    segments.deallocate()
    for index in 0..<Self.ringSize { ring[index].events?.deallocate() }
    for (memory, _) in spare { memory.deallocate() }
    ring.deallocate()
    scratch.deallocate()
  }

  /// Gives a new row its place.
  /// - Parameters:
  ///   - time: not earlier than any that has been taken.
  ///   - number: the layout's, by which segments are told apart.
  @inline(__always)
  mutating func place(_ time: Int64, source: Int, _ layout: RowLayout, _ number: Int32) -> RowPlace {
    let bucketNumber = reach(time)
    let segment: UInt32
    if bucketNumber - first >= Int64(Self.ringSize) {
      if farLayout != number {
        if farLayout >= 0 { segments.close(farSegment) }
        (farSegment, farLayout) = (segments.make(layout), number)
      }
      segment = farSegment
    } else {
      let bucket = ring + Int(truncatingIfNeeded: bucketNumber) & (Self.ringSize - 1)
      if bucket.pointee.layout != number {
        if bucket.pointee.layout >= 0 { segments.close(bucket.pointee.segment) }
        (bucket.pointee.segment, bucket.pointee.layout) = (segments.make(layout), number)
      }
      segment = bucket.pointee.segment
    }
    let row = segments.append(segment)
    insert(HeldEvent(time: time, segment: segment, row: row), bucketNumber)
    return RowPlace(source: UInt32(source), row: row, segment: segments[segment])
  }

  /// Holds an event whose row has its place already.
  mutating func add(_ event: HeldEvent) { insert(event, reach(event.time)) }

  /// The number of the bucket for a time, with the ring where it can take it.
  @inline(__always)
  private mutating func reach(_ time: Int64) -> Int64 {
    let number = time >> Self.shift
    if count == 0 {
      first = number
    } else if number < first {
      lower(to: number)
    }
    return number
  }

  @inline(__always)
  private mutating func insert(_ event: HeldEvent, _ number: Int64) {
    count += 1
    if number - first >= Int64(Self.ringSize) { return addFar(event, number) }
    append(event, number)
  }

  @inline(__always)
  private mutating func append(_ event: HeldEvent, _ number: Int64) {
    let bucket = ring + Int(truncatingIfNeeded: number) & (Self.ringSize - 1)
    if bucket.pointee.count == bucket.pointee.capacity { grow(bucket) }
    if let events = bucket.pointee.events { (events + bucket.pointee.count).initialize(to: event) }
    bucket.pointee.count += 1
  }

  private mutating func addFar(_ event: HeldEvent, _ number: Int64) {
    far.append(event)
    lowestFar = min(lowestFar, number)
  }

  /// Before anything has been taken an event may come that is earlier than the first: what no longer fits the ring moves out.
  private mutating func lower(to number: Int64) {
    for old in Swift.max(number + Int64(Self.ringSize), first)..<first + Int64(Self.ringSize) {
      let bucket = ring + Int(truncatingIfNeeded: old) & (Self.ringSize - 1)
      guard bucket.pointee.count > bucket.pointee.head, let events = bucket.pointee.events else { continue }
      for index in bucket.pointee.head..<bucket.pointee.count { addFar(events[index], old) }
      empty(bucket)
    }
    first = number
  }

  private mutating func grow(_ bucket: UnsafeMutablePointer<Bucket>) {
    if bucket.pointee.events == nil, let (memory, capacity) = spare.popLast() {
      bucket.pointee.events = memory
      bucket.pointee.capacity = capacity
      return
    }
    let capacity = max(16, bucket.pointee.capacity * 2)
    let memory = UnsafeMutablePointer<HeldEvent>.allocate(capacity: capacity)
    if let old = bucket.pointee.events {
      memory.moveInitialize(from: old, count: bucket.pointee.count)
      old.deallocate()
    }
    bucket.pointee.events = memory
    bucket.pointee.capacity = capacity
  }

  private mutating func empty(_ bucket: UnsafeMutablePointer<Bucket>) {
    if bucket.pointee.layout >= 0 { segments.close(bucket.pointee.segment) }
    if let events = bucket.pointee.events {
      if spare.count < 64 { spare.append((events, bucket.pointee.capacity)) } else { events.deallocate() }
    }
    bucket.pointee = Bucket()
  }

  /// Takes events up to and including `time`, in order, into `target`, at most `limit`; their number.
  mutating func take(through time: Int64, limit: Int, into target: UnsafeMutablePointer<HeldEvent>) -> Int {
    let last = time >> Self.shift
    var taken = 0
    while count > 0, first <= last, taken < limit {
      let bucket = ring + Int(truncatingIfNeeded: first) & (Self.ringSize - 1)
      if bucket.pointee.count > bucket.pointee.head, let events = bucket.pointee.events {
        if bucket.pointee.sorted < bucket.pointee.count { sort(bucket, events) }
        let head = bucket.pointee.head
        var end = min(bucket.pointee.count, head + limit - taken)
        // All of an earlier bucket is due; of the last one the head is.
        if first == last { while end > head, events[end - 1].time > time { end -= 1 } }
        (target + taken).initialize(from: events + head, count: end - head)
        taken += end - head
        count -= end - head
        bucket.pointee.head = end
        if end < bucket.pointee.count { return taken }
        empty(bucket)
      }
      if first == last { return taken }
      step(last)
    }
    return taken
  }

  /// On to the next bucket; those far ahead come into the ring as soon as there is room for them.
  private mutating func step(_ last: Int64) {
    first = count == far.count && !far.isEmpty ? min(last, lowestFar) : first + 1
    if first == last, count == 0 { return }
    guard !far.isEmpty, lowestFar - first < Int64(Self.ringSize) else { return }
    if farLayout >= 0 { segments.close(farSegment) }
    farLayout = -1
    let moved = far
    far.removeAll(keepingCapacity: true)
    lowestFar = .max
    for event in moved {
      let number = event.time >> Self.shift
      if number - first < Int64(Self.ringSize) { append(event, number) } else { addFar(event, number) }
    }
  }

  /// Stable. Most buckets are large enough for counting by the milliseconds within them.
  private mutating func sort(_ bucket: UnsafeMutablePointer<Bucket>, _ events: UnsafeMutablePointer<HeldEvent>) {
    let (head, count) = (bucket.pointee.head, bucket.pointee.count)
    bucket.pointee.sorted = count
    let size = count - head
    if size < 24 {
      for index in head + 1..<max(count, head + 1) {
        let event = events[index]
        var place = index
        while place > head, events[place - 1].time > event.time {
          events[place] = events[place - 1]
          place -= 1
        }
        events[place] = event
      }
      return
    }
    if scratchCapacity < size {
      scratch.deallocate()
      scratchCapacity = size * 2
      scratch = .allocate(capacity: scratchCapacity)
    }
    let scratch = self.scratch
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.width + 1) { starts in
      starts.initialize(repeating: 0)
      for index in head..<count { starts[Int(events[index].time) & (Self.width - 1) + 1] += 1 }
      for value in 1...Self.width { starts[value] += starts[value - 1] }
      for index in head..<count {
        let value = Int(events[index].time) & (Self.width - 1)
        (scratch + Int(starts[value])).initialize(to: events[index])
        starts[value] += 1
      }
    }
    (events + head).update(from: scratch, count: size)
  }

  /// The time of the bucket's end below which at least `excess` events are held.
  func time(ofExcess excess: Int) -> Int64 {
    var (number, seen) = (first, 0)
    while seen < excess, number < first + Int64(Self.ringSize) {
      let bucket = ring[Int(truncatingIfNeeded: number) & (Self.ringSize - 1)]
      seen += bucket.count - bucket.head
      number += 1
    }
    return number << Self.shift - 1
  }

  /// All that is held, in the order in which it will be due.
  var all: [HeldEvent] {
    var all = far
    for index in 0..<Self.ringSize {
      guard let events = ring[index].events else { continue }
      for place in ring[index].head..<ring[index].count { all.append(events[place]) }
    }
    // Of one time the earlier in its bucket came first; within a bucket the order is that of arrival, or sorted already.
    return all.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
  }

  /// The largest time held; nil where none is.
  var lastTime: Int64? {
    var last = far.map(\.time).max()
    for index in 0..<Self.ringSize {
      guard let events = ring[index].events else { continue }
      for place in ring[index].head..<ring[index].count { last = max(last ?? .min, events[place].time) }
    }
    return last
  }
}
