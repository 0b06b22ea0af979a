internal import Builtins
internal import EventModel

/// Order keys, compiled.
struct Ordering {
  let keys: [Evaluator]
  let descending: [Bool]

  /// Nulls are smallest.
  func precedes(_ a: [Value], _ b: [Value]) -> Bool { compare(a, b) < 0 }

  func compare(_ a: [Value], _ b: [Value]) -> Int {
    for index in 0..<descending.count {
      let order = Value.order(a[index], b[index]) ?? (a[index].isNull ? (b[index].isNull ? 0 : -1) : (b[index].isNull ? 1 : 0))
      if order != 0 { return descending[index] ? -order : order }
    }
    return 0
  }
}

/// The first so many events in an order.
final class SortView: View {
  private let size: Int
  private let ordering: Ordering
  private let site: ViewSite
  private var entries: [(keys: [Value], event: Event)] = []
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)
  init(size: Int, ordering: Ordering, site: ViewSite) {
    self.size = size
    self.ordering = ordering
    self.site = site
  }
  override var contents: [Event] { entries.map(\.event) }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old {
      guard let index = entries.firstIndex(where: { $0.event === event }) else { continue }
      entries.remove(at: index)
      leaving.append(event)
    }
    for event in new {
      let keys = try site.values(ordering.keys, of: event)
      // Of equal events the newest stands first, so that the oldest leaves first.
      let position = entries.firstIndex { !ordering.precedes($0.keys, keys) } ?? entries.count
      entries.insert((keys, event), at: position)
    }
    while entries.count > size { leaving.append(entries.removeLast().event) }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { entries.removeAll { entry in events.contains { $0 === entry.event } } }
  override func exchange(_ archive: StateArchive) {
    var events = entries.map(\.event)
    archive.events(&events)
    var keys = entries.map(\.keys)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    if archive.isRestoring { entries = zip(keys, events).map { (keys: $0, event: $1) } }
  }
}

/// The first so many in an order, one event for each key.
final class RankView: View {
  private let size: Int
  private let unique: [Evaluator]
  private let ordering: Ordering
  private let site: ViewSite
  private var entries: [(key: [Value], keys: [Value], event: Event)] = []
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)
  init(size: Int, unique: [Evaluator], ordering: Ordering, site: ViewSite) {
    self.size = size
    self.unique = unique
    self.ordering = ordering
    self.site = site
  }
  override var contents: [Event] { entries.map(\.event) }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old {
      guard let index = entries.firstIndex(where: { $0.event === event }) else { continue }
      leaving.append(entries.remove(at: index).event)
    }
    for event in new {
      let key = try site.values(unique, of: event)
      let keys = try site.values(ordering.keys, of: event)
      if let index = entries.firstIndex(where: { $0.key == key }) { leaving.append(entries.remove(at: index).event) }
      // Of equal events the oldest stands first.
      let position = entries.firstIndex { ordering.precedes(keys, $0.keys) } ?? entries.count
      entries.insert((key, keys, event), at: position)
    }
    while entries.count > size { leaving.append(entries.removeLast().event) }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { entries.removeAll { entry in events.contains { $0 === entry.event } } }
  override func exchange(_ archive: StateArchive) {
    var events = entries.map(\.event)
    archive.events(&events)
    var (unique, keys) = (entries.map(\.key), entries.map(\.keys))
    archive.array(&unique, blank: []) { archive.values(&$0) }
    archive.array(&keys, blank: []) { archive.values(&$0) }
    if archive.isRestoring { entries = zip(zip(unique, keys), events).map { (key: $0.0, keys: $0.1, event: $1) } }
  }
}
