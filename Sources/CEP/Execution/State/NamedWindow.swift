internal import Builtins
internal import EventModel
internal import Plan

/// A named window: rows that several statements fill and read. Its readers are told what changed after the pass in which it did.
final class NamedWindow {
  final class Subscription {
    let statement: StatementRuntime
    let receive: ([Event], [Event]) throws(EvaluationError) -> Void
    init(_ statement: StatementRuntime, _ receive: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) {
      self.statement = statement
      self.receive = receive
    }
  }

  let plan: NamedWindowPlan
  private unowned let runtime: Runtime
  private var chain: ViewChain?
  private weak var owner: StatementRuntime?
  /// The rows that on-actions find by a key, in order of insertion. In a batch window that is what waits and what was last released, as in
  /// the original.
  private var index = EventQueue()
  private var subscriptions: [Subscription] = []
  private var new: [Event] = []
  private var old: [Event] = []
  private var isChanged = false

  init(_ plan: NamedWindowPlan, _ runtime: Runtime) {
    self.plan = plan
    self.runtime = runtime
  }

  func start(_ chain: ViewChain, _ owner: StatementRuntime) throws(EvaluationError) {
    self.chain = chain
    self.owner = owner
    chain.last.next = ClosureReceiver { [unowned self] (new, old) throws(EvaluationError) in self.note(new, old) }
    try chain.start()
  }

  /// Between two passes its readers have been told of every change.
  func exchange(_ archive: StateArchive) {
    chain?.exchange(archive)
    if !archive.isMeasuring { archive.queue(&index) }
  }

  /// A batch's rows leave without anybody being told.
  func shed(_ share: Double) throws(EvaluationError) -> Int {
    guard let chain else { return 0 }
    let before = isBatch ? chain.first.contents : []
    let count = try chain.shed(share)
    for row in before.prefix(count) { index.remove(row) }
    return count
  }

  var contents: [Event] { chain?.contents ?? [] }
  var indexed: [Event] { index.all }
  private var isBatch: Bool { chain?.isBatch ?? false }

  func insert(_ event: Event) throws(EvaluationError) { try change(new: [event], old: []) }

  /// Rows that on-delete, on-update and on-merge take out and put in.
  ///
  /// - Parameter force: readers are told even if nothing changes.
  func change(new: [Event], old: [Event], force: Bool = false) throws(EvaluationError) {
    if new.isEmpty, old.isEmpty {
      if force, chain?.passesNothingOn ?? true { owner?.output(new: [], old: []) }
      return
    }
    if isBatch { for event in new { index.append(event) } }
    try chain?.first.update(new: new, old: old)
  }

  func subscribe(_ statement: StatementRuntime, _ receive: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) -> Subscription {
    let subscription = Subscription(statement, receive)
    subscriptions.append(subscription)
    return subscription
  }
  func unsubscribe(_ subscription: Subscription) { subscriptions.removeAll { $0 === subscription } }

  /// The window's own statement tells at once, its readers after the pass.
  private func note(_ new: [Event], _ old: [Event]) {
    owner?.output(new: new, old: old)
    for event in old { index.remove(event) }
    if !isBatch { for event in new { index.append(event) } }
    self.new += new
    self.old += old
    if !isChanged {
      isChanged = true
      runtime.noteChanged(self)
    }
  }

  func dispatch() {
    let (new, old) = (self.new, self.old)
    self.new = []
    self.old = []
    isChanged = false
    for subscription in subscriptions {
      runtime.attempt(subscription.statement) { () throws(EvaluationError) in
        try subscription.receive(new, old)
        try subscription.statement.endPass()
      }
    }
  }
}
