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
  private var subscriptions: [Subscription] = []
  private var new: [Event] = []
  private var old: [Event] = []
  private var isChanged = false

  init(_ plan: NamedWindowPlan, _ runtime: Runtime) {
    self.plan = plan
    self.runtime = runtime
  }

  func start(_ chain: ViewChain) throws(EvaluationError) {
    self.chain = chain
    chain.last.next = ClosureReceiver { [unowned self] (new, old) throws(EvaluationError) in self.note(new, old) }
    try chain.start()
  }

  var contents: [Event] { chain?.contents ?? [] }

  func insert(_ event: Event) throws(EvaluationError) { try chain?.first.update(new: [event], old: []) }

  /// Rows that on-delete, on-update and on-merge take out and put in.
  func change(new: [Event], old: [Event]) throws(EvaluationError) {
    if !new.isEmpty || !old.isEmpty { try chain?.first.update(new: new, old: old) }
  }

  func subscribe(_ statement: StatementRuntime, _ receive: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) -> Subscription {
    let subscription = Subscription(statement, receive)
    subscriptions.append(subscription)
    return subscription
  }
  func unsubscribe(_ subscription: Subscription) { subscriptions.removeAll { $0 === subscription } }

  private func note(_ new: [Event], _ old: [Event]) {
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
