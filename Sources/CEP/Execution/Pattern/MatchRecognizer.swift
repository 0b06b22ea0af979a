internal import Builtins
internal import EventModel
internal import Plan

/// The rows of one partition.
private final class RowPartition {
  let key: [Value]
  var active: [PartialMatch] = []
  var earlier: [Event] = []
  var rows: UInt64 = 0
  init(key: [Value]) { self.key = key }

  func exchange(_ archive: StateArchive) {
    archive.note(entries: active.count, of: 96)
    archive.array(&active, blank: PartialMatch.blank) { $0.exchange(archive) }
    archive.events(&earlier)
    archive.word(&rows)
  }
}

/// match_recognize at work.
final class MatchRecognizer {
  private let code: MatchRecognizeCode
  private let statement: StatementRuntime
  private let frame: Frame
  private let keyFrame: Frame
  private let receiver: Receiver
  private var partitions: [[Value]: RowPartition] = [:]
  /// In order of first appearance, so that no output depends on the hash.
  private var order: [RowPartition] = []
  /// Matches that wait for their interval to end, of all partitions, by the time when they began.
  private var waiting: [(match: PartialMatch, partition: RowPartition)] = []
  private var timer: Timer?
  private var forgetsAt = 1024

  init(_ code: MatchRecognizeCode, _ statement: StatementRuntime, _ frame: Frame, _ receiver: Receiver, hasWindow: Bool) {
    self.code = code
    self.statement = statement
    self.frame = frame.sibling(streams: 2)
    keyFrame = frame.sibling(streams: 1)
    self.receiver = receiver
  }

  func stop() { timer?.cancel() }

  var contents: [Event] { [] }

  /// Partitions in the order in which they first came.
  func shed(_ share: Double) -> Int {
    let old = order.prefix(StatementShare.of(order.count, share))
    order.removeFirst(old.count)
    for partition in old { partitions[partition.key] = nil }
    let gone = Set(old.map(ObjectIdentifier.init))
    waiting.removeAll { gone.contains(ObjectIdentifier($0.partition)) }
    return old.count
  }

  func exchange(_ archive: StateArchive) {
    archive.note(entries: order.count, of: 200)
    archive.note(entries: waiting.count, of: 96)
    if archive.isMeasuring {
      var all = order
      return archive.array(&all, blank: RowPartition(key: [])) { $0.exchange(archive) }
    }
    var keys = order.map(\.key)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    if archive.isRestoring {
      order = keys.map { RowPartition(key: $0) }
      partitions = Dictionary(zip(keys, order).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    }
    for partition in order { partition.exchange(archive) }
    exchangeWaiting(archive)
    archive.timer(&timer) { makeTimer(at: $0, sequence: $1) }
    let isSound = order.allSatisfy { $0.active.allSatisfy { $0.fits(code) } } && waiting.allSatisfy { $0.match.fits(code) }
    if archive.isRestoring, !isSound { archive.fail("a match that the pattern cannot have") }
  }

  private func exchangeWaiting(_ archive: StateArchive) {
    let numbers = Dictionary(order.enumerated().map { (ObjectIdentifier($1), $0) }, uniquingKeysWith: { first, _ in first })
    var items = waiting.map { (number: numbers[ObjectIdentifier($0.partition)] ?? -1, match: $0.match) }
    archive.array(&items, blank: (number: -1, match: PartialMatch.blank)) { item in
      archive.integer(&item.number)
      item.match.exchange(archive)
    }
    guard archive.isRestoring else { return }
    if !items.allSatisfy({ order.indices.contains($0.number) }) { return archive.fail("a match of a partition that is not there") }
    waiting = items.map { (match: $0.match, partition: order[$0.number]) }
  }

  func receive(new: [Event], old: [Event]) throws(EvaluationError) {
    for event in old { try forget(event) }
    var rows: [Event] = []
    for event in new { rows += try take(event) }
    if !rows.isEmpty { try receiver.receive(new: rows, old: []) }
  }

  private func partition(of event: Event) throws(EvaluationError) -> RowPartition {
    keyFrame.events[0] = event
    let key = try evaluateAll(code.partition, keyFrame)
    if let known = partitions[key] { return known }
    if order.count >= forgetsAt { forgetEmpty() }
    let made = RowPartition(key: key)
    partitions[key] = made
    order.append(made)
    return made
  }

  /// A partition in which nothing has begun, and of which `prev` needs no row, is as good as one that never was.
  private func forgetEmpty() {
    let waits = Set(waiting.map { ObjectIdentifier($0.partition) })
    order.removeAll { partition in
      guard partition.active.isEmpty, partition.earlier.isEmpty, !waits.contains(ObjectIdentifier(partition)) else { return false }
      partitions[partition.key] = nil
      return true
    }
    forgetsAt = max(1024, order.count * 2)
  }

  /// What leaves the data window leaves the matches that it is part of.
  private func forget(_ event: Event) throws(EvaluationError) {
    keyFrame.events[0] = event
    guard let partition = partitions[try evaluateAll(code.partition, keyFrame)] else { return }
    let holds = { (match: PartialMatch) in match.rows.contains { $0.contains { $0 === event } } }
    partition.active.removeAll(where: holds)
    waiting.removeAll { $0.partition === partition && holds($0.match) }
  }

  // MARK: one row

  private func take(_ event: Event) throws(EvaluationError) -> [Event] {
    let partition = try partition(of: event)
    let row = partition.rows
    partition.rows += 1
    frame.earlierRows = partition.earlier
    var active: [PartialMatch] = []
    var ended: [PartialMatch] = []
    for match in partition.active {
      for next in code.automaton.follow[match.position] {
        if let grown = try step(match, to: next, event, row) { note(grown, &active, &ended) }
      }
    }
    let fresh = PartialMatch(
      position: -1, rows: Array(repeating: [], count: code.plan.variables.count), firstRow: row, lastRow: row, began: frame.clock.now)
    for first in code.automaton.first {
      if let grown = try step(fresh, to: first, event, row) {
        note(grown, &active, &ended)
      }
    }
    partition.active = active
    if code.depth > 0 {
      partition.earlier.append(event)
      if partition.earlier.count > code.depth { partition.earlier.removeFirst(partition.earlier.count - code.depth) }
    }
    guard code.interval != nil else { return try give(chosen(ended), partition) }
    // A match waits where another that began at the same time does, or where less of its interval has passed than is left; others are
    // given at once, as in the original.
    let now = frame.clock.now
    var overdue: [PartialMatch] = []
    for match in code.plan.allMatches ? ended : chosen(ended) {
      let rest = try due(match) - now
      if waiting.contains(where: { $0.match.began == match.began }) || now - match.began < rest {
        let place = waiting.firstIndex { $0.match.began > match.began } ?? waiting.count
        waiting.insert((match, partition), at: place)
      } else {
        overdue.append(match)
      }
    }
    // What has begun goes on, whatever the skip clause: with an interval it only chooses among matches that are given together.
    var rows = try give(chosen(overdue), partition, endsOthers: false)
    if code.plan.orTerminated {
      rows += try giveFinished { entry in
        entry.partition === partition && !partition.active.contains { $0.firstRow == entry.match.firstRow }
      }
    }
    try schedule()
    return rows
  }

  private func note(_ match: PartialMatch, _ active: inout [PartialMatch], _ ended: inout [PartialMatch]) {
    if code.automaton.isLast[match.position] { ended.append(match) }
    if !code.automaton.follow[match.position].isEmpty { active.append(match) }
  }

  private func step(_ match: PartialMatch, to position: Int, _ event: Event, _ row: UInt64) throws(EvaluationError) -> PartialMatch? {
    let variable = code.automaton.variables[position]
    if let define = code.defines[variable] {
      frame.events[0] = matchEvent(match)
      frame.events[1] = event
      guard try define(frame).isTrue else { return nil }
    }
    var grown = match
    grown.position = position
    grown.rows[variable].append(event)
    grown.lastRow = row
    return grown
  }

  /// The match as an event: per variable its row, or the array of its rows.
  private func matchEvent(_ match: PartialMatch) -> Event {
    let values = zip(code.plan.variables, match.rows).map { variable, rows -> Value in
      variable.isMultiple ? (rows.isEmpty ? .null : .array(rows.map { .event($0) })) : Value(rows.last)
    }
    return Event.make(code.plan.matchType, time: frame.clock.now, values)
  }

  // MARK: which match

  /// The earliest first; of one beginning the one with more rows of the last variables that repeat, with fewer where they are reluctant
  /// and both end with one row.
  private func isBetter(_ a: PartialMatch, _ b: PartialMatch) -> Bool {
    if a.firstRow != b.firstRow { return a.firstRow < b.firstRow }
    for variable in code.plan.variables.indices.reversed()
    where code.plan.variables[variable].isMultiple && a.rows[variable].count != b.rows[variable].count {
      let prefersFewer = a.lastRow == b.lastRow && code.automaton.reluctant.contains(variable)
      return (a.rows[variable].count > b.rows[variable].count) != prefersFewer
    }
    return false
  }

  private func best(_ matches: [PartialMatch]) -> PartialMatch? {
    matches.reduce(nil) { best, match in best.map { isBetter(match, $0) ? match : $0 } ?? match }
  }

  private func chosen(_ ended: [PartialMatch]) -> [PartialMatch] {
    var sorted: [PartialMatch] = []
    for match in ended {
      let place = sorted.firstIndex { isBetter(match, $0) } ?? sorted.count
      sorted.insert(match, at: place)
    }
    if code.plan.allMatches {
      // All of one beginning in the order in which they were found.
      return ended.enumerated().sorted { ($0.element.firstRow, $0.offset) < ($1.element.firstRow, $1.offset) }.map(\.element)
    }
    var result: [PartialMatch] = []
    for match in sorted {
      // The best of each beginning, as far as the skip clause leaves it one.
      guard let last = result.last else {
        result.append(match)
        continue
      }
      if match.firstRow == last.firstRow || (code.plan.skip == .pastLastRow && match.firstRow <= last.lastRow) { continue }
      result.append(match)
    }
    return result
  }

  /// - Parameter endsOthers: whether the skip clause also ends matches that have begun and are not complete.
  private func give(_ matches: [PartialMatch], _ partition: RowPartition, endsOthers: Bool = true) throws(EvaluationError) -> [Event] {
    var rows: [Event] = []
    for match in matches { rows.append(try row(match)) }
    if endsOthers { for match in matches { skip(match, partition) } }
    return rows
  }

  private func row(_ match: PartialMatch) throws(EvaluationError) -> Event {
    frame.events[0] = matchEvent(match)
    frame.events[1] = nil
    return Event.make(code.plan.outputType, time: frame.clock.now, try evaluateAll(code.measures, frame))
  }

  /// After a match: which of those begun go on.
  private func skip(_ match: PartialMatch, _ partition: RowPartition) {
    switch code.plan.skip {
    case .pastLastRow: partition.active.removeAll { $0.firstRow <= match.lastRow }
    case .toNextRow: partition.active.removeAll { $0.firstRow <= match.firstRow }
    case .toCurrentRow: break
    }
  }

  // MARK: the interval

  private func due(_ match: PartialMatch) throws(EvaluationError) -> Int64 {
    guard let interval = code.interval else { return match.began }
    return match.began + (try interval.milliseconds(frame))
  }

  /// One timer for the match that is due first.
  private func schedule() throws(EvaluationError) {
    guard let first = waiting.first else { return }
    let next = try due(first.match)
    if let timer {
      if timer.time == next { return }
      timer.cancel()
    }
    timer = makeTimer(at: next)
  }

  private func makeTimer(at time: Int64, sequence: UInt64? = nil) -> Timer {
    frame.clock.schedule(at: time, for: statement, sequence: sequence) { [unowned self] () throws(EvaluationError) in
      self.timer = nil
      let now = self.frame.clock.now
      let rows = try self.giveFinished { entry in ((try? self.due(entry.match)) ?? now) <= now }
      try self.schedule()
      if !rows.isEmpty { try self.receiver.receive(new: rows, old: []) }
    }
  }

  /// Gives the waiting matches that are finished, partition by partition; the skip clause chooses among them and ends no other.
  private func giveFinished(
    _ isFinished: ((match: PartialMatch, partition: RowPartition)) -> Bool
  ) throws(EvaluationError) -> [Event] {
    let finished = waiting.filter(isFinished)
    if finished.isEmpty { return [] }
    waiting.removeAll(where: isFinished)
    var rows: [Event] = []
    if code.plan.allMatches {
      for entry in finished { rows.append(try row(entry.match)) }
      return rows
    }
    var partitions: [RowPartition] = []
    for entry in finished where !partitions.contains(where: { $0 === entry.partition }) { partitions.append(entry.partition) }
    for partition in partitions {
      for match in chosen(finished.filter { $0.partition === partition }.map(\.match)) { rows.append(try row(match)) }
    }
    return rows
  }
}
