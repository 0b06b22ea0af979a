public import EventModel
internal import Plan

/// A grouped aggregation over a batch window that keeps groups instead of events: rows in, and at the batch's end a row of keys and
/// aggregates for each group that its HAVING does not rule out at once.
///
/// Groups of the batch before that are absent from this one are given again, after the others, with empty aggregates. When there is no
/// key there is one group, which is given whenever this batch or the one before had rows.
public final class BatchGroupKernel {
  /// A condition on a count that HAVING demands: groups that fail it give no row.
  public struct Check: Sendable {
    var aggregate: Int
    /// Whether the aggregate counts distinct values.
    var isDistinct: Bool
    var comparison: Comparison
    var threshold: Expression
  }

  private let keys: [Int]
  private let aggregates: [AggregateKernel]
  private let checks: [Check]
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

  /// Gives the rows of the batch so far: keys, then aggregates.
  public func forEachCurrent(_ body: ([Value]) -> Void) {
    let thresholds = thresholds()
    for group in 0..<current.groupCount where passes(group, thresholds) { body(row(group)) }
  }

  /// Ends the batch and gives its rows, then those of groups that have vanished.
  public func close(_ body: ([Value]) -> Void) {
    forEachCurrent(body)
    if emptyPasses() {
      giveVanished(body)
      previous.removeAll()
      swap(&previous, &current)
    } else {
      // Where vanished groups can give no row, nothing is kept for them.
      previous.removeAll()
      current.removeAll()
    }
  }

  private func giveVanished(_ body: ([Value]) -> Void) {
    let empty = aggregates.map(\.emptyValue)
    if keys.isEmpty {
      if current.rowCount == 0, previous.rowCount > 0 { body(empty) }
    } else {
      for group in 0..<previous.groupCount where !current.contains(group, of: previous) {
        body(keys.indices.map { previous.keyValue(group, $0) } + empty)
      }
    }
  }

  private func row(_ group: Int) -> [Value] {
    keys.indices.map { current.keyValue(group, $0) } + aggregates.indices.map { current.value(group, $0) }
  }

  // MARK: HAVING

  /// The bounds at present; nil for one that is null or no integer, which is left to the statement's own HAVING.
  private func thresholds() -> [Int64?] {
    checks.map { check in
      let value: Value =
        switch check.threshold.node {
        case .constant(let value): value
        case .variable(let name): variables(name)
        default: .null
        }
      if case .int(let bound) = value { return bound }
      return nil
    }
  }

  private func passes(_ group: Int, _ thresholds: [Int64?]) -> Bool {
    for index in checks.indices {
      guard let threshold = thresholds[index] else { continue }
      let check = checks[index]
      let state = current.state(group, check.aggregate)
      let count = check.isDistinct ? Int64(state[0] & 0xffff_ffff) : Int64(bitPattern: state[0])
      if !check.comparison.holds(count, threshold) { return false }
    }
    return true
  }

  private func emptyPasses() -> Bool {
    zip(checks, thresholds()).allSatisfy { check, threshold in threshold.map { check.comparison.holds(0, $0) } ?? true }
  }
}
