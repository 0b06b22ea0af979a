internal import Builtins
internal import EventModel
internal import Plan

/// What the expression of a window may name besides the event's properties.
private struct WindowVariables {
  let currentCount = Variable(name: "current_count", type: .int, value: .int(0))
  let expiredCount = Variable(name: "expired_count", type: .int, value: .int(0))
  let newest = Variable(name: "newest_timestamp", type: .long, value: .null)
  let oldest = Variable(name: "oldest_timestamp", type: .long, value: .null)

  let newestEvent = Variable(name: "newest_event", type: .null, value: .null)
  let oldestEvent = Variable(name: "oldest_event", type: .null, value: .null)

  func compile(_ expression: Expression, _ compiler: ExpressionCompiler) throws(DeploymentError) -> Evaluator {
    var compiler = compiler
    for variable in [currentCount, expiredCount, newest, oldest, newestEvent, oldestEvent] {
      compiler.localVariables[variable.name] = variable
    }
    compiler.localVariables["view_reference"] = Variable(name: "view_reference", type: .null, value: .null)
    return try compiler.compile(expression)
  }

  func set(count: Int, expired: Int, oldest first: Int64?, newest last: Int64?, events: (oldest: Event?, newest: Event?)) {
    oldestEvent.value = Value(events.oldest)
    newestEvent.value = Value(events.newest)
    currentCount.value = .int(Int64(count))
    expiredCount.value = .int(Int64(expired))
    oldest.value = first.map(Value.int) ?? .null
    newest.value = last.map(Value.int) ?? .null
  }
}

/// The aggregates in a window's expression, over the events that it holds.
private struct WindowAggregates {
  private let codes: [AggregateCode]
  private let group: Group
  private let site: ViewSite

  init(_ plans: [AggregatePlan], _ compiler: ExpressionCompiler, _ site: ViewSite) throws(DeploymentError) {
    var codes: [AggregateCode] = []
    for plan in plans { codes.append(try AggregateCode(plan, compiler)) }
    self.codes = codes
    self.site = site
    group = Group(key: [], states: codes.map { $0.makeState() })
  }

  func apply(_ event: Event, entering: Bool) throws(EvaluationError) {
    site.frame.events[0] = event
    for (number, code) in codes.enumerated() { try code.apply(group.state(number), site.frame, entering: entering) }
  }

  /// Holds these events and no others.
  func begin(with events: [Event]) throws(EvaluationError) {
    if codes.isEmpty { return }
    group.clear()
    for event in events { try apply(event, entering: true) }
  }

  /// Whether the expression holds for an event.
  func holds(_ condition: Evaluator, for event: Event) throws(EvaluationError) -> Bool {
    site.frame.group = group
    return try site.value(condition, of: event).isTrue
  }
}

/// `win:expr`: drops the oldest events until the expression holds for the oldest that is left.
final class ExpressionView: View {
  private let site: ViewSite
  private let variables = WindowVariables()
  private let condition: Evaluator
  private let aggregates: WindowAggregates
  private var entries: [(event: Event, time: Int64)] = []
  private lazy var ownHistory = WindowHistory(self)

  init(_ expression: Expression, _ aggregates: [AggregatePlan], _ compiler: ExpressionCompiler, _ site: ViewSite) throws(DeploymentError) {
    self.site = site
    self.aggregates = try WindowAggregates(aggregates, compiler, site)
    condition = try variables.compile(expression, compiler)
  }
  override var contents: [Event] { entries.map(\.event) }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving = old.isEmpty ? [] : old.filter { event in entries.contains { $0.event === event } }
    if !leaving.isEmpty { discard(leaving) }
    for event in new {
      entries.append((event, site.clock.now))
      try aggregates.apply(event, entering: true)
    }
    var expired = 0
    while let first = entries.first {
      variables.set(
        count: entries.count, expired: expired, oldest: first.time, newest: entries.last?.time, events: (first.event, entries.last?.event))
      if try aggregates.holds(condition, for: first.event) { break }
      leaving.append(entries.removeFirst().event)
      try aggregates.apply(first.event, entering: false)
      expired += 1
    }
    try pass(new: new, old: leaving)
  }
  override func discard(_ events: [Event]) {
    if events.isEmpty { return }
    entries.removeAll { entry in events.contains { $0 === entry.event } }
    try? aggregates.begin(with: contents)
  }
  override func exchange(_ archive: StateArchive) {
    var (events, times) = (entries.map(\.event), entries.map(\.time))
    archive.events(&events)
    archive.integers(&times)
    guard archive.isRestoring else { return }
    entries = zip(events, times).map { (event: $0, time: $1) }
    _ = archive.attempt { () throws(EvaluationError) in try aggregates.begin(with: events) }
  }
}

/// `win:expr_batch`: releases its events when the expression holds for the one that comes.
final class ExpressionBatchView: View {
  private let site: ViewSite
  private let variables = WindowVariables()
  private let condition: Evaluator
  private let aggregates: WindowAggregates
  private let includesTrigger: Bool
  private var current: [Event] = []
  private var last: [Event] = []
  private var oldest: Int64?
  private let ownHistory = BatchHistory()

  init(
    _ expression: Expression, _ aggregates: [AggregatePlan], _ compiler: ExpressionCompiler, _ site: ViewSite, includesTrigger: Bool
  ) throws(DeploymentError) {
    self.site = site
    self.aggregates = try WindowAggregates(aggregates, compiler, site)
    self.includesTrigger = includesTrigger
    condition = try variables.compile(expression, compiler)
  }
  override var contents: [Event] { current }
  override var isBatch: Bool { true }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    discard(old)
    for event in new {
      oldest = oldest ?? site.clock.now
      variables.set(count: current.count + 1, expired: 0, oldest: oldest, newest: site.clock.now, events: (current.first ?? event, event))
      try aggregates.apply(event, entering: true)
      guard try aggregates.holds(condition, for: event) else {
        current.append(event)
        continue
      }
      let batch = includesTrigger ? current + [event] : current
      let previous = last
      last = batch
      current = includesTrigger ? [] : [event]
      oldest = includesTrigger ? nil : site.clock.now
      try aggregates.begin(with: current)
      ownHistory.batch = batch
      try pass(new: batch, old: previous)
    }
  }
  override func discard(_ events: [Event]) {
    if events.isEmpty { return }
    current.removeAll { event in events.contains { $0 === event } }
    try? aggregates.begin(with: current)
  }
  override func exchange(_ archive: StateArchive) {
    archive.events(&current)
    archive.events(&last)
    archive.integer(&oldest)
    archive.events(&ownHistory.batch)
    if archive.isRestoring { _ = archive.attempt { () throws(EvaluationError) in try aggregates.begin(with: current) } }
  }
}

/// `ext:time_order`: in order of a timestamp; an event leaves when the clock is past it by the interval, at once where it already is.
final class TimeOrderView: View {
  private let interval: Interval
  private let timestamp: Evaluator
  private let site: ViewSite
  private var slot: Int
  private var entries = OrderedPieces<(time: Int64, event: Event)>()
  private var timer: Timer?
  private lazy var ownHistory = WindowHistory(self, newestFirst: false)

  init(interval: Interval, timestamp: @escaping Evaluator, site: ViewSite) {
    self.interval = interval
    self.timestamp = timestamp
    self.site = site
    slot = site.statement.takeSlot()
  }
  override var contents: [Event] { entries.all.map(\.event) }
  override var contentCount: Int { entries.count }
  override func content(_ index: Int) -> Event? { entries[index]?.event }
  override var history: History? { ownHistory }

  override func update(new: [Event], old: [Event]) throws(EvaluationError) {
    var leaving = old.filter { remove($0) }
    for event in new {
      guard let time = try site.value(timestamp, of: event).integer.map(TimeBounds.clamped) else {
        throw EvaluationError("the window's timestamp is null")
      }
      if interval.after(time) <= site.clock.now {
        leaving.append(event)
      } else {
        entries.insert((time, event), at: entries.firstPlace { $0.time > time })
      }
    }
    schedule()
    try pass(new: new, old: leaving)
  }

  private func schedule() {
    let due = entries.first.map { interval.after($0.time) }
    if let timer, timer.time == due { return }
    timer?.cancel()
    timer = due.map { site.schedule(at: $0, slot: slot) { [unowned self] () throws(EvaluationError) in try self.expire() } }
  }

  private func expire() throws(EvaluationError) {
    timer = nil
    let leaving = entries.removeFirst { interval.after($0.time) <= site.clock.now }
    schedule()
    try pass(new: [], old: leaving.map(\.event))
  }
  override func discard(_ events: [Event]) { for event in events { _ = remove(event) } }

  /// Whether it was there.
  private func remove(_ event: Event) -> Bool {
    guard let place = entries.place(from: entries.start, where: { $0.event === event }) else { return false }
    entries.remove(at: place)
    return true
  }
  override func stop() { timer?.cancel() }
  override func exchange(_ archive: StateArchive) {
    var (events, times) = (contents, entries.all.map(\.time))
    archive.events(&events)
    archive.integers(&times)
    if archive.isRestoring { entries = OrderedPieces(zip(events, times).map { (time: $1, event: $0) }) }
    archive.timer(&timer, site, &slot) { [unowned self] () throws(EvaluationError) in try self.expire() }
  }
}
