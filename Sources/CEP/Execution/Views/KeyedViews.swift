internal import Builtins
internal import EventModel

/// Events by key, in the order in which the keys first came.
struct KeyedEvents {
  private var positions: [[Value]: Int] = [:]
  private var entries: [(key: [Value], event: Event)?] = []
  private var live = 0

  var count: Int { live }
  /// One of them, in the order of `all`.
  subscript(index: Int) -> Event? {
    guard index >= 0, index < live else { return nil }
    return live == entries.count ? entries[index]?.event : all[index]
  }
  var all: [Event] { entries.compactMap { $0?.event } }
  subscript(key: [Value]) -> Event? { positions[key].flatMap { entries[$0]?.event } }

  mutating func set(_ key: [Value], _ event: Event) -> Event? {
    if let position = positions[key] {
      let before = entries[position]?.event
      entries[position] = (key, event)
      return before
    }
    positions[key] = entries.count
    entries.append((key, event))
    live += 1
    return nil
  }

  mutating func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return archive.note(events: live, like: entries.lazy.compactMap { $0?.event }.first) }
    var events = all
    archive.events(&events)
    var keys = entries.compactMap { $0?.key }
    archive.array(&keys, blank: []) { archive.values(&$0) }
    guard archive.isRestoring else { return }
    self = KeyedEvents()
    for (key, event) in zip(keys, events) { _ = set(key, event) }
  }

  mutating func remove(_ key: [Value]) {
    guard let position = positions.removeValue(forKey: key) else { return }
    entries[position] = nil
    live -= 1
    if entries.count > 64, live * 2 < entries.count {
      entries = entries.filter { $0 != nil }
      positions.removeAll(keepingCapacity: true)
      for (index, entry) in entries.enumerated() { if let entry { positions[entry.key] = index } }
    }
  }
}

/// An event of each key.
class OnePerKeyView: View {
  private let keys: [Evaluator]
  private let site: ViewSite
  final var events = KeyedEvents()
  private lazy var ownHistory = WindowHistory(self)
  init(keys: [Evaluator], site: ViewSite) {
    self.keys = keys
    self.site = site
  }
  override final var contents: [Event] { events.all }
  override final var contentCount: Int { events.count }
  override final func content(_ index: Int) -> Event? { events[index] }
  override final var history: History? { ownHistory }

  final func key(of event: Event) throws(EvaluationError) -> [Value] { try site.values(keys, of: event) }

  /// Whether it was there.
  final func remove(_ event: Event) throws(EvaluationError) -> Bool {
    let key = try key(of: event)
    guard events[key] === event else { return false }
    events.remove(key)
    return true
  }
  override final func discard(_ discarded: [Event]) { for event in discarded { _ = try? remove(event) } }
  override final func exchange(_ archive: StateArchive) { events.exchange(archive) }
}

/// The last event of each key.
final class UniqueView: OnePerKeyView {
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in new { if let before = events.set(try key(of: event), event) { leaving.append(before) } }
    for event in old where try remove(event) { leaving.append(event) }
    try pass(new: new, old: leaving)
  }
}

/// The first event of each key.
final class FirstUniqueView: OnePerKeyView {
  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    for event in old where try remove(event) { leaving.append(event) }
    var entering: [Event] = []
    for event in new {
      let key = try key(of: event)
      if events[key] == nil {
        _ = events.set(key, event)
        entering.append(event)
      }
    }
    try pass(new: entering, old: leaving)
  }
}

/// A chain of windows for each key.
final class GroupedView: View {
  private let keys: [Evaluator]
  private let site: ViewSite
  private let makeChain: () throws(EvaluationError) -> ViewChain
  private var positions: [[Value]: Int] = [:]
  private var chains: [ViewChain] = []
  private var forgetsAt = 256
  private lazy var ownHistory = GroupedHistory(self)

  init(keys: [Evaluator], site: ViewSite, makeChain: @escaping () throws(EvaluationError) -> ViewChain) {
    self.keys = keys
    self.site = site
    self.makeChain = makeChain
  }
  override var contents: [Event] { chains.flatMap(\.contents) }
  override var history: History? { ownHistory }

  private func chain(_ event: Event) throws(EvaluationError) -> ViewChain {
    let key = try site.values(keys, of: event)
    if let position = positions[key] { return chains[position] }
    let chain = try makeChain()
    chain.last.next = next
    positions[key] = chains.count
    chains.append(chain)
    try chain.start()
    return chain
  }

  /// Windows that have run empty are as good as such as never were, where nothing else is left of what they have seen.
  private func forgetEmpty() throws(EvaluationError) {
    guard chains.count >= forgetsAt else { return }
    let blank = try makeChain()
    try blank.start()
    defer { blank.stop() }
    if let state = StateArchive.likeness({ blank.exchange($0) }) {
      var (kept, keys): ([ViewChain], [[Value]: Int]) = ([], [:])
      for (key, position) in positions.sorted(by: { $0.value < $1.value }) {
        let chain = chains[position]
        if StateArchive.likeness({ chain.exchange($0) }) == state {
          chain.stop()
        } else {
          keys[key] = kept.count
          kept.append(chain)
        }
      }
      (positions, chains) = (keys, kept)
    }
    forgetsAt = max(256, chains.count * 2)
  }

  fileprivate func history(of event: Event) -> History? {
    guard let key = try? site.values(keys, of: event), let position = positions[key] else { return nil }
    return chains[position].history
  }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    try forgetEmpty()
    var touched: [(chain: ViewChain, new: [Event], old: [Event])] = []
    func entry(_ chain: ViewChain) -> Int {
      if let index = touched.firstIndex(where: { $0.chain === chain }) { return index }
      touched.append((chain, [], []))
      return touched.count - 1
    }
    for event in new { touched[entry(try chain(event))].new.append(event) }
    for event in old { touched[entry(try chain(event))].old.append(event) }
    for (chain, new, old) in touched { try chain.first.update(new: new, old: old) }
  }
  override func discard(_ events: [Event]) { for chain in chains { chain.discard(events) } }
  override func stop() { for chain in chains { chain.stop() } }
  /// Of each key's window its share.
  override func takeFirst(_ count: Int) -> [Event] {
    let all = chains.reduce(0) { $0 + $1.first.contents.count }
    let taken = chains.flatMap { $0.first.takeFirst($0.first.contents.count * count / max(all, 1)) }
    if !taken.isEmpty || count == 0 { return taken }
    // Of small windows none has anything to spare: those of the first keys go whole.
    var gone: [Event] = []
    var number = 0
    while gone.count < count, number < chains.count {
      gone += chains[number].first.takeFirst(chains[number].first.contents.count)
      chains[number].stop()
      number += 1
    }
    chains.removeFirst(number)
    positions = positions.compactMapValues { $0 < number ? nil : $0 - number }
    return gone
  }

  override func exchange(_ archive: StateArchive) {
    if archive.isMeasuring {
      archive.note(entries: chains.count, of: 160)
      var all = chains
      return archive.array(&all, blank: ViewChain([])) { $0.exchange(archive) }
    }
    var items = positions.sorted { $0.value < $1.value }.map { (key: $0.key, chain: Optional(chains[$0.value])) }
    if archive.isRestoring {
      stop()
      (positions, chains) = ([:], [])
    }
    archive.array(&items, blank: (key: [], chain: nil)) { item in
      archive.values(&item.key)
      if archive.isRestoring {
        item.chain = archive.attempt { () throws(EvaluationError) in try self.makeChain() }
        item.chain?.last.next = next
      }
      item.chain?.exchange(archive)
    }
    guard archive.isRestoring else { return }
    for case (let key, let chain?) in items {
      positions[key] = chains.count
      chains.append(chain)
    }
  }
}

private final class GroupedHistory: History {
  unowned let view: GroupedView
  init(_ view: GroupedView) { self.view = view }
  override func event(_ kind: PreviousKind, _ offset: Int, at event: Event, isNew: Bool) -> Event? {
    view.history(of: event)?.event(kind, offset, at: event, isNew: isNew)
  }
  override func count(at event: Event) -> Int? { view.history(of: event)?.count(at: event) }
  override func window(at event: Event) -> [Event]? { view.history(of: event)?.window(at: event) }
}
