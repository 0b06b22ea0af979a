public import Builtins
public import EventModel

/// Rows of one statement at one instant: what a listener is told in one call.
public struct StatementOutput {
  /// The statement's number in order of deployment.
  public let statement: Int
  public let time: Int64
  public let new: EventRows
  /// Empty unless the statement selects the remove stream.
  public let old: EventRows
}

/// Runs deployed statements over events and time, one event after the other.
///
/// A pass is one event, one advance of time, or one row that a statement inserted into a stream. In a pass the statements run in order of
/// deployment (by priority first, where that is honoured); then their rows are given out; then what they inserted is processed,
/// one at a time.
public final class Runtime {
  let clock: Clock
  let honoursPriorities: Bool
  /// The original's answers where they are accidents of how it finds the statements of an event.
  let isCompat: Bool
  /// Keys come from the network: tables are keyed with it.
  let seed: UInt64
  public private(set) var statementCount = 0
  var statements: [StatementRuntime] = []
  var times = StatementTimes()
  let layouts = Layouts()
  var streams: [ObjectIdentifier: EventStream] = [:]
  var makers: [ObjectIdentifier: EventMaker] = [:]
  /// The types that statements insert events of.
  public var insertedTypes: Set<EventType> = []
  /// Whether the clock has been set since deployment.
  public internal(set) var hasStarted = false
  private var frontQueue = WorkQueue()
  private var backQueue = WorkQueue()
  private var pending: [StatementRuntime] = []
  private var changedWindows: [NamedWindow] = []
  /// The functions and aggregates that plans refer to.
  public var catalog = FunctionCatalog.builtIn
  /// Called with each statement's rows.
  public var onOutput: (StatementOutput) -> Void = { _ in }
  /// Called where a statement fails on an event.
  public var onFailure: (_ statement: Int, _ error: EvaluationError) -> Void = { _, _ in }
  public private(set) var failures: UInt64 = 0

  public init(start: Int64 = 0, seed: UInt64 = UInt64.random(in: .min ... .max), honoursPriorities: Bool = false, isCompat: Bool = false) {
    clock = Clock(start: start)
    self.seed = seed
    self.honoursPriorities = honoursPriorities
    self.isCompat = isCompat
  }

  public var now: Int64 { clock.now }
  /// When the next timer is due; nil when nothing waits.
  public var nextTimer: Int64? { clock.nextTime }

  /// When the last timer that now waits is due, or the last of what statements wait for without one.
  public var lastTimer: Int64? { (statements.compactMap { $0.instance?.lastDue } + [clock.lastTime].compactMap { $0 }).max() }

  // MARK: Passes

  /// Sets the clock (also back), then runs what is due.
  public func advance(to time: Int64) {
    if time < now, !isCompat { for statement in statements { statement.instance?.clockGoesBack() } }
    clock.set(time)
    runTimers()
  }

  /// Runs what is due at the present time.
  func runTimers() {
    let due = clock.takeDue()
    if due.isEmpty { return }
    var byStatement: [(owner: StatementRuntime?, timers: [Timer])] = []
    for timer in due {
      if let index = byStatement.firstIndex(where: { $0.owner === timer.owner }) {
        byStatement[index].timers.append(timer)
      } else {
        byStatement.append((timer.owner, [timer]))
      }
    }
    if honoursPriorities {
      byStatement = byStatement.enumerated().sorted {
        let (a, b) = ($0.element.owner?.priority ?? .max, $1.element.owner?.priority ?? .max)
        return a != b ? a > b : $0.offset < $1.offset
      }.map(\.element)
    }
    for (owner, timers) in byStatement {
      let start = StatementTimes.now()
      for timer in timers { attempt(owner) { () throws(EvaluationError) in try timer.fire() } }
      if let owner {
        attempt(owner) { () throws(EvaluationError) in try owner.endPass() }
        owner.gauge.nanoseconds += StatementTimes.now() - start
      }
    }
    finishPass()
  }

  /// Processes one event, and all that follows from it.
  public func send(_ event: Event) {
    deliver(event)
    finishPass()
  }

  /// Says which properties statements read; before the first event of the type is made.
  public func use(_ properties: Set<Int>, of type: EventType) { layouts.use(properties, of: type) }
  /// The number of slots that an event of a type has.
  public func width(of type: EventType) -> Int { layouts.width(of: type) }
  /// The slot of a property; -1 where no statement reads it.
  public func slot(_ type: EventType, _ property: Int) -> Int { layouts.slot(type, property) }

  private func deliver(_ event: Event) {
    guard let stream = knownStream(of: event.type) else { return }
    stream.deliver(event, in: self)
  }

  func attempt(_ statement: StatementRuntime?, _ work: () throws(EvaluationError) -> Void) {
    do throws(EvaluationError) { try work() } catch { note(error, of: statement) }
  }

  /// A statement has failed on an event; nil where it is none in particular.
  @inline(never)
  func note(_ error: EvaluationError, of statement: StatementRuntime?) {
    failures += 1
    statement?.abandonPass()
    onFailure(statement?.order ?? -1, error)
  }

  func finishPass() {
    giveOut()
    if frontQueue.isEmpty { dispatchWindows() }
    drainFront()
    while let work = backQueue.take() {
      switch work {
      case .event(let event):
        deliver(event)
        finishEvent()
      case .batch(let batch): deliver(inserted: batch)
      }
    }
  }

  /// What follows from one event but for the rows that are inserted behind it.
  func finishEvent() {
    giveOut()
    dispatchWindows()
    drainFront()
  }

  private func drainFront() {
    while case .event(let event)? = frontQueue.take() {
      deliver(event)
      giveOut()
      dispatchWindows()
    }
  }

  /// Tells the windows' consumers what changed, until nothing changes any more.
  private func dispatchWindows() {
    while !changedWindows.isEmpty {
      let windows = changedWindows
      changedWindows.removeAll()
      for window in windows { window.dispatch() }
      giveOut()
    }
  }

  private func giveOut() {
    if pending.isEmpty { return }
    let statements = pending
    pending.removeAll(keepingCapacity: true)
    for statement in statements { statement.giveOut() }
  }

  /// Forgets rows that wait since deployment: a restored statement has given them before.
  func forgetPasses() {
    pending.removeAll { !$0.isPending }
    while frontQueue.take() != nil {}
    while backQueue.take() != nil {}
  }

  // MARK: For statements

  func notePending(_ statement: StatementRuntime) { pending.append(statement) }
  func noteChanged(_ window: NamedWindow) { changedWindows.append(window) }

  /// An inserted row waits for the end of the pass; one for a named window goes before the others.
  func insert(_ event: Event, first: Bool) {
    if first { frontQueue.append(.event(event)) } else { backQueue.append(.event(event)) }
  }

  /// Whether statements insert events of a type, as itself or as a kind of it.
  func takesInserted(_ type: EventType) -> Bool { insertedTypes.contains { $0.isKind(of: type) } }

  /// Inserted rows that wait for the end of the pass together.
  func insert(_ batch: EventBatch) { backQueue.append(.batch(batch)) }

  func stream(of type: EventType) -> EventStream {
    if let stream = streams[ObjectIdentifier(type)] { return stream }
    let stream = EventStream(type: type, layouts: layouts)
    // A variant stream has what is inserted into it, and nothing else of its members.
    for other in streams.values {
      if other.type.kind != .variant, type.isKind(of: other.type) { stream.addView(of: other) }
      if type.kind != .variant, other.type.isKind(of: type) { other.addView(of: stream) }
    }
    streams[ObjectIdentifier(type)] = stream
    return stream
  }

  /// The stream of a type that statements may read, be it through a supertype.
  func knownStream(of type: EventType) -> EventStream? {
    streams[ObjectIdentifier(type)] ?? (type.supertypes.isEmpty ? nil : stream(of: type))
  }

  /// Whether events of a type reach any statement.
  public func isRead(_ type: EventType) -> Bool { knownStream(of: type)?.hasConsumers ?? false }
}

/// What is inserted into streams: first in, first out.
struct WorkQueue {
  enum Work {
    case event(Event)
    /// Rows of one type, without times of their own.
    case batch(EventBatch)
  }

  private var work: [Work] = []
  private var head = 0
  var isEmpty: Bool { head == work.count }
  mutating func append(_ item: Work) { work.append(item) }
  mutating func take() -> Work? {
    guard head < work.count else { return nil }
    let item = work[head]
    head += 1
    if head == work.count {
      work.removeAll(keepingCapacity: true)
      head = 0
    }
    return item
  }
}
