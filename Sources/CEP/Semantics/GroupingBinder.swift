import Diagnostics
import EventModel
import Plan
import Syntax

/// The GROUP BY clause.
struct GroupingBinder {
  struct Groups {
    var keys: [Expression] = []
    /// Empty for a plain list of keys.
    var levels: [[Int]] = []
  }

  let binder: ExpressionBinder
  /// The SELECT clause's expressions by their aliases.
  let aliases: [String: ExpressionSyntax]

  init(_ binder: ExpressionBinder, aliases: [String: ExpressionSyntax]) {
    self.binder = binder
    self.aliases = aliases
  }

  func bind(_ elements: [GroupElementSyntax]) -> Groups {
    var groups = Groups()
    let isPlain = elements.allSatisfy { if case .expression = $0 { true } else { false } }
    // Each element gives alternatives of keys; the levels are all combinations.
    var levels: [[Int]] = [[]]
    for element in elements {
      let alternatives = levelsOf(element, &groups)
      levels = levels.flatMap { level in alternatives.map { alternative in level + alternative.filter { !level.contains($0) } } }
      if levels.count > 1024 {
        binder.statement.report("GROUP BY gives more than 1024 levels", at: place(element))
        break
      }
    }
    if !isPlain { groups.levels = levels }
    return groups
  }

  private func place(_ element: GroupElementSyntax) -> SourceRange {
    switch element {
    case .expression(let value): value.range
    case .rollup(_, let range), .cube(_, let range), .groupingSets(_, let range), .combined(_, let range): range
    }
  }

  private func key(_ syntax: ExpressionSyntax, _ groups: inout Groups) -> Int {
    if case .chain(nil, let links) = syntax.kind, links.count == 1, links[0].call == nil, let aliased = aliases[links[0].name.text] {
      let name = links[0].name.text
      let isProperty = binder.names.streams.contains { $0.type.index(of: name) != nil }
      if !isProperty { return add(binder.bind(aliased), &groups) }
    }
    return add(binder.bind(syntax), &groups)
  }

  private func add(_ key: Expression, _ groups: inout Groups) -> Int {
    if let index = groups.keys.firstIndex(of: key) { return index }
    groups.keys.append(key)
    return groups.keys.count - 1
  }

  /// The sets of keys that an element stands for, in order of output.
  private func levelsOf(_ element: GroupElementSyntax, _ groups: inout Groups) -> [[Int]] {
    switch element {
    case .expression(let value): return [[key(value, &groups)]]
    case .combined(let values, _): return [values.map { key($0, &groups) }]
    case .rollup(let parts, _):
      let sets = parts.map { levelsOf($0, &groups).first ?? [] }
      return (0...sets.count).reversed().map { count in Array(sets[..<count].joined()) }
    case .cube(let parts, let range):
      let sets = parts.map { levelsOf($0, &groups).first ?? [] }
      guard sets.count <= 8 else {
        binder.statement.report("CUBE takes at most 8 expressions", at: range)
        return [[]]
      }
      return (0..<(1 << sets.count)).map { mask in
        sets.indices.filter { mask & (1 << (sets.count - 1 - $0)) == 0 }.flatMap { sets[$0] }
      }
    case .groupingSets(let parts, _): return parts.flatMap { levelsOf($0, &groups) }
    }
  }
}
