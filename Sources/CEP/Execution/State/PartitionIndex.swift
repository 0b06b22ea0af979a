internal import Builtins
internal import EventModel
internal import Plan

/// The partitions of a context by what a statement's filter asks of them: `source = context.login.source`. Where many are open at once, an event
/// is offered to those alone for which the filter may hold.
final class PartitionIndex {
  /// The event's side of the equalities, and the partition's.
  private let lookup: RowLookup
  private let frame: Frame
  private var partitions: [[Value]: [Partition]] = [:]

  init(_ lookup: RowLookup, _ clock: Clock) {
    self.lookup = lookup
    frame = Frame(streams: 1, clock: clock)
  }

  /// In the order in which they began.
  func partitions(for event: Event) throws(EvaluationError) -> [Partition] {
    frame.events[0] = event
    return partitions[try evaluateAll(lookup.ofRow, frame)] ?? []
  }

  func insert(_ partition: Partition) throws(EvaluationError) { partitions[try key(of: partition), default: []].append(partition) }

  func remove(_ partition: Partition) throws(EvaluationError) {
    let key = try key(of: partition)
    partitions[key]?.removeAll { $0 === partition }
    if partitions[key]?.isEmpty == true { partitions[key] = nil }
  }

  func removeAll() { partitions.removeAll() }

  private func key(of partition: Partition) throws(EvaluationError) -> [Value] {
    frame.context = partition.properties
    return try evaluateAll(lookup.ofTrigger, frame)
  }
}
