internal import Builtins
internal import EventModel

final class LengthView: View {
  private let size: Int
  private var queue = EventQueue()
  private lazy var ownHistory = WindowHistory(self)
  init(size: Int) { self.size = size }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving = old.filter { queue.remove($0) }
    for event in new { queue.append(event) }
    leaving += queue.removeFirst(max(0, queue.count - size))
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func exchange(_ archive: StateArchive) { archive.queue(&queue) }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
}

final class KeepAllView: View {
  private var queue = EventQueue()
  private lazy var ownHistory = WindowHistory(self)
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    for event in new { queue.append(event) }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func exchange(_ archive: StateArchive) { archive.queue(&queue) }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
}

/// `firstlength`: takes events while there is room.
final class FirstLengthView: View {
  private let size: Int
  private var queue = EventQueue()
  private lazy var ownHistory = WindowHistory(self)
  init(size: Int) { self.size = size }
  override var contents: [Event] { queue.all }
  override var contentCount: Int { queue.count }
  override func content(_ index: Int) -> Event? { queue[index] }
  override var history: History? { ownHistory }
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    let leaving = old.filter { queue.remove($0) }
    var entering: [Event] = []
    for event in new where queue.count < size {
      queue.append(event)
      entering.append(event)
    }
    try pass(new: entering, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { queue.remove(event) } }
  override func exchange(_ archive: StateArchive) { archive.queue(&queue) }
  override func takeFirst(_ count: Int) -> [Event] { queue.removeFirst(count) }
}

/// The last event; `firstevent` is `FirstLengthView(size: 1)`.
final class LastEventView: View {
  private var last: Event?
  private lazy var ownHistory = WindowHistory(self)
  override var contents: [Event] { last.map { [$0] } ?? [] }
  override var history: History? { ownHistory }
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    if let last, old.contains(where: { $0 === last }) {
      leaving.append(last)
      self.last = nil
    }
    for event in new {
      if let last { leaving.append(last) }
      last = event
    }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { if let last, events.contains(where: { $0 === last }) { self.last = nil } }
  override func exchange(_ archive: StateArchive) { archive.event(&last) }
}
