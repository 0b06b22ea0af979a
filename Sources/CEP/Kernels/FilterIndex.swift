public import EventModel
internal import Plan

/// The filters of many statements over one stream, evaluated together: equal ones once, and of those that ask for one of some constants, or
/// for a range of numbers, only over the rows that have one there.
///
/// A look-up gives rows that may pass; each filter is then asked about those alone, so that what passes is what passes without an index.
public final class FilterIndex {
  /// Rows of a batch for one filter.
  public struct Rows {
    public let selection: RowSelection
    /// False where the columns are not for the filter: rows that it may hold for.
    public let isExact: Bool
  }

  /// Filters that say the same.
  private final class Group {
    let filter: ColumnFilter
    let rows = RowSelection()
    var isExact = true
    init(_ filter: ColumnFilter) { self.filter = filter }
  }

  private var groups: [Group] = []
  /// The group of each filter; nil where there is no filter.
  private let groupOf: [Int?]
  private var lookups: [ColumnLookup] = []
  private var plain: [Int] = []
  private let all = RowSelection()
  private let rest = RowSelection()
  private let wanted = RowMarks()
  /// From so many filters on a look-up is worth more than asking each.
  private static let fewest = 4

  public init(_ filters: [ColumnFilter?]) {
    var known: [Expression: Int] = [:]
    var groups: [Group] = []
    groupOf = filters.map { filter in
      guard let filter else { return nil }
      if filter.isConstant, let group = known[filter.expression] { return group }
      groups.append(Group(filter))
      if filter.isConstant { known[filter.expression] = groups.count - 1 }
      return groups.count - 1
    }
    self.groups = groups
    var entries: [Int: [ColumnLookup.Entry]] = [:]
    for (number, group) in groups.enumerated() {
      guard let demand = group.filter.demand else { continue }
      entries[demand.property, default: []].append(ColumnLookup.Entry(group: number, demand: demand))
    }
    var isIndexed = [Bool](repeating: false, count: groups.count)
    for (property, entries) in entries.sorted(by: { $0.key < $1.key }) where entries.count >= Self.fewest {
      lookups.append(ColumnLookup(property, entries))
      for entry in entries { isIndexed[entry.group] = true }
    }
    plain = groups.indices.filter { !isIndexed[$0] }
  }

  /// The same filters with working memory of their own, for another thread. Variables keep the values that they have now.
  public func copied() -> FilterIndex { FilterIndex(groupOf.map { $0.flatMap { groups[$0].filter.copied() } }) }

  /// Evaluates all filters over a batch.
  public func evaluate(_ batch: EventBatch) {
    all.fill(0..<batch.valueCount)
    for lookup in lookups { evaluate(lookup, batch) }
    for number in plain { ask(groups[number], batch) }
  }

  private func evaluate(_ lookup: ColumnLookup, _ batch: EventBatch) {
    let column = batch.properties.firstIndex(of: lookup.property).map { batch.columns[$0] } ?? .absent
    let groups = self.groups
    for entry in lookup.entries { groups[entry.group].rows.count = 0 }
    let isKnown = lookup.find(column, batch.valueCount) { groups[$0].rows.append($1) }
    for entry in lookup.entries {
      let group = groups[entry.group]
      if !isKnown { ask(group, batch) } else if group.rows.count > 0 { refine(group, batch) }
    }
  }

  private func ask(_ group: Group, _ batch: EventBatch) {
    group.rows.copy(all)
    refine(group, batch)
  }

  private func refine(_ group: Group, _ batch: EventBatch) { group.isExact = group.filter.apply(to: group.rows, of: batch) }

  /// The rows for the filter of a number; nil where there is none.
  public func rows(of filter: Int) -> Rows? {
    groupOf[filter].map { Rows(selection: groups[$0].rows, isExact: groups[$0].rows.count == 0 || groups[$0].isExact) }
  }

  /// The rows of a batch that some filter may hold for, ascending; nil where that cannot be told.
  public func rowsOfAny(_ batch: EventBatch) -> [UInt32]? {
    all.fill(0..<batch.valueCount)
    if groups.count == 1, let group = groups.first {
      ask(group, batch)
      return group.isExact ? Array(group.rows.buffer) : nil
    }
    wanted.clear(batch.valueCount)
    for lookup in lookups {
      evaluate(lookup, batch)
      for entry in lookup.entries { wanted.add(groups[entry.group].rows) }
    }
    rest.copy(all)
    wanted.removeMembers(from: rest)
    for number in plain {
      let group = groups[number]
      group.rows.copy(rest)
      guard group.filter.apply(to: group.rows, of: batch) else { return nil }
      if group.rows.count == 0 { continue }
      wanted.add(group.rows)
      wanted.removeMembers(from: rest)
    }
    wanted.keepMembers(of: all)
    return Array(all.buffer)
  }

  /// The properties that the filters read.
  public var properties: Set<Int> { groups.reduce(into: []) { $0.formUnion($1.filter.properties) } }
}

extension ColumnFilter {
  /// What a row must have in one column that the filter shall hold for it.
  struct Demand {
    enum Values {
      case oneOf([Value])
      case between(Int64, Int64)
    }
    let property: Int
    let values: Values
  }

  /// Nil where the filter demands nothing that can be looked up.
  var demand: Demand? {
    var parts = [root]
    if case .and(let all) = root { parts = all }
    let demands = parts.compactMap { part -> Demand? in
      guard case .leaf(let leaf, wanted: true) = part else { return nil }
      return Self.demand(leaf)
    }
    return demands.min { $0.rank < $1.rank }
  }

  private static func demand(_ leaf: Leaf) -> Demand? {
    switch leaf {
    case .compare(.equal, let property, .constant(let value)):
      return value.canBeLookedUp ? Demand(property: property, values: .oneOf([value])) : nil
    case .oneOf(let property, let operands):
      let values = operands.compactMap { operand -> Value? in
        guard case .constant(let value) = operand, value.canBeLookedUp else { return nil }
        return value
      }
      return values.count == operands.count ? Demand(property: property, values: .oneOf(values)) : nil
    case .range(let property, .constant(.int(let low)), .constant(.int(let high)), _, _):
      return Demand(property: property, values: .between(min(low, high), max(low, high)))
    default: return nil
    }
  }
}

extension ColumnFilter.Demand {
  /// The most selective comes first.
  fileprivate var rank: Int {
    switch values {
    case .oneOf(let values): values.count
    case .between: .max
    }
  }
}

extension Value {
  fileprivate var canBeLookedUp: Bool {
    switch self {
    case .int, .string, .ip4, .octets: true
    default: false
    }
  }
}
