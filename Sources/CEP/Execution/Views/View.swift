internal import Builtins
internal import EventModel
internal import Plan

/// One step of a chain of windows: takes the rows that enter and leave, and passes on what enters and leaves it.
class View {
  /// Who is told; set when the chain is built.
  var next: Receiver?

  /// - Parameter old: rows that the step before has dropped, to be dropped here too.
  func update(new: [Event], old: [Event]) throws(EvaluationError) {}
  /// Timers that run from deployment on.
  func start() throws(EvaluationError) {}
  func stop() {}
  /// Forgets rows without telling anyone; for windows that work together.
  func discard(_ events: [Event]) {}
  /// What it holds, in its own order.
  var contents: [Event] { [] }
  /// How many that are, and one of them; for `prev`, which asks at every event.
  var contentCount: Int { contents.count }
  func content(_ index: Int) -> Event? {
    let contents = contents
    return contents.indices.contains(index) ? contents[index] : nil
  }
  /// Whether it holds rows back and passes them on together.
  var isBatch: Bool { false }
  /// For `prev`.
  var history: History? { nil }
  /// Names what it keeps, in order. One that does not cannot be saved.
  func exchange(_ archive: StateArchive) { archive.fail("a window of this kind cannot be saved") }

  /// Takes out so many of what it holds, the first in its own order.
  func takeFirst(_ count: Int) -> [Event] {
    let first = Array(contents.prefix(count))
    discard(first)
    return first
  }

  final func pass(new: [Event], old: [Event]) throws(EvaluationError) {
    if new.isEmpty, old.isEmpty { return }
    try next?.receive(new: new, old: old)
  }
}

/// What stands at the end of a view.
class Receiver {
  func receive(new: [Event], old: [Event]) throws(EvaluationError) {}
}

final class ViewReceiver: Receiver {
  let view: View
  init(_ view: View) { self.view = view }
  override func receive(new: [Event], old: [Event]) throws(EvaluationError) { try view.update(new: new, old: old) }
}

final class ClosureReceiver: Receiver {
  let action: ([Event], [Event]) throws(EvaluationError) -> Void
  init(_ action: @escaping ([Event], [Event]) throws(EvaluationError) -> Void) { self.action = action }
  override func receive(new: [Event], old: [Event]) throws(EvaluationError) { try action(new, old) }
}

/// What a view needs from where it is built.
struct ViewSite {
  let statement: StatementRuntime
  let clock: Clock
  /// For evaluating keys and sizes, with the event as stream 0.
  let frame: Frame

  func value(_ evaluator: Evaluator, of event: Event) throws(EvaluationError) -> Value {
    frame.events[0] = event
    return try evaluator(frame)
  }
  func values(_ evaluators: [Evaluator], of event: Event) throws(EvaluationError) -> [Value] {
    frame.events[0] = event
    return try evaluateAll(evaluators, frame)
  }
  /// - Parameter slot: of timers due at one instant, the one with the smaller slot is first.
  func schedule(at time: Int64, slot: Int, _ action: @escaping () throws(EvaluationError) -> Void) -> Timer {
    clock.schedule(at: time, for: statement, rank: slot, action)
  }
}

/// What `prev` and `prior` find. For the leaving stream `prev` finds nothing.
class History {
  func event(_ kind: Expression.Previous.Kind, _ offset: Int, at event: Event, isNew: Bool) -> Event? { nil }
  func count(at event: Event) -> Int? { nil }
  /// Newest first.
  func window(at event: Event) -> [Event]? { nil }
}

/// `prev` over a window whose rows stand in an order of their own: counted from the newest (or first in rank).
final class WindowHistory: History {
  unowned let view: View
  let newestFirst: Bool
  init(_ view: View, newestFirst: Bool = true) {
    self.view = view
    self.newestFirst = newestFirst
  }
  private func at(_ offset: Int) -> Event? { view.content(newestFirst ? view.contentCount - 1 - offset : offset) }
  override func event(_ kind: Expression.Previous.Kind, _ offset: Int, at event: Event, isNew: Bool) -> Event? {
    guard isNew else { return nil }
    return kind == .tail ? at(view.contentCount - 1 - offset) : at(offset)
  }
  override func count(at event: Event) -> Int? { view.contentCount }
  override func window(at event: Event) -> [Event]? { newestFirst ? view.contents.reversed() : view.contents }
}

/// `prev` within a batch: counted from the event itself.
final class BatchHistory: History {
  var batch: [Event] = []
  override func event(_ kind: Expression.Previous.Kind, _ offset: Int, at event: Event, isNew: Bool) -> Event? {
    guard isNew, let position = batch.firstIndex(where: { $0 === event }) else { return nil }
    let index = kind == .tail ? offset : position - offset
    return index >= 0 && index < batch.count ? batch[index] : nil
  }
  override func count(at event: Event) -> Int? { batch.contains { $0 === event } ? batch.count : nil }
  override func window(at event: Event) -> [Event]? { batch.contains { $0 === event } ? batch.reversed() : nil }
}
