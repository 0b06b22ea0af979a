internal import Builtins
internal import EventModel
internal import Plan

/// The aggregates of one group.
final class Group {
  let key: [Value]
  private let states: [AggregateState]
  /// How many events are in it.
  var count = 0
  /// The row that stands for the group: the last that came (or left).
  var representative: Tuple?
  /// For ordering groups by first appearance, and for marks of one pass.
  var mark = 0

  init(key: [Value], states: [AggregateState]) {
    self.key = key
    self.states = states
  }

  func value(_ number: Int, time: Int64) -> Value { states[number].value(time: time) }
  func state(_ number: Int) -> AggregateState { states[number] }
  func clear() {
    for state in states { state.clear() }
    count = 0
  }

  func exchange(_ archive: StateArchive) {
    archive.integer(&count)
    archive.tuple(&representative)
    for state in states { state.exchange(archive) }
  }
}

/// One aggregate, compiled. A class, since a copy of its parts for every row would count each of them.
final class AggregateCode {
  let function: AggregateFunction
  let types: [ValueType]
  let descending: [Bool]
  let arguments: [Evaluator]
  let filter: Evaluator?
  let isDistinct: Bool
  /// Whether single values can leave it; else it is emptied with the batch.
  var canForget: Bool { function.canForget }

  init(_ plan: AggregatePlan, _ compiler: ExpressionCompiler) throws(DeploymentError) {
    guard let function = compiler.environment.runtime.catalog.aggregates[plan.function] else {
      throw DeploymentError("no aggregate \(plan.function)")
    }
    self.function = function
    types = plan.arguments.map(\.type)
    descending = plan.order.map(\.descending)
    arguments = try compiler.compile(plan.arguments + plan.order.map(\.expression))
    filter = try compiler.compile(plan.filter)
    isDistinct = plan.isDistinct
  }

  func makeState() -> AggregateState {
    let state = function.make(types, descending)
    return isDistinct ? DistinctState(state) : state
  }

  @inline(__always)
  func apply(_ state: AggregateState, _ frame: Frame, entering: Bool) throws(EvaluationError) {
    if let filter, !(try filter(frame).isTrue) { return }
    var first = Value.null
    var rest: [Value] = []
    if arguments.count > 0 { first = try arguments[0](frame) }
    if arguments.count > 1 { for argument in arguments[1...] { rest.append(try argument(frame)) } }
    let time = frame.clock.now
    if function.tellsRowsApart { state.take(row: frame.events[0]) }
    if entering { state.enter(first, rest, time: time) } else { state.leave(first, rest, time: time) }
  }
}

/// Each value once.
final class DistinctState: AggregateState {
  private let inner: AggregateState
  private var counts: [Value: Int] = [:]
  init(_ inner: AggregateState) { self.inner = inner }

  override func enter(_ value: Value, _ rest: [Value], time: Int64) {
    let count = counts[value] ?? 0
    counts[value] = count + 1
    if count == 0 { inner.enter(value, rest, time: time) }
  }
  override func leave(_ value: Value, _ rest: [Value], time: Int64) {
    guard let count = counts[value] else { return }
    if count > 1 {
      counts[value] = count - 1
    } else {
      counts[value] = nil
      inner.leave(value, rest, time: time)
    }
  }
  override func clear() {
    counts.removeAll()
    inner.clear()
  }
  override func value(time: Int64) -> Value { inner.value(time: time) }
  override func exchange(_ archive: StateArchive) {
    archive.table(&counts, blank: 0) { archive.integer(&$0) }
    inner.exchange(archive)
  }
}

/// The groups of one level, found by key under the engine's seed, kept in order of first appearance.
final class GroupTable {
  private let aggregates: [AggregateCode]
  private let seed: UInt64
  private var buckets: [Int32]
  private var groups: [Group?] = []
  private var hashes: [UInt64] = []
  private var live = 0

  init(_ aggregates: [AggregateCode], seed: UInt64) {
    self.aggregates = aggregates
    self.seed = seed
    buckets = Array(repeating: -1, count: 16)
  }

  var all: [Group] { groups.compactMap { $0 } }

  /// Forgets groups in the order in which they first came.
  func shed(_ share: Double) -> Int {
    let groups = all.prefix(StatementShare.of(live, share))
    for group in groups { remove(group.key) }
    return groups.count
  }

  func exchange(_ archive: StateArchive) {
    var all = archive.isMeasuring ? groups.lazy.compactMap { $0 }.prefix(32).map { $0 } : self.all
    if archive.isMeasuring, let first = all.first {
      // A group like those that were looked at, so many times.
      let sample = StateArchive.measuring()
      for group in all { group.exchange(sample) }
      return archive.note(entries: live, of: 120 + 16 * first.key.count + 64 * aggregates.count + sample.size / all.count)
    }
    if archive.isRestoring { removeAll() }
    var keys = all.map(\.key)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    if archive.isRestoring { all = keys.map { group($0) } }
    for group in all { group.exchange(archive) }
  }

  func hash(_ key: [Value]) -> UInt64 {
    var hash = seed
    for value in key { hash = value.keyHash(seed: hash) }
    return hash
  }

  private func bucket(of key: [Value], _ hash: UInt64) -> Int {
    let mask = buckets.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while buckets[index] != -1 {
      let position = Int(buckets[index])
      if hashes[position] == hash, let group = groups[position], group.key == key { return index }
      index = (index + 1) & mask
    }
    return index
  }

  func find(_ key: [Value]) -> Group? {
    let index = bucket(of: key, hash(key))
    return buckets[index] == -1 ? nil : groups[Int(buckets[index])]
  }

  func group(_ key: [Value]) -> Group {
    let hash = hash(key)
    var index = bucket(of: key, hash)
    if buckets[index] != -1, let group = groups[Int(buckets[index])] { return group }
    if (groups.count + 1) * 4 > buckets.count * 3 {
      rebuild()
      index = bucket(of: key, hash)
    }
    let group = newGroup(key)
    buckets[index] = Int32(groups.count)
    groups.append(group)
    hashes.append(hash)
    live += 1
    return group
  }

  /// A group that is in no table: what an absent group's aggregates are.
  func newGroup(_ key: [Value]) -> Group { Group(key: key, states: aggregates.map { $0.makeState() }) }

  func remove(_ key: [Value]) {
    let index = bucket(of: key, hash(key))
    guard buckets[index] != -1 else { return }
    groups[Int(buckets[index])] = nil
    live -= 1
    if live == 0 || live * 4 < groups.count { rebuild() }
  }

  func removeAll() {
    groups.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
    live = 0
    for index in buckets.indices { buckets[index] = -1 }
  }

  /// Drops the holes and makes room for twice as many.
  private func rebuild() {
    let kept = zip(groups, hashes).filter { $0.0 != nil }
    groups = kept.map(\.0)
    hashes = kept.map(\.1)
    var size = 16
    while size < (live + 1) * 4 { size *= 2 }
    buckets = Array(repeating: -1, count: size)
    for (position, hash) in hashes.enumerated() {
      var index = Int(truncatingIfNeeded: hash) & (size - 1)
      while buckets[index] != -1 { index = (index + 1) & (size - 1) }
      buckets[index] = Int32(position)
    }
  }
}
