internal import EventModel

/// The instants at which a time batch ends: a reference and whole intervals from it, kept for ever.
struct BatchGrid {
  let interval: Interval
  /// The first event's time where none is given.
  private(set) var reference: Int64?

  init(interval: Interval, reference: Int64?) {
    self.interval = interval
    self.reference = reference.map(TimeBounds.clamped)
  }

  mutating func exchange(_ archive: StateArchive) { archive.integer(&reference) }

  /// The next end after `now`, which becomes the reference.
  mutating func next(after now: Int64) -> Int64 {
    let next = end(after: now)
    reference = next
    return next
  }

  /// The next end after `now`.
  func end(after now: Int64) -> Int64 {
    let start = reference ?? now
    guard interval.months > 0 else {
      let size = max(interval.milliseconds, 1)
      var offset = (now - start) % size
      if offset < 0 { offset += size }
      return now - offset + size
    }
    var next = interval.first(after: now, from: start)
    // The reference may lie ahead.
    if next - now > 4 * 146_097 * 86_400_000 { return next }
    var earlier = interval.before(next)
    while earlier > now {
      next = earlier
      earlier = interval.before(next)
    }
    return next
  }
}
