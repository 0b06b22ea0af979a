internal import Builtins
internal import EventModel
internal import Plan

/// Giving up state, the oldest first: what a statement does that keeps more than it may.
///
/// By kind: rows leave their window as if it had dropped them; groups that no window empties are forgotten in the order in which they
/// first came; partial matches of a pattern turn false; partitions of match_recognize and of a context (for all its statements), rows of a
/// table and rows that an output rate holds back are dropped; the groups of a batch that a kernel keeps are given up together, and the
/// batch begins anew.
extension Runtime {
  /// Gives up about a share of what a statement keeps, and gives out what follows from it.
  ///
  /// - Returns: how many entries.
  @discardableResult
  public func shed(_ number: Int, share: Double) -> Int {
    let statement = statements[number]
    var count = 0
    attempt(statement) { () throws(EvaluationError) in
      count = try statement.shed(share)
      try statement.endPass()
    }
    statement.gauge.shed += UInt64(count)
    finishPass()
    return count
  }
}

extension StatementRuntime {
  fileprivate func shed(_ share: Double) throws(EvaluationError) -> Int {
    if case .createContext(let context) = plan.kind { return environment.contexts[context.name]?.shed(share) ?? 0 }
    if let instance { return try instance.shed(share) }
    guard let partitions else { return 0 }
    var count = 0
    for partition in partitions.partitions { count += try partition.instance(of: self)?.shed(share) ?? 0 }
    // Of many small partitions none has anything to spare.
    return count > 0 ? count : partitions.shed(share)
  }
}

extension ViewChain {
  /// The first rows of the first window leave, as if it had dropped them; of a batch window without being told of.
  func shed(_ share: Double) throws(EvaluationError) -> Int {
    let taken = first.takeFirst(StatementShare.of(first.contents.count, share))
    if !first.isBatch { try first.pass(new: [], old: taken) }
    return taken.count
  }
}

enum StatementShare {
  /// Of a few nothing.
  static func of(_ count: Int, _ share: Double) -> Int { min(count, Int(Double(count) * share)) }
}

extension Array where Element == Event {
  mutating func takeFirst(_ count: Int) -> [Event] {
    let taken = Array(prefix(count))
    removeFirst(taken.count)
    return taken
  }
}
