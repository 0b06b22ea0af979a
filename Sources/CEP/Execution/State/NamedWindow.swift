internal import Builtins
internal import EventModel
internal import Plan

/// A named window, compiled.
final class NamedWindowCode {
  let plan: NamedWindowPlan
  let filledFrom: Declared<NamedWindow>?
  let fillFilter: Evaluator?
  /// Statements outside its context, which read the windows of all partitions.
  let outsideReaders: NamedWindow.Readers
  private let compiler: ExpressionCompiler

  init(_ plan: NamedWindowPlan, context: EventType?, _ environment: Environment) throws(DeploymentError) {
    self.plan = plan
    compiler = environment.compiler([plan.type], context: context)
    outsideReaders = NamedWindow.Readers()
    environment.outsideReaders[plan.name] = outsideReaders
    filledFrom = plan.fillFrom.flatMap { environment.windows[$0] }
    fillFilter = try compiler.compile(plan.fillFilter)
  }

  func chain(_ site: ViewSite) throws(DeploymentError) -> ViewChain {
    try ViewBuilder(compiler: compiler, site: site).chain(plan.views, plan.combination) ?? ViewChain([KeepAllView()])
  }
}

/// A named window: rows that several statements fill and read. Its readers are told what changed after the pass in which it did.
final class NamedWindow: StatementInstance {
  final class Subscription {
    let statement: StatementRuntime
    let receive: ([Event], [Event]) throws(EvaluationError) -> Void
    init(_ statement: StatementRuntime, _ receive: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) {
      self.statement = statement
      self.receive = receive
    }
  }

  /// The statements that are told of its changes.
  final class Readers {
    fileprivate private(set) var all: [Subscription] = []

    func add(_ statement: StatementRuntime, _ receive: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) -> Subscription {
      let subscription = Subscription(statement, receive)
      all.append(subscription)
      return subscription
    }
    func remove(_ subscription: Subscription) { all.removeAll { $0 === subscription } }
  }

  let code: NamedWindowCode
  let readers = Readers()
  var plan: NamedWindowPlan { code.plan }
  private let chain: ViewChain
  /// The rows that on-actions find by a key, in order of insertion. In a batch window that is what waits and what was last released, as in
  /// the original.
  private let index = JoinTable()
  /// For the keys of rows.
  private let frame: Frame
  private var new: [Event] = []
  private var old: [Event] = []
  private var isChanged = false

  init(_ statement: StatementRuntime, _ partition: Partition?, _ code: NamedWindowCode) throws(EvaluationError) {
    self.code = code
    frame = Frame(streams: 1, clock: statement.runtime.clock)
    frame.enter(partition)
    let viewFrame = frame.sibling(streams: 1)
    let site = ViewSite(statement: statement, clock: frame.clock, frame: viewFrame)
    chain = try statement.runtime.lifted { () throws(DeploymentError) in try code.chain(site) }
    super.init(statement, partition)
    chain.last.next = ClosureReceiver { [unowned self] (new, old) throws(EvaluationError) in try self.note(new, old) }
  }

  override func start() throws(EvaluationError) {
    try chain.start()
    guard let source = code.filledFrom?.of(partition) else { return }
    let frame = Frame(streams: 1, clock: statement.runtime.clock)
    frame.enter(partition)
    for event in source.contents {
      frame.events[0] = event
      if let filter = code.fillFilter, !(try filter(frame).isTrue) { continue }
      try insert(event)
    }
  }

  override func stop() { chain.stop() }
  override func currentRows() throws(EvaluationError) -> [Event] { contents }

  /// Between two passes its readers have been told of every change.
  override func exchange(_ archive: StateArchive) {
    if archive.isComparing, statement.environment.windowsFilledFromOutside.contains(plan.name) {
      return archive.fail("rows from outside the context may be meant for it")
    }
    chain.exchange(archive)
    if !archive.isMeasuring { index.exchange(archive, frame, 0) }
  }

  /// A batch's rows leave without anybody being told.
  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    let before = isBatch ? chain.first.contents : []
    let count = try chain.shed(share)
    for row in before.prefix(count) { try index.remove(row, frame, 0) }
    return count
  }

  var contents: [Event] { chain.contents }
  var indexed: [Event] { index.all }

  /// The rows that may have a key: those for which the conditions hold are among them.
  func rows(_ lookup: RowLookup, _ key: [Value]) throws(EvaluationError) -> [Event] {
    try index.rows(lookup, key, frame)
  }
  private var isBatch: Bool { chain.isBatch }

  func insert(_ event: Event) throws(EvaluationError) { try change(new: [event], old: []) }

  /// Rows that on-delete, on-update and on-merge take out and put in.
  ///
  /// - Parameter force: readers are told even if nothing changes.
  func change(new: [Event], old: [Event], force: Bool = false) throws(EvaluationError) {
    if new.isEmpty, old.isEmpty {
      if force, chain.passesNothingOn { statement.output(new: [], old: []) }
      return
    }
    if isBatch { for event in new { try index.insert(event, frame, 0) } }
    try chain.first.update(new: new, old: old)
  }

  /// The window's own statement tells at once, its readers after the pass.
  private func note(_ new: [Event], _ old: [Event]) throws(EvaluationError) {
    statement.output(new: new, old: old)
    for event in old { try index.remove(event, frame, 0) }
    if !isBatch { for event in new { try index.insert(event, frame, 0) } }
    self.new += new
    self.old += old
    if !isChanged {
      isChanged = true
      statement.runtime.noteChanged(self)
    }
  }

  func dispatch() {
    let (new, old) = (self.new, self.old)
    self.new = []
    self.old = []
    isChanged = false
    for subscription in readers.all + code.outsideReaders.all {
      statement.runtime.attempt(subscription.statement) { () throws(EvaluationError) in
        try subscription.receive(new, old)
        try subscription.statement.endPass()
      }
    }
  }
}
