internal import Builtins
internal import EventModel

/// What an expression sees while it is evaluated: the events of the streams, the current group, the clock.
///
/// One per operator, reused from row to row.
final class Frame {
  var events: [Event?]
  /// The context partition's properties.
  var context: Event?
  private(set) var partition: Partition?
  var locals: [Value] = []
  var group: Group?
  /// The keys that the current level groups by, where the statement has several levels.
  var level: [Int]?
  /// Whether the row is evaluated for the insert stream.
  var isNew = true
  /// For `prev` and its kind, by stream.
  var history: [History?] = []
  var subqueries: [SubqueryInstance] = []
  /// Rows of the partition before the current one, for `prev` within match_recognize; newest last.
  var earlierRows: [Event] = []
  unowned let clock: Clock

  init(streams: Int, clock: Clock) {
    events = Array(repeating: nil, count: streams)
    self.clock = clock
  }

  /// A frame over the same partition with other streams.
  func sibling(streams: Int) -> Frame {
    let frame = Frame(streams: streams, clock: clock)
    frame.context = context
    frame.partition = partition
    frame.subqueries = subqueries
    return frame
  }

  /// What is evaluated is a partition's, or that of no context.
  func enter(_ partition: Partition?) {
    self.partition = partition
    context = partition?.properties
  }

  func load(_ row: Tuple) {
    if row.others.isEmpty { events[0] = row.first } else { events = row.others }
  }
}

/// The events of a statement's streams that make one row before selection.
struct Tuple {
  /// The event of stream 0.
  let first: Event?
  /// All streams' events where there are several streams, else empty.
  let others: [Event?]

  init(_ event: Event) {
    first = event
    others = []
  }

  init(joined events: [Event?]) {
    first = events[0]
    others = events
  }

  func isSame(as other: Tuple) -> Bool {
    guard first === other.first, others.count == other.others.count else { return false }
    return zip(others, other.others).allSatisfy { $0 === $1 }
  }
}

/// The compiled form of an expression.
typealias Evaluator = (Frame) throws(EvaluationError) -> Value
