internal import Builtins
internal import EventModel
internal import Kernels
internal import Plan

/// A pattern that a sequence kernel runs: batches go through the kernel ahead, and events are made of what waited only where a sequence
/// ends.
final class KeyedSequence {
  private let plan: SequencePlan
  private let kernel: SequenceKernel
  private let filters: [RowFilter?]
  private let selections: [RowSelection]
  private unowned let statement: StatementRuntime
  private let onMatch: (Event) throws(EvaluationError) -> Void
  /// When the pattern began: the time of its matches' events, as of those of any pattern.
  private var began: Int64 = 0
  /// How many rows of the present batch are still to come that end sequences.
  private var expected = 0
  /// For each step but the last, for each slot of its events the place among what is kept; -1 for what is not.
  private let slots: [[Int]]
  /// For the types of events that come alone the properties that have a slot.
  private let layouts: Layouts

  init(
    _ plan: SequencePlan, _ statement: StatementRuntime, _ onMatch: @escaping (Event) throws(EvaluationError) -> Void
  ) throws(EvaluationError) {
    self.plan = plan
    self.statement = statement
    self.onMatch = onMatch
    kernel = SequenceKernel(plan, seed: statement.runtime.seed)
    selections = plan.steps.map { _ in RowSelection() }
    let layouts = statement.environment.layouts
    self.layouts = layouts
    var filters: [RowFilter?] = []
    for step in plan.steps { filters.append(try RowFilter(step.filter, step.type, statement)) }
    self.filters = filters
    slots = plan.steps.dropLast().map { step in
      var slots = [Int](repeating: -1, count: layouts.width(of: step.type))
      for (place, property) in step.kept.enumerated() {
        let slot = layouts.slot(step.type, property)
        if slot >= 0 { slots[slot] = place }
      }
      return slots
    }
  }

  private var clock: Clock { statement.runtime.clock }

  func start() { began = clock.now }

  /// When the last of what waits is given up.
  var lastDue: Int64? { kernel.lastDue }

  /// The clock is about to go back.
  func expire() { kernel.expire(clock.now) }

  func shed(_ share: Double) -> Int {
    let count = StatementShare.of(kernel.waitingCount, share)
    kernel.giveUp(count)
    return count
  }

  func exchange(_ archive: StateArchive) {
    archive.integer(&began)
    kernel.exchange(archive)
  }

  // MARK: Events

  /// Goes through a batch; the rows that end sequences, which are then to be received one by one.
  /// - Parameter times: the events' times, where these set the clock.
  func scan(_ batch: EventBatch, _ times: [Int64]) -> RowSelection {
    let start = StatementTimes.now()
    defer { statement.gauge.nanoseconds += StatementTimes.now() - start }
    // The first event of all sets the clock, wherever that stands.
    let now = statement.runtime.hasStarted || times.isEmpty ? clock.now : times[0]
    return scan(batch, now: now, times)
  }

  private func scan(_ batch: EventBatch, now: Int64, _ times: [Int64]) -> RowSelection {
    var passing: [RowSelection?] = []
    for (number, step) in plan.steps.enumerated() {
      guard step.type === batch.type else {
        passing.append(nil)
        continue
      }
      selections[number].fill(0..<batch.valueCount)
      filters[number]?.apply(to: selections[number], of: batch)
      passing.append(selections[number])
    }
    let rows = kernel.scan(batch, passing, now: now, times: times)
    statement.gauge.eventsIn += UInt64(kernel.eventsTaken)
    expected = rows.count
    return rows
  }

  /// The next row of the batch that ends sequences, or an event that comes alone.
  func accept(_ event: Event) {
    if expected == 0 {
      var properties: [Int] = []
      var columns: [Column] = []
      for property in event.type.properties.indices {
        let slot = layouts.slot(event.type, property)
        if slot < 0 { continue }
        properties.append(property)
        columns.append(Column.typed([event[slot]]))
      }
      let batch = EventBatch(type: event.type, count: 1, properties: properties, columns: columns, times: [event.time])
      _ = scan(batch, now: clock.now, [])
      if kernel.eventsTaken > 0 { statement.wasTouched = true }
      if expected == 0 { return }
    }
    expected -= 1
    statement.wasTouched = true
    for match in kernel.takeMatches() {
      statement.runtime.attempt(statement) { () throws(EvaluationError) in try onMatch(self.match(match, event)) }
    }
  }

  private func match(_ number: Int, _ last: Event) -> Event {
    var tags = [Value](repeating: .null, count: plan.type.properties.count)
    for (step, part) in plan.steps.enumerated() {
      guard let tag = part.tag else { continue }
      guard step < slots.count else {
        tags[tag] = .event(last)
        continue
      }
      let slots = self.slots[step]
      tags[tag] = .event(
        Event.make(part.type, time: kernel.time(number, step: step), count: slots.count) { slot in
          slots[slot] < 0 ? .null : kernel.value(number, step: step, kept: slots[slot])
        })
    }
    return Event.make(plan.type, time: began, tags)
  }
}
