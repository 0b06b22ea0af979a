internal import Builtins
internal import EventModel

/// Several windows over the same events.
///
/// Intersection: what one drops, all drop. Union: what any keeps is kept.
final class CombinedView: View {
  private let parts: [ViewChain]
  private let isUnion: Bool
  /// A batch window decides when rows go on; the others only thin the batch out.
  private let batch: Int?
  private var dropped: [[Event]]
  /// What the parts that may refuse events have let in during an update.
  private var entered: [[Event]]
  private var held = EventQueue()
  /// Of a union: how many parts hold each event.
  private var holders: [ObjectIdentifier: Int] = [:]
  private var isUpdating = false
  private lazy var ownHistory = WindowHistory(self)

  init(parts: [ViewChain], isUnion: Bool, batch: Int?) {
    self.parts = parts
    self.isUnion = isUnion
    self.batch = isUnion ? nil : batch
    dropped = Array(repeating: [], count: parts.count)
    entered = dropped
    super.init()
    for (index, part) in parts.enumerated() {
      part.last.next = ClosureReceiver { [unowned self] (new, old) throws(EvaluationError) in try self.partChanged(index, new, old) }
    }
  }
  override var contents: [Event] { batch.map { parts[$0].contents } ?? held.all }
  override var contentCount: Int { batch == nil ? held.count : contents.count }
  override func content(_ index: Int) -> Event? { batch == nil ? held[index] : super.content(index) }
  override var history: History? { batch.flatMap { parts[$0].history } ?? ownHistory }
  override func start() throws(EvaluationError) { for part in parts { try part.start() } }
  override func stop() { for part in parts { part.stop() } }
  override func exchange(_ archive: StateArchive) {
    for part in parts { part.exchange(archive) }
    archive.queue(&held)
    guard isUnion, archive.isRestoring else { return }
    holders = [:]
    for event in parts.flatMap(\.contents) { holders[ObjectIdentifier(event), default: 0] += 1 }
  }

  private func partChanged(_ index: Int, _ new: [Event], _ old: [Event]) throws(EvaluationError) {
    if let batch {
      if index == batch {
        for (other, part) in parts.enumerated() where other != batch { part.discard(new) }
        try pass(new: new, old: old)
      } else if !old.isEmpty {
        parts[batch].discard(old)
      }
      return
    }
    dropped[index] += old
    if isUpdating, parts[index].choosesEntrants { entered[index] += new }
    if !isUpdating { try settle(new: []) }
  }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    if let batch {
      for (index, part) in parts.enumerated() where index != batch { try part.first.update(new: new, old: old) }
      try parts[batch].first.update(new: new, old: old)
      return
    }
    isUpdating = true
    for part in parts { try part.first.update(new: new, old: old) }
    isUpdating = false
    if isUnion { countHolders(of: new) }
    let accepted = accepted(new)
    for event in accepted { held.append(event) }
    if accepted.count < new.count, accepted.isEmpty, dropped.allSatisfy(\.isEmpty) { return }
    try settle(new: accepted)
  }

  /// What one part of an intersection refuses, none has.
  private func accepted(_ new: [Event]) -> [Event] {
    defer { for index in entered.indices { entered[index].removeAll() } }
    let choosing = isUnion ? [] : parts.indices.filter { parts[$0].choosesEntrants }
    if choosing.isEmpty { return new }
    let accepted = new.filter { event in choosing.allSatisfy { entered[$0].contains { $0 === event } } }
    if accepted.count == new.count { return new }
    let refused = new.filter { event in !accepted.contains { $0 === event } }
    for part in parts { part.discard(refused) }
    return accepted
  }

  private func countHolders(of new: [Event]) {
    for (index, part) in parts.enumerated() {
      for event in part.choosesEntrants ? entered[index] : new { holders[ObjectIdentifier(event), default: 0] += 1 }
    }
  }

  /// Whether this was the last part that held it.
  private func isLastHolder(of event: Event) -> Bool {
    let left = (holders[ObjectIdentifier(event)] ?? 1) - 1
    holders[ObjectIdentifier(event)] = left > 0 ? left : nil
    return left <= 0
  }

  /// Finds out who has left for good, and tells.
  private func settle(new: [Event]) throws(EvaluationError) {
    var leaving: [Event] = []
    var seen: Set<ObjectIdentifier> = []
    let candidates = dropped.flatMap { $0 }
    for index in dropped.indices { dropped[index].removeAll() }
    for event in candidates {
      if isUnion ? isLastHolder(of: event) : seen.insert(ObjectIdentifier(event)).inserted { leaving.append(event) }
    }
    if !isUnion, !leaving.isEmpty { for part in parts { part.discard(leaving) } }
    for event in leaving { while held.remove(event) {} }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) {
    for part in parts { part.discard(events) }
    for event in events { holders[ObjectIdentifier(event)] = nil }
    for event in events { while held.remove(event) {} }
  }
}
