internal import Builtins
internal import EventModel

/// What operators keep besides values and events.
extension StateArchive {
  /// What something keeps, to be compared with what its like keeps; nil while it holds events or waits for a time.
  static func likeness(_ exchange: (StateArchive) -> Void) -> [UInt8]? {
    let archive = comparing()
    exchange(archive)
    return archive.failure == nil ? archive.bytes : nil
  }

  /// A timer with the place in the order of its instant that it had; `make` schedules it anew.
  func timer(_ timer: inout Timer?, _ make: (_ time: Int64, _ sequence: UInt64) -> Timer) {
    var isThere = timer.map { !$0.isCancelled } ?? false
    if isComparing, isThere { return fail("something waits for a time") }
    flag(&isThere)
    var (time, sequence) = (timer?.time ?? 0, timer?.sequence ?? 0)
    if isThere {
      integer(&time)
      word(&sequence)
    }
    guard isRestoring else { return }
    timer?.cancel()
    timer = isThere && failure == nil ? make(time, sequence) : nil
  }

  /// A timer of a window, which goes by the window's slot.
  func timer(_ timer: inout Timer?, _ site: ViewSite, _ slot: inout Int, _ action: @escaping () throws(EvaluationError) -> Void) {
    place(&slot)
    let rank = slot
    self.timer(&timer) { site.clock.schedule(at: $0, for: site.statement, rank: rank, sequence: $1, action) }
  }

  func queue(_ queue: inout EventQueue) {
    if isMeasuring { return note(events: queue.count, like: queue.first) }
    var all = queue.all
    events(&all)
    if isRestoring { queue = EventQueue(all) }
  }

  func tuple(_ tuple: inout Tuple?) {
    var count = tuple.map { $0.others.count } ?? -1
    integer(&count)
    if count < 0 { return tuple = isRestoring ? nil : tuple }
    var events = count == 0 ? [tuple?.first ?? nil] : tuple?.others ?? []
    if isRestoring { events = Array(repeating: nil, count: max(1, min(count, 1 << 16))) }
    for index in events.indices { event(&events[index]) }
    guard isRestoring else { return }
    tuple = count == 0 ? events[0].map { Tuple($0) } : Tuple(joined: events)
  }

  func tuples(_ tuples: inout [Tuple]) {
    if isMeasuring { return note(entries: tuples.count, of: 64) }
    var items = tuples.map(Optional.some)
    array(&items, blank: nil) { tuple(&$0) }
    if isRestoring { tuples = items.compactMap { $0 } }
  }

  /// Work of the engine that can fail on a value, as part of restoring.
  func attempt<T>(_ work: () throws(EvaluationError) -> T) -> T? {
    do throws(EvaluationError) { return try work() } catch {
      fail(error.description)
      return nil
    }
  }
}
