internal import Builtins
internal import EventModel
internal import Plan

/// How far `prior` looks back on a stream.
struct PriorReach {
  /// The offsets, where all are constants.
  private(set) var offsets: [Int]? = []
  private(set) var depth = 0
  /// Where an offset is computed.
  private static let computedDepth = 64

  /// For each stream of a statement; nil where `prior` is not used.
  static func all(of plan: SelectPlan) -> [PriorReach?] {
    var reaches = [PriorReach?](repeating: nil, count: plan.sources.count)
    for expression in plan.allExpressions {
      expression.visit { node in
        guard case .previous(let previous) = node, previous.kind == .prior, previous.stream < reaches.count else { return }
        var reach = reaches[previous.stream] ?? PriorReach()
        reach.add(previous.index)
        reaches[previous.stream] = reach
      }
    }
    return reaches
  }

  private mutating func add(_ index: Expression?) {
    guard case .constant(let value)? = index?.node, let number = value.integer else {
      offsets = nil
      depth = max(depth, PriorReach.computedDepth)
      return
    }
    guard number > 0, number <= Int32.max else { return }
    depth = max(depth, Int(number))
    if let known = offsets, !known.contains(Int(number)) { offsets = known + [Int(number)] }
  }

  /// The places in what is kept of an event, nearest first.
  var kept: [Int] { offsets ?? Array(1...PriorReach.computedDepth) }
}

/// For `prior`: of each event that is still held the events that came before it.
final class PriorBuffer {
  private let reach: PriorReach
  private let kept: [Int]
  private let isWindowed: Bool
  private var recent = EventQueue()
  private var earlier: [ObjectIdentifier: (event: Event, before: [Event?])] = [:]
  /// What has left the window, or never was in one: it is asked about until its change has been given out.
  private var left: [Event] = []

  init(_ reach: PriorReach, isWindowed: Bool) {
    self.reach = reach
    self.isWindowed = isWindowed
    kept = reach.kept
  }

  func note(new: [Event], old: [Event]) {
    for event in new {
      let before = kept.map { $0 <= recent.count ? recent[recent.count - $0] : nil }
      earlier[ObjectIdentifier(event)] = (event, before)
      recent.append(event)
      if recent.count > reach.depth { _ = recent.removeFirst() }
    }
    left += isWindowed ? old : new
  }

  func forgetLeft() {
    if left.isEmpty { return }
    for event in left { earlier[ObjectIdentifier(event)] = nil }
    left.removeAll(keepingCapacity: true)
  }

  func exchange(_ archive: StateArchive) {
    if archive.isMeasuring {
      archive.note(entries: earlier.count, of: 80 + 8 * kept.count)
      return archive.note(events: recent.count, like: recent.first)
    }
    archive.queue(&recent)
    archive.events(&left)
    var items = earlier.values.map { (event: Optional($0.event), before: $0.before) }
    archive.array(&items, blank: (event: nil, before: [])) { item in
      archive.event(&item.event)
      archive.array(&item.before, blank: nil) { archive.event(&$0) }
    }
    guard archive.isRestoring else { return }
    earlier.removeAll()
    for case (let event?, let before) in items {
      if before.count != kept.count { archive.fail("events before an event, as of another statement") }
      earlier[ObjectIdentifier(event)] = (event, before)
    }
  }

  func event(_ offset: Int, before event: Event) -> Event? {
    if offset == 0 { return event }
    guard let place = kept.firstIndex(of: offset), let before = earlier[ObjectIdentifier(event)]?.before else { return nil }
    return place < before.count ? before[place] : nil
  }
}

final class SourceHistory: History {
  private let window: History?
  private let prior: PriorBuffer?
  init(window: History?, prior: PriorBuffer?) {
    self.window = window
    self.prior = prior
  }
  override func event(_ kind: PreviousKind, _ offset: Int, at event: Event, isNew: Bool) -> Event? {
    kind == .prior ? prior?.event(offset, before: event) : window?.event(kind, offset, at: event, isNew: isNew)
  }
  override func count(at event: Event) -> Int? { window?.count(at: event) }
  override func window(at event: Event) -> [Event]? { window?.window(at: event) }
}
