public import EventModel

/// A grouped aggregation over a batch window that keeps groups instead of events: rows in, and at the batch's end a row of keys and
/// aggregates for each group that its HAVING does not rule out at once.
///
/// Groups of the batch before that are absent from this one are given again, after the others, with empty aggregates. When there is no
/// key there is one group, which is given whenever this batch or the one before had rows.
public final class BatchGroupKernel {
  private let rowType: EventType
  private let keys: [Int]
  private let aggregates: [AggregateKernel]
  private let checks: [CountCheck]
  private let variables: (String) -> Value
  private var current: GroupAggregator
  private var previous: GroupAggregator
  private let work: GroupWork
  private var places: [Int?] = []
  private var lastProperties: [Int]?

  /// - Parameters:
  ///   - plan: what is grouped and how.
  ///   - seed: the engine's; keys come from the network.
  ///   - variables: a variable's present value.
  public init(_ plan: FusedPlan, seed: UInt64, variables: @escaping (String) -> Value) {
    rowType = plan.rowType
    keys = plan.keys
    aggregates = plan.aggregates
    checks = plan.checks
    self.variables = variables
    let key = HashKey(seed: seed)
    current = GroupAggregator(keys: keys, aggregates: aggregates, key: key)
    previous = GroupAggregator(keys: keys, aggregates: aggregates, key: key)
    work = GroupWork(keyCount: keys.count)
  }

  /// Groups of this batch and the one before.
  public var groupCount: Int { current.groupCount + previous.groupCount }
  public var byteCount: Int { current.byteCount + previous.byteCount }

  /// The groups of this batch and of the one before.
  public func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return archive.note(groups: groupCount, bytes: byteCount) }
    current.exchange(archive)
    previous.exchange(archive)
  }

  /// Forgets all groups; how many there were.
  public func giveUp() -> Int {
    let count = groupCount
    // Once more, for what was made empty before gives its memory back.
    for _ in 0..<2 {
      previous.removeAll()
      current.removeAll()
    }
    return count
  }

  /// Takes rows of a batch in.
  public func add(_ batch: EventBatch, _ rows: UnsafeBufferPointer<UInt32>) {
    guard !rows.isEmpty else { return }
    if lastProperties != batch.properties {
      lastProperties = batch.properties
      places = (keys.map { Optional($0) } + aggregates.map(\.property)).map { property in
        property.flatMap { batch.properties.firstIndex(of: $0) }
      }
    }
    current.add(places.map { $0.map { batch.columns[$0] } ?? .absent }, rows, work)
  }

  /// The rows of the batch so far: keys, then aggregates.
  public func rows() -> EventBatch {
    let bounds = checks.compactMap { $0.bound(variables) }
    let groups = (0..<UInt32(current.groupCount)).filter { passes(Int($0), bounds) }
    return batch(groups.count, current.columns(groups))
  }

  /// Ends the batch and gives its rows, then those of groups that have vanished.
  public func close() -> [EventBatch] {
    var batches = [rows()]
    if emptyPasses() {
      if let vanished = vanished() { batches.append(vanished) }
      previous.removeAll()
      swap(&previous, &current)
    } else {
      // Where vanished groups can give no row, nothing is kept for them.
      previous.removeAll()
      current.removeAll()
    }
    return batches.filter { $0.count > 0 }
  }

  private func vanished() -> EventBatch? {
    if keys.isEmpty {
      guard current.rowCount == 0, previous.rowCount > 0 else { return nil }
      return batch(1, previous.columns([0], isEmpty: true))
    }
    let groups = previous.groups(absentFrom: current, work)
    return batch(groups.count, previous.columns(groups, isEmpty: true))
  }

  private func batch(_ count: Int, _ columns: [Column]) -> EventBatch {
    EventBatch(type: rowType, count: count, properties: Array(columns.indices), columns: columns)
  }

  // MARK: HAVING

  private func passes(_ group: Int, _ bounds: [CountCheck.Bound]) -> Bool {
    for bound in bounds where !bound.holds(current.state(group, bound.aggregate)[0]) { return false }
    return true
  }

  private func emptyPasses() -> Bool { checks.allSatisfy { $0.bound(variables)?.holds(0) ?? true } }
}
