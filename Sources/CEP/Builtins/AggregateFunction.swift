public import EventModel

/// A row of the catalog of aggregates.
public struct AggregateFunction: Sendable {
  public let name: String
  /// How many arguments it takes; 0 stands for `*` of `count(*)`.
  public let arity: ClosedRange<Int>
  public let help: String
  /// The result's type for the arguments' types; nil where they do not fit.
  public let resultType: @Sendable ([ValueType]) -> ValueType?
  /// Whether it needs the events of a data window (`window`, `sorted`, `first`), which then must be there.
  public let needsWindow: Bool
  /// Whether single values can leave it; false needs a window that is emptied at once (a batch window, or none that drops events).
  public let canForget: Bool
  /// Whether its state is told which row comes and goes: rows leave a window in another order than they came, and those of equal values are
  /// not one another's.
  public let tellsRowsApart: Bool
  /// - Parameters: the arguments' types and, for `sorted` and its like, each key's direction.
  public let make: @Sendable ([ValueType], [Bool]) -> AggregateState

  public init(
    _ name: String, arity: ClosedRange<Int>, help: String, needsWindow: Bool = false, canForget: Bool = true,
    tellsRowsApart: Bool = false, resultType: @escaping @Sendable ([ValueType]) -> ValueType?,
    make: @escaping @Sendable ([ValueType], [Bool]) -> AggregateState
  ) {
    self.name = name
    self.arity = arity
    self.help = help
    self.resultType = resultType
    self.needsWindow = needsWindow
    self.canForget = canForget
    self.tellsRowsApart = tellsRowsApart
    self.make = make
  }
}

/// One aggregate's state for one group.
open class AggregateState {
  public init() {}

  /// Takes in what another state of the same aggregate has seen, as if it had come here; false where it cannot. The other stays as it is.
  open func merge(_ other: AggregateState) -> Bool { false }

  /// The row that enters or leaves next; where the function tells rows apart.
  open func take(row: Event?) {}

  /// - Parameters:
  ///   - value: the first argument, or the event for `*`.
  ///   - rest: the other arguments, then the order keys.
  open func enter(_ value: Value, _ rest: [Value], time: Int64) {}
  open func leave(_ value: Value, _ rest: [Value], time: Int64) {}
  open func clear() {}
  open func value(time: Int64) -> Value { .null }
  /// Names what it keeps, to be saved, restored or measured. One that does not cannot be saved.
  open func exchange(_ archive: StateArchive) { if !archive.isMeasuring { archive.fail("an aggregate's state cannot be saved") } }
}

extension Builtins {
  public static let aggregateList: [AggregateFunction] =
    numberAggregates + orderAggregates + eventAggregates + rateAggregates + sketchAggregates + changeAggregates
  /// By name, and by the name in small letters: a statement may write either.
  public static let aggregates: [String: AggregateFunction] = Dictionary(
    aggregateList.map { ($0.name, $0) } + aggregateList.map { ($0.name.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
}
