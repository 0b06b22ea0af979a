internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// One source of a FROM clause, compiled: what it reads, and its windows to be built for each instance.
final class SourceCode {
  let plan: SourcePlan
  let filter: Evaluator?
  let pattern: PatternCode?
  /// The pattern, where a kernel runs it.
  let sequence: SequencePlan?
  /// How often the filter takes an event; nil for once.
  let repeats: RepeatedMembers?
  let recognizer: MatchRecognizeCode?
  let window: Declared<NamedWindow>?
  /// Where the window is one for each partition of a context: who reads all of them.
  let outsideReaders: NamedWindow.Readers?
  let table: Declared<Table>?
  private let context: EventType?
  private let environment: Environment

  /// - Parameters:
  ///   - condition: the statement's WHERE, which is the stream's filter where there is no window.
  ///   - sequence: the pattern, where a kernel is to run it.
  ///   - isOnly: whether the statement reads the source's type nowhere else; the original takes an event once otherwise.
  init(
    _ plan: SourcePlan, context: EventType?, environment: Environment, where condition: Expression? = nil, sequence: SequencePlan? = nil,
    isOnly: Bool = true
  ) throws(DeploymentError) {
    self.plan = plan
    self.context = context
    self.environment = environment
    self.sequence = sequence
    let inputType = plan.inputType
    recognizer = try plan.matchRecognize.map { m throws(DeploymentError) in
      try MatchRecognizeCode(m, context: context, environment: environment)
    }
    var pattern: PatternCode?
    var window: Declared<NamedWindow>?
    var table: Declared<Table>?
    switch plan.kind {
    case .stream(let type, let filter): self.filter = try environment.compiler([type], context: context).compile(filter)
    case .pattern(let plan):
      pattern = try PatternCode(plan, context: context, environment: environment)
      filter = nil
    case .window(let name, let filter):
      window = environment.windows[name]
      if window == nil { throw DeploymentError("no window \(name)") }
      self.filter = try environment.compiler([inputType], context: context).compile(filter)
    case .table(let name):
      table = environment.tables[name]
      if table == nil { throw DeploymentError("no table \(name)") }
      filter = nil
    }
    (self.pattern, self.window, self.table) = (pattern, window, table)
    if case .window(let name, _) = plan.kind { outsideReaders = environment.outsideReaders[name] } else { outsideReaders = nil }
    if environment.runtime.isCompat, case .stream(let type, let filter) = plan.kind {
      let conditions = [filter, plan.views.isEmpty ? condition : nil]
      repeats = try !isOnly ? nil : RepeatedMembers(conditions, environment.compiler([type], context: context))
      isFiltered = conditions.contains { $0 != nil }
    } else {
      repeats = nil
      isFiltered = pattern?.filters.allSatisfy(\.isConditional) ?? false
    }
  }

  /// Whether the stream's events pass a condition first.
  let isFiltered: Bool

  /// What an event of a type passes that comes to the source; nil where that may be any.
  func entryCondition(_ type: EventType) -> Expression? {
    switch plan.kind {
    case .stream(_, let filter): filter
    case .pattern(let pattern): PatternFilterCode.entryCondition(pattern.root, type)
    case .window, .table: nil
    }
  }

  /// The types whose events it reads.
  var inputTypes: [EventType] {
    switch plan.kind {
    case .stream(let type, _): [type]
    case .pattern: pattern?.inputTypes ?? []
    case .window, .table: []
    }
  }

  func chain(_ statement: StatementRuntime, _ frame: Frame) throws(EvaluationError) -> ViewChain? {
    let site = ViewSite(statement: statement, clock: frame.clock, frame: frame.sibling(streams: 1))
    let inputType = plan.inputType
    let builder = ViewBuilder(compiler: environment.compiler([inputType], context: context), site: site)
    do throws(DeploymentError) { return try builder.chain(plan.views, plan.combination) } catch { throw EvaluationError(error.description) }
  }
}

/// One source of one instance.
final class SourceRuntime {
  let code: SourceCode
  private let chain: ViewChain?
  private let first: Receiver
  private let filterFrame: Frame
  private var pattern: PatternRuntime?
  private(set) var sequence: KeyedSequence?
  private var recognizer: MatchRecognizer?
  private var prior: PriorBuffer?
  private let statement: StatementRuntime
  private var subscription: NamedWindow.Subscription?
  private let partition: Partition?
  /// The named window that it reads; nil where it reads that of every partition of a context.
  private let window: NamedWindow?
  let history: History?

  /// - Parameter receiver: who takes what enters and leaves.
  init(_ code: SourceCode, _ statement: StatementRuntime, _ frame: Frame, _ receiver: Receiver, prior reach: PriorReach? = nil)
    throws(EvaluationError)
  {
    self.code = code
    self.statement = statement
    filterFrame = frame.sibling(streams: 1)
    partition = frame.partition
    window = code.window?.of(frame.partition)
    let chain = try code.chain(statement, frame)
    self.chain = chain
    var end = receiver
    var recognizer: MatchRecognizer?
    if let matching = code.recognizer {
      let made = MatchRecognizer(matching, statement, frame, receiver, hasWindow: chain != nil)
      recognizer = made
      end = ClosureReceiver { (new, old) throws(EvaluationError) in try made.receive(new: new, old: old) }
    }
    self.recognizer = recognizer
    var prior: PriorBuffer?
    if let reach {
      // Behind the windows, as in the original: `prior` counts what has come through them.
      let buffer = PriorBuffer(reach, isWindowed: chain != nil)
      prior = buffer
      let following = end
      end = ClosureReceiver { (new, old) throws(EvaluationError) in
        buffer.note(new: new, old: old)
        try following.receive(new: new, old: old)
      }
    }
    chain?.last.next = end
    let first: Receiver = chain.map { ViewReceiver($0.first) } ?? end
    self.first = first
    self.prior = prior
    history = prior == nil ? chain?.history : SourceHistory(window: chain?.history, prior: prior)
    let target = first
    if let plan = code.sequence {
      sequence = try KeyedSequence(plan, statement) { (match) throws(EvaluationError) in try target.receive(new: [match], old: []) }
    } else if let patternCode = code.pattern {
      pattern = PatternRuntime(patternCode, statement, frame) { (match) throws(EvaluationError) in try target.receive(new: [match], old: [])
      }
    }
  }

  func start() throws(EvaluationError) {
    try chain?.start()
    try pattern?.start()
    sequence?.start()
    guard code.window != nil else { return }
    subscribe()
    let held = try filtered(window?.contents ?? [])
    if !held.isEmpty, chain != nil { try first.receive(new: held, old: []) }
  }

  func stop() {
    chain?.stop()
    pattern?.stop()
    recognizer?.stop()
    if let subscription { readers?.remove(subscription) }
  }

  private var readers: NamedWindow.Readers? { window?.readers ?? code.outsideReaders }

  private func subscribe() {
    subscription = readers?.add(statement) { [unowned self] (new, old) throws(EvaluationError) in
      self.statement.gauge.eventsIn += UInt64(new.count)
      let (entering, leaving) = (try self.filtered(new), try self.filtered(old))
      // A change that the filter has emptied is none.
      if self.code.filter != nil, entering.isEmpty, leaving.isEmpty { return }
      try self.first.receive(new: entering, old: leaving)
    }
  }

  func shed(_ share: Double) throws(EvaluationError) -> Int {
    try (chain?.shed(share) ?? 0) + (pattern?.shed(share) ?? 0) + (sequence?.shed(share) ?? 0) + (recognizer?.shed(share) ?? 0)
  }

  func exchange(_ archive: StateArchive) {
    if archive.isRestoring, subscription == nil { subscribe() }
    // What a partition's own window holds, the window says.
    if archive.isComparing, code.window?.only != nil { return archive.fail("it follows a named window") }
    chain?.exchange(archive)
    pattern?.exchange(archive)
    sequence?.exchange(archive)
    recognizer?.exchange(archive)
    prior?.exchange(archive)
  }

  func accept(_ event: Event) throws(EvaluationError) {
    if let pattern { return try pattern.accept(event) }
    if let sequence { return sequence.accept(event) }
    if let filter = code.filter {
      filterFrame.events[0] = event
      guard try filter(filterFrame).isTrue else { return }
    }
    statement.wasTouched = true
    statement.gauge.eventsIn += 1
    guard let repeats = code.repeats else { return try first.receive(new: [event], old: []) }
    filterFrame.events[0] = event
    for _ in 0..<max(try repeats.count(filterFrame), 1) {
      try first.receive(new: [event], old: [])
      try statement.endPass()
    }
  }

  private func filtered(_ events: [Event]) throws(EvaluationError) -> [Event] {
    guard let filter = code.filter else { return events }
    var kept: [Event] = []
    for event in events {
      filterFrame.events[0] = event
      if try filter(filterFrame).isTrue { kept.append(event) }
    }
    return kept
  }

  /// Nothing that has left waits for evaluation any more.
  func forgetLeft() { prior?.forgetLeft() }

  var hasWindow: Bool { chain != nil || code.window != nil || code.table != nil }

  /// What the source holds: its windows' rows, or those of the named window or table that it names.
  var contents: [Event] {
    if let recognizer { return recognizer.contents }
    if let chain { return chain.contents }
    if let tables = code.table { return (tables.of(partition).map { [$0] } ?? tables.all.map(\.store)).flatMap(\.rows) }
    let windows = window.map { [$0] } ?? code.window?.all.map(\.store) ?? []
    return (try? filtered(windows.flatMap(\.contents))) ?? []
  }
}
