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

extension Array {
  /// The first place at which `isBehind` holds: it holds for all that follow, too.
  func firstPlace(where isBehind: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// The first so many events in an order.
final class SortView: View {
  private let size: Int
  private let ordering: Ordering
  private let site: ViewSite
  private typealias Entry = (keys: [Value], event: Event)
  private var entries: [Entry] = []
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)
  init(size: Int, ordering: Ordering, site: ViewSite) {
    self.size = size
    self.ordering = ordering
    self.site = site
  }
  override var contents: [Event] { entries.map(\.event) }
  override var contentCount: Int { entries.count }
  override func content(_ index: Int) -> Event? { entries.indices.contains(index) ? entries[index].event : nil }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old where try remove(event) { leaving.append(event) }
    for event in new {
      let keys = try site.values(ordering.keys, of: event)
      // Of equal events the newest stands first, so that the oldest leaves first.
      entries.insert((keys, event), at: entries.firstPlace { !ordering.precedes($0.keys, keys) })
    }
    while entries.count > size { leaving.append(entries.removeLast().event) }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { _ = try? remove(event) } }

  /// Whether it was there.
  private func remove(_ event: Event) throws(EvaluationError) -> Bool {
    let keys = try site.values(ordering.keys, of: event)
    let equal = entries.firstPlace { !ordering.precedes($0.keys, keys) }
    func isMeant(_ entry: Entry) -> Bool { entry.event === event }
    // Numbers that have no order (NaN) may stand elsewhere.
    guard let index = entries[equal...].firstIndex(where: isMeant) ?? entries[..<equal].firstIndex(where: isMeant) else { return false }
    entries.remove(at: index)
    return true
  }

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
  private typealias Entry = (key: [Value], keys: [Value], event: Event)
  private var entries: [Entry] = []
  /// The event of each key.
  private var held: [[Value]: Event] = [:]
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)
  init(size: Int, unique: [Evaluator], ordering: Ordering, site: ViewSite) {
    self.size = size
    self.unique = unique
    self.ordering = ordering
    self.site = site
  }
  override var contents: [Event] { entries.map(\.event) }
  override var contentCount: Int { entries.count }
  override func content(_ index: Int) -> Event? { entries.indices.contains(index) ? entries[index].event : nil }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old where try remove(event) { leaving.append(event) }
    for event in new {
      let key = try site.values(unique, of: event)
      if let before = held[key], try remove(before) { leaving.append(before) }
      let keys = try site.values(ordering.keys, of: event)
      // Of equal events the oldest stands first.
      entries.insert((key, keys, event), at: entries.firstPlace { ordering.precedes(keys, $0.keys) })
      held[key] = event
    }
    while entries.count > size {
      let last = entries.removeLast()
      held[last.key] = nil
      leaving.append(last.event)
    }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) { for event in events { _ = try? remove(event) } }

  /// Whether it was there.
  private func remove(_ event: Event) throws(EvaluationError) -> Bool {
    let keys = try site.values(ordering.keys, of: event)
    let equal = entries.firstPlace { !ordering.precedes($0.keys, keys) }
    func isMeant(_ entry: Entry) -> Bool { entry.event === event }
    // Numbers that have no order (NaN) may stand elsewhere.
    guard let index = entries[equal...].firstIndex(where: isMeant) ?? entries[..<equal].firstIndex(where: isMeant) else { return false }
    held[entries.remove(at: index).key] = nil
    return true
  }

  override func exchange(_ archive: StateArchive) {
    var events = entries.map(\.event)
    archive.events(&events)
    var (unique, keys) = (entries.map(\.key), entries.map(\.keys))
    archive.array(&unique, blank: []) { archive.values(&$0) }
    archive.array(&keys, blank: []) { archive.values(&$0) }
    guard archive.isRestoring else { return }
    entries = zip(zip(unique, keys), events).map { (key: $0.0, keys: $0.1, event: $1) }
    held = Dictionary(entries.map { ($0.key, $0.event) }, uniquingKeysWith: { first, _ in first })
  }
}
