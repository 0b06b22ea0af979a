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
class OrderedView: View {
  /// An event with its keys in the order; and, where there is one event of each, its own key.
  typealias Entry = (key: [Value], keys: [Value], event: Event)

  private let size: Int
  final let ordering: Ordering
  final let site: ViewSite
  final var entries = OrderedPieces<Entry>()
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)
  init(size: Int, ordering: Ordering, site: ViewSite) {
    self.size = size
    self.ordering = ordering
    self.site = site
  }
  override final var contents: [Event] { entries.all.map(\.event) }
  override final var contentCount: Int { entries.count }
  override final func content(_ index: Int) -> Event? { entries[index]?.event }
  override final var history: History? { ownHistory }

  /// Puts an event in its place.
  ///
  /// - Parameter leaving: events that leave for it.
  func enter(_ event: Event, _ leaving: inout [Event]) throws(EvaluationError) {}
  /// An entry has been taken out.
  func forget(_ entry: Entry) {}

  override final func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old where try remove(event) { leaving.append(event) }
    for event in new { try enter(event, &leaving) }
    while entries.count > size, let last = entries.removeLast() {
      forget(last)
      leaving.append(last.event)
    }
    try pass(new: new, old: leaving)
  }
  override final func discard(_ events: [Event]) { for event in events { _ = try? remove(event) } }

  /// Whether it was there.
  final func remove(_ event: Event) throws(EvaluationError) -> Bool {
    let keys = try site.values(ordering.keys, of: event)
    func isMeant(_ entry: Entry) -> Bool { entry.event === event }
    let own = entries.place(
      from: entries.firstPlace { !ordering.precedes($0.keys, keys) }, where: isMeant, while: { !ordering.precedes(keys, $0.keys) })
    // Numbers that have no order (NaN) may stand elsewhere.
    guard let place = own ?? entries.place(from: entries.start, where: isMeant) else { return false }
    forget(entries.remove(at: place))
    return true
  }
}

final class SortView: OrderedView {
  override func enter(_ event: Event, _ leaving: inout [Event]) throws(EvaluationError) {
    let keys = try site.values(ordering.keys, of: event)
    // Of equal events the newest stands first, so that the oldest leaves first.
    entries.insert(([], keys, event), at: entries.firstPlace { !ordering.precedes($0.keys, keys) })
  }

  override func exchange(_ archive: StateArchive) {
    var (events, keys) = (contents, entries.all.map(\.keys))
    archive.events(&events)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    if archive.isRestoring { entries = OrderedPieces(zip(keys, events).map { (key: [], keys: $0, event: $1) }) }
  }
}

/// One event for each key.
final class RankView: OrderedView {
  private let unique: [Evaluator]
  /// The event of each key.
  private var held: [[Value]: Event] = [:]
  init(size: Int, unique: [Evaluator], ordering: Ordering, site: ViewSite) {
    self.unique = unique
    super.init(size: size, ordering: ordering, site: site)
  }

  override func enter(_ event: Event, _ leaving: inout [Event]) throws(EvaluationError) {
    let key = try site.values(unique, of: event)
    if let before = held[key], try remove(before) { leaving.append(before) }
    let keys = try site.values(ordering.keys, of: event)
    // Of equal events the oldest stands first.
    entries.insert((key, keys, event), at: entries.firstPlace { ordering.precedes(keys, $0.keys) })
    held[key] = event
  }
  override func forget(_ entry: Entry) { held[entry.key] = nil }

  override func exchange(_ archive: StateArchive) {
    var (events, unique, keys) = (contents, entries.all.map(\.key), entries.all.map(\.keys))
    archive.events(&events)
    archive.array(&unique, blank: []) { archive.values(&$0) }
    archive.array(&keys, blank: []) { archive.values(&$0) }
    guard archive.isRestoring else { return }
    let all = zip(zip(unique, keys), events).map { (key: $0.0, keys: $0.1, event: $1) }
    entries = OrderedPieces(all)
    held = Dictionary(all.map { ($0.key, $0.event) }, uniquingKeysWith: { first, _ in first })
  }
}
