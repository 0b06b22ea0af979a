internal import EventModel
internal import Plan

/// A condition on a count that HAVING demands: where it fails there is no row.
struct CountCheck {
  /// The condition at an instant.
  struct Bound {
    let aggregate: Int
    /// The bits of the aggregate's state that count.
    fileprivate let mask: UInt64
    fileprivate let comparison: Comparison
    fileprivate let value: Int64

    /// Whether an aggregate's state is within the bound.
    @inline(__always)
    func holds(_ state: UInt64) -> Bool { comparison.holds(Int64(bitPattern: state & mask), value) }
  }

  private let aggregate: Int
  /// Whether the aggregate counts distinct values.
  private let isDistinct: Bool
  private let comparison: Comparison
  private let bound: Expression

  /// What HAVING demands of counts, whatever else it demands.
  static func all(in having: Expression?, _ aggregates: [AggregateKernel]) -> [CountCheck] {
    guard let having else { return [] }
    switch having.node {
    case .and(let parts): return parts.flatMap { all(in: $0, aggregates) }
    case .compare(let comparison, let a, let b):
      func check(_ comparison: Comparison, _ count: Expression, _ bound: Expression) -> [CountCheck] {
        guard case .aggregate(let number) = count.node, aggregates[number].isCount, bound.type.isInteger else { return [] }
        switch bound.node {
        case .constant, .variable:
          let isDistinct = aggregates[number].function == .countDistinct
          return [CountCheck(aggregate: number, isDistinct: isDistinct, comparison: comparison, bound: bound)]
        default: return []
        }
      }
      return check(comparison, a, b) + check(comparison.mirrored, b, a)
    default: return []
    }
  }

  /// The bound at present; nil for one that is null or no integer, which is left to the statement's own HAVING.
  func bound(_ variables: (String) -> Value) -> Bound? {
    let value: Value =
      switch bound.node {
      case .constant(let value): value
      case .variable(let name): variables(name)
      default: .null
      }
    guard case .int(let bound) = value else { return nil }
    return Bound(aggregate: aggregate, mask: isDistinct ? 0xffff_ffff : .max, comparison: comparison, value: bound)
  }
}
