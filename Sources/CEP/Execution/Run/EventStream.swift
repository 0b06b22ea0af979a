internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// The events of one type, and the statements that read them, as themselves or through a supertype.
final class EventStream {
  let type: EventType
  private var own: [Consumer] = []
  /// Streams of supertypes, which see these events with their own properties.
  private var views: [EventStream] = []
  /// All consumers in the order in which they run, each with the view that it reads; rebuilt after a change.
  private var order: [(consumer: Consumer, view: Int)]? {
    didSet { (index, entryIndex) = (nil, nil) }
  }
  /// The consumers' filters; those that decide whether an event's values are needed.
  private var index: FilterIndex?
  private var entryIndex: (countsAll: Bool, index: FilterIndex?)?
  private var mappings: [[Int]] = []
  /// What UPDATE ISTREAM statements make of an event before anyone sees it, in order of deployment.
  private var updates: [(Event) throws(EvaluationError) -> Event] = []

  private let layouts: Layouts

  init(type: EventType, layouts: Layouts) {
    self.type = type
    self.layouts = layouts
  }

  var hasConsumers: Bool { !own.isEmpty || !updates.isEmpty || views.contains(where: \.hasConsumers) }

  func addView(of stream: EventStream) {
    guard stream !== self, !views.contains(where: { $0 === stream }) else { return }
    views.append(stream)
    mappings.append(layouts.mapping(of: type, to: stream.type))
    order = nil
  }

  func add(_ consumer: Consumer) {
    own.append(consumer)
    order = nil
  }

  /// Whether statements change events before the others see them.
  var isUpdated: Bool { !updates.isEmpty }

  func addUpdate(_ update: @escaping (Event) throws(EvaluationError) -> Event) { updates.append(update) }

  /// The event as UPDATE ISTREAM statements make it.
  private func updated(_ event: Event, in runtime: Runtime) -> Event {
    var event = event
    for update in updates {
      // Not by `attempt`: the optimiser of Swift 6.3 fails on it here.
      do throws(EvaluationError) { event = try update(event) } catch { runtime.note(error, of: nil) }
    }
    return event
  }

  func remove(_ consumer: Consumer) {
    own.removeAll { $0 === consumer }
    order = nil
  }

  private func ordered(in runtime: Runtime) -> [(consumer: Consumer, view: Int)] {
    var all = own.map { (consumer: $0, view: -1) }
    for (number, view) in views.enumerated() { all += view.own.map { (consumer: $0, view: number) } }
    let readings = Dictionary(all.map { ($0.consumer.statement.order, 1) }, uniquingKeysWith: +)
    let turn = { (consumer: Consumer) in
      consumer.rank == 0 ? 0 : readings[consumer.statement.order] ?? 1 > 1 ? 3 : consumer.isFiltered ? 1 : 2
    }
    all = all.enumerated().sorted { a, b in
      let (x, y) = (a.element.consumer, b.element.consumer)
      if runtime.honoursPriorities, x.statement.priority != y.statement.priority { return x.statement.priority > y.statement.priority }
      if runtime.isCompat {
        // As in the original, whose index finds the filtered first, and which gathers what a statement reads more than once.
        let (first, second) = (turn(x), turn(y))
        if first != second { return first < second }
      }
      if x.statement.order != y.statement.order { return x.statement.order < y.statement.order }
      return x.rank != y.rank ? x.rank < y.rank : a.offset < b.offset
    }.map(\.element)
    return all
  }

  /// The consumers in the order in which they run.
  func consumers(in runtime: Runtime) -> [(consumer: Consumer, view: Int)] {
    if let order, !isStale { return order }
    let consumers = ordered(in: runtime)
    order = consumers
    seenVersion = versions
    return consumers
  }

  /// The consumers' filters over columns, by their order.
  func filterIndex(in runtime: Runtime) -> FilterIndex {
    let consumers = consumers(in: runtime)
    if let index { return index }
    let index = FilterIndex(consumers.map { $0.view < 0 ? $0.consumer.filter : nil })
    self.index = index
    return index
  }

  /// The filters that say of which events some consumer may need the values; nil where one of them needs all.
  /// - Parameter countsAll: whether consumers are told of the other events' times.
  func entryIndex(in runtime: Runtime, countsAll: Bool) -> FilterIndex? {
    if !updates.isEmpty { return nil }
    // Where events may come one by one, fused statements are told of those alone that have values.
    let countsAll = countsAll && !runtime.takesInserted(type)
    let consumers = consumers(in: runtime)
    if let entryIndex, entryIndex.countsAll == countsAll { return entryIndex.index }
    let filters = consumers.compactMap { consumer, view -> ColumnFilter? in
      view < 0 ? consumer.fused.map { $0.entryFilter(countsAll: countsAll) } ?? consumer.prefilter : nil
    }
    let index = filters.count == consumers.count ? FilterIndex(filters) : nil
    entryIndex = (countsAll, index)
    return index
  }

  /// - Parameter chosen: the numbers of the consumers that get the event, ascending; nil for all.
  func deliver(_ sent: Event, in runtime: Runtime, to chosen: [Int]? = nil) {
    let event = updates.isEmpty ? sent : updated(sent, in: runtime)
    let consumers = consumers(in: runtime)
    var converted = [Event?](repeating: nil, count: views.count)
    var current: StatementRuntime?
    var skipsBelow: Int?
    // The thread's clock when the current statement began, where this event is measured.
    var began = runtime.times.isSampled() ? StatementTimes.now() : nil
    for place in 0..<(chosen?.count ?? consumers.count) {
      let (consumer, view) = consumers[chosen?[place] ?? place]
      let statement = consumer.statement
      if let current, current !== statement {
        runtime.attempt(current) { () throws(EvaluationError) in try current.endPass() }
        if runtime.honoursPriorities, current.drops, current.wasTouched { skipsBelow = current.priority }
        current.wasTouched = false
        if let start = began { began = current.note(since: start) }
      }
      if let limit = skipsBelow, statement.priority < limit { return }
      current = statement
      let seen: Event
      if view < 0 {
        seen = event
      } else {
        seen = converted[view] ?? convert(event, view)
        converted[view] = seen
      }
      runtime.attempt(statement) { () throws(EvaluationError) in try consumer.receive(seen) }
    }
    if let current {
      runtime.attempt(current) { () throws(EvaluationError) in try current.endPass() }
      current.wasTouched = false
      if let began { _ = current.note(since: began) }
    }
  }

  /// The supertypes' consumers may change without this stream's knowing.
  private var seenVersion: [Int] = []
  private var versions: [Int] { [own.count] + views.map(\.own.count) }
  private var isStale: Bool { views.isEmpty ? false : seenVersion != versions }

  private func convert(_ event: Event, _ view: Int) -> Event {
    let mapping = mappings[view]
    return Event.make(views[view].type, time: event.time, count: mapping.count, underlying: event.origin) { event[mapping[$0]] }
  }
}

/// A statement's entry for the events of one type.
final class Consumer {
  unowned let statement: StatementRuntime
  /// Within a statement: a context's own first, then subqueries, then sources.
  let rank: Int
  let receive: (Event) throws(EvaluationError) -> Void
  /// Takes whole batches instead of events.
  let fused: FusedInstance?
  /// Over columns: `receive` need not be told of events that fail it.
  let prefilter: ColumnFilter?
  /// Goes through a batch ahead, and says which of its rows `receive` is then to be told of; nil where the statement takes every row that
  /// passes the filter.
  let scan: Scan?
  typealias Scan = (_ batch: EventBatch, _ times: [Int64]) -> RowSelection?
  /// Whether the statement's events pass a condition first.
  let isFiltered: Bool
  /// What is asked of a batch's columns before the statement is given its rows.
  var filter: ColumnFilter? { fused.map(\.indexedFilter) ?? (scan == nil ? prefilter : nil) }

  init(
    statement: StatementRuntime, rank: Int, fused: FusedInstance? = nil, prefilter: ColumnFilter? = nil, scan: Scan? = nil,
    isFiltered: Bool = false,
    receive: @escaping (Event) throws(EvaluationError) -> Void
  ) {
    self.statement = statement
    self.rank = rank
    self.fused = fused
    self.prefilter = prefilter
    self.scan = scan
    self.isFiltered = isFiltered
    self.receive = receive
  }
}
