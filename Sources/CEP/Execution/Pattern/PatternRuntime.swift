internal import Builtins
internal import EventModel
internal import Plan

/// A pattern at work: the states of its nodes, and the filters that wait for events.
final class PatternRuntime {
  let code: PatternCode
  let frame: Frame
  let clock: Clock
  unowned let statement: StatementRuntime
  private let onMatch: (Event) throws(EvaluationError) -> Void
  private var stations: [FilterStation] = []
  private var root: PatternState?
  private var sequence: UInt64 = 0
  /// Events matched in the present pass, where overlapping matches are suppressed.
  private var matchedInPass: [Event] = []

  init(_ code: PatternCode, _ statement: StatementRuntime, _ frame: Frame, _ onMatch: @escaping (Event) throws(EvaluationError) -> Void) {
    self.code = code
    self.statement = statement
    self.frame = frame.sibling(streams: 2)
    clock = frame.clock
    self.onMatch = onMatch
    stations = code.filters.map { FilterStation($0) }
  }

  func start() throws(EvaluationError) {
    let root = make(code.root, RootState(self))
    self.root = root
    try root.start(Event.make(code.type, time: clock.now, count: code.type.properties.count) { _ in .null })
  }

  func stop() {
    root?.quit()
    root = nil
  }

  func shed(_ share: Double) throws(EvaluationError) -> Int { try root?.shed(share) ?? 0 }

  /// States are told apart by age: the oldest are given up first.
  func takeAge() -> UInt64 {
    age &+= 1
    return age
  }
  private var age: UInt64 = 0

  func exchange(_ archive: StateArchive) {
    archive.place(&age)
    archive.place(&sequence)
    if archive.isRestoring {
      stop()
      stations = code.filters.map { FilterStation($0) }
    }
    exchange(&root, code.root, RootState(self), archive)
  }

  /// A part's state, or none; it is made anew when restored.
  func exchange(_ state: inout PatternState?, _ code: PatternNodeCode, _ parent: PatternParent, _ archive: StateArchive) {
    var isThere = state != nil
    archive.flag(&isThere)
    if archive.isRestoring { state = isThere && archive.failure == nil ? make(code, parent) : nil }
    archive.note(entries: isThere ? 1 : 0, of: 160)
    if let state { archive.place(&state.age) }
    state?.exchange(archive)
  }

  func accept(_ event: Event) throws(EvaluationError) {
    var found: [FilterState] = []
    for station in stations where event.type === station.code.type { try station.find(event, frame, into: &found) }
    if found.isEmpty { return }
    statement.wasTouched = true
    statement.gauge.eventsIn += 1
    // As in the original, filters with a condition come before those without.
    if found.count > 1 {
      found.sort { a, b in
        a.station.code.isConditional != b.station.code.isConditional ? a.station.code.isConditional : a.sequence < b.sequence
      }
    }
    let conditional = found.prefix { $0.station.code.isConditional }
    if let first = conditional.first, conditional.count > 1, conditional.allSatisfy({ $0.station === first.station }) {
      var arranged = Array(conditional)
      try first.station.arrange(&arranged, frame)
      found.replaceSubrange(..<arranged.count, with: arranged)
    }
    if let level = found.compactMap({ $0.station.code.consume }).max() { found = found.filter { $0.station.code.consume == level } }
    matchedInPass.removeAll()
    for state in found where state.isActive { try state.matched(event) }
  }

  fileprivate func matched(_ match: Event, isQuitted: Bool) throws(EvaluationError) {
    if isQuitted { root = nil }
    if code.suppressesOverlaps {
      let events = PatternRuntime.events(of: match)
      if events.contains(where: { event in matchedInPass.contains { $0 === event } }) { return }
      matchedInPass += events
    }
    if code.discardsPartials { discardPartials(sharing: PatternRuntime.events(of: match)) }
    try onMatch(match)
  }

  private func discardPartials(sharing events: [Event]) {
    root?.discard { match in PatternRuntime.events(of: match).contains { event in events.contains { $0 === event } } }
  }

  static func events(of match: Event) -> [Event] {
    match.values.flatMap { value -> [Event] in
      switch value {
      case .event(let event): [event]
      case .array(let array): array.values.compactMap(\.event)
      default: []
      }
    }
  }

  func make(_ code: PatternNodeCode, _ parent: PatternParent) -> PatternState {
    switch code {
    case .filter(let filter): FilterState(self, parent, stations[filter.number])
    case .every(let inner): EveryState(self, parent, inner, keys: nil, expiry: nil)
    case .everyDistinct(let inner, let keys, let expiry): EveryState(self, parent, inner, keys: keys, expiry: expiry)
    case .followedBy(let parts, let maxima): FollowedByState(self, parent, parts, maxima)
    case .and(let parts): AndState(self, parent, parts)
    case .or(let parts): OrState(self, parent, parts)
    case .not(let inner): NotState(self, parent, inner)
    case .repeated(let inner, let low, let high, let until, let tags): RepeatState(self, parent, inner, low, high, until, tags)
    case .guarded(let inner, let condition): GuardState(self, parent, inner, condition)
    case .interval, .at, .schedule: TimerState(self, parent, code)
    }
  }

  func nextSequence() -> UInt64 {
    sequence &+= 1
    return sequence
  }

  func evaluate(_ evaluator: Evaluator, _ match: Event) throws(EvaluationError) -> Value {
    frame.events[0] = match
    return try evaluator(frame)
  }
}

/// Who is told when a node turns true or false.
class PatternParent {
  /// A child filter may stay active after a match.
  var keepsFilters: Bool { false }
  func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {}
  func turnedFalse(_ child: PatternState) throws(EvaluationError) {}
}

private final class RootState: PatternParent {
  private unowned let runtime: PatternRuntime
  init(_ runtime: PatternRuntime) { self.runtime = runtime }
  override func turnedTrue(_ child: PatternState, _ match: Event, isQuitted: Bool) throws(EvaluationError) {
    try runtime.matched(match, isQuitted: isQuitted)
  }
}

/// A node at work, with the match that it began from.
class PatternState: PatternParent {
  unowned let runtime: PatternRuntime
  var parent: PatternParent
  var age: UInt64
  init(_ runtime: PatternRuntime, _ parent: PatternParent) {
    self.runtime = runtime
    self.parent = parent
    age = runtime.takeAge()
  }
  func start(_ begin: Event) throws(EvaluationError) {}
  func quit() {}
  /// Whether, under `every`, it turns true again without being begun anew.
  var restartsItself: Bool { false }
  /// Gives up about a share of the matches that wait in it, the oldest first.
  func shed(_ share: Double) throws(EvaluationError) -> Int { 0 }
  /// Quits what began from a match that a test names.
  func discard(_ test: (Event) -> Bool) {}
  /// Names what it keeps, its parts included. One that does not cannot be saved.
  func exchange(_ archive: StateArchive) { archive.fail("a part of this pattern cannot be saved") }
}

/// The states that wait at one filter.
final class FilterStation {
  let code: PatternFilterCode
  private var states: [FilterState] = []
  private var byKey: [[Value]: [FilterState]] = [:]
  private var count = 0
  private var stopped = 0

  init(_ code: PatternFilterCode) { self.code = code }

  func add(_ state: FilterState, _ frame: Frame) throws(EvaluationError) {
    count += 1
    if code.matchKey.isEmpty {
      states.append(state)
    } else {
      frame.events[1] = state.begin
      let key = try evaluateAll(code.matchKey, frame)
      // Null equals nothing: the state waits for ever.
      if !key.contains(where: \.isNull) { byKey[key, default: []].append(state) }
    }
  }

  func noteStopped() {
    stopped += 1
    if stopped > 32, stopped * 2 > count { compact() }
  }

  private func compact() {
    states.removeAll { !$0.isActive }
    for (key, waiting) in byKey {
      let active = waiting.filter(\.isActive)
      byKey[key] = active.isEmpty ? nil : active
    }
    count -= stopped
    stopped = 0
  }

  func find(_ event: Event, _ frame: Frame, into found: inout [FilterState]) throws(EvaluationError) {
    if count == stopped { return }
    frame.events[0] = event
    for condition in code.eventOnly where !(try condition(frame).isTrue) { return }
    var waiting = states
    if !code.eventKey.isEmpty {
      guard let keyed = byKey[try evaluateAll(code.eventKey, frame)] else { return }
      waiting = keyed
    }
    states: for state in waiting where state.isActive {
      if !code.rest.isEmpty {
        frame.events[1] = state.begin
        for condition in code.rest where !(try condition(frame).isTrue) { continue states }
      }
      found.append(state)
    }
  }

  /// The order in which states of this station are told, where it is that of what they compare with.
  func arrange(_ found: inout [FilterState], _ frame: Frame) throws(EvaluationError) {
    guard let bound = code.bound else { return }
    var keyed: [(bound: Value, state: FilterState)] = []
    for state in found {
      frame.events[1] = state.begin
      keyed.append((try bound(frame), state))
    }
    found = keyed.enumerated().sorted { a, b in
      let order = Value.order(a.element.bound, b.element.bound) ?? 0
      return order != 0 ? order < 0 : a.offset < b.offset
    }.map(\.element.state)
  }
}

final class FilterState: PatternState {
  let station: FilterStation
  private(set) var sequence: UInt64 = 0
  private(set) var begin: Event?
  private(set) var isActive = false
  override var restartsItself: Bool { true }

  init(_ runtime: PatternRuntime, _ parent: PatternParent, _ station: FilterStation) {
    self.station = station
    super.init(runtime, parent)
  }

  override func start(_ begin: Event) throws(EvaluationError) {
    self.begin = begin
    sequence = runtime.nextSequence()
    isActive = true
    try station.add(self, runtime.frame)
  }

  override func quit() {
    if !isActive { return }
    isActive = false
    station.noteStopped()
  }

  override func discard(_ test: (Event) -> Bool) { if let begin, test(begin) { quit() } }

  override func exchange(_ archive: StateArchive) {
    archive.event(&begin)
    archive.place(&sequence)
    archive.flag(&isActive)
    if archive.isRestoring, isActive { archive.attempt { () throws(EvaluationError) in try station.add(self, runtime.frame) } }
  }

  func matched(_ event: Event) throws(EvaluationError) {
    guard var match = begin else { return }
    if let tag = station.code.tag { match = match.replacing([(tag, .event(event))]) }
    let stays = parent.keepsFilters
    if !stays { quit() }
    try parent.turnedTrue(self, match, isQuitted: !stays)
  }
}
