public import EventModel
public import Plan

/// `every a -> b …` in which each step after the first waits for an event of its own by key, taken apart: what is asked of the event
/// alone, which of its properties must equal which of earlier events, and what of each event is needed later.
///
/// Every step but the first may have its own `where timer:within(…)` of constant length.
public struct SequencePlan {
  /// A property of an earlier step's event.
  struct Earlier: Hashable {
    var step: Int
    var property: Int
  }

  public struct Step {
    public let type: EventType
    /// The property of the pattern's type that it fills.
    public let tag: Int?
    /// What is asked of the event alone, a filter for columns; nil for nothing.
    public let filter: Expression?
    /// How long it waits at most, in ms.
    let span: Int64?
    let keys: [(own: Int, earlier: Earlier)]
    let tests: [(comparison: Comparison, own: Int, earlier: Earlier)]
    /// The properties of its event that later steps or the statement ask for, ascending; of the last step none.
    public internal(set) var kept: [Int] = []
  }

  public let type: EventType
  public internal(set) var steps: [Step]

  /// Rows of what waits stay small.
  private static let mostKept = 32

  /// Nil where the statement is not of that shape.
  public init?(_ plan: SelectPlan) {
    guard plan.sources.count == 1, plan.joins.isEmpty, plan.sources[0].matchRecognize == nil,
      case .pattern(let pattern) = plan.sources[0].kind,
      !pattern.discardsPartials, !pattern.suppressesOverlaps, case .followedBy(let parts, let maxima) = pattern.root,
      maxima.allSatisfy({ $0 == nil }), parts.count >= 2
    else { return nil }
    type = pattern.type
    steps = []
    var stepOfTag: [Int: Int] = [:]
    for (number, part) in parts.enumerated() {
      guard let step = Self.step(part, isFirst: number == 0, stepOfTag) else { return nil }
      // A tag that stands twice is the later event's.
      if let tag = step.tag, stepOfTag.updateValue(number, forKey: tag) != nil { return nil }
      steps.append(step)
    }
    guard hasPlainTypes, keep(plan, stepOfTag) else { return nil }
  }

  private static func step(_ node: PatternNode, isFirst: Bool, _ stepOfTag: [Int: Int]) -> Step? {
    var (node, span): (PatternNode, Int64?) = (node, nil)
    if isFirst {
      guard case .every(let inner) = node else { return nil }
      node = inner
    } else if case .within(let inner, let period) = node {
      guard let length = period.constantMilliseconds else { return nil }
      (node, span) = (inner, length)
    }
    guard case .filter(let type, let filter, let tag, consume: nil) = node, type.kind != .variant else { return nil }
    var (alone, keys, tests): ([Expression], [(Int, Earlier)], [(Comparison, Int, Earlier)]) = ([], [], [])
    for part in filter.map(\.conjuncts) ?? [] {
      if ColumnFilter(part, variables: { _ in .null }) != nil {
        alone.append(part)
      } else if let (comparison, own, earlier) = test(part, stepOfTag), let other = earlier.type.kept {
        let mine = type.properties[own].type
        guard mine.kept == other else { return nil }
        switch comparison {
        case .equal: keys.append((own, earlier.place))
        case .notEqual: tests.append((comparison, own, earlier.place))
        default: if mine.isInteger { tests.append((comparison, own, earlier.place)) } else { return nil }
        }
      } else {
        return nil
      }
    }
    let condition = alone.isEmpty ? nil : alone.count == 1 ? alone[0] : Expression(.and(alone), .boolean)
    return Step(type: type, tag: tag, filter: condition, span: span, keys: keys, tests: tests)
  }

  /// The comparison of a property of the event with one of an earlier event.
  private static func test(
    _ part: Expression, _ stepOfTag: [Int: Int]
  ) -> (comparison: Comparison, own: Int, earlier: (place: Earlier, type: ValueType))? {
    guard case .compare(let op, let a, let b) = part.node else { return nil }
    func earlier(_ expression: Expression) -> (place: Earlier, type: ValueType)? {
      switch expression.node {
      case .convert(let inner): return earlier(inner)
      case .nested(let row, let property):
        guard case .column(1, let tag) = row.node, let step = stepOfTag[tag], let type = row.type.eventType else { return nil }
        return (Earlier(step: step, property: property), type.properties[property].type)
      default: return nil
      }
    }
    if let own = a.plainColumn, let other = earlier(b) { return (op, own, other) }
    if let own = b.plainColumn, let other = earlier(a) { return (op.mirrored, own, other) }
    return nil
  }

  /// Whether an event that one step sees as itself is seen by none of the others through a supertype.
  private var hasPlainTypes: Bool {
    steps.allSatisfy { a in steps.allSatisfy { b in a.type === b.type || !a.type.isKind(of: b.type) } }
  }

  // MARK: What is kept

  private mutating func keep(_ plan: SelectPlan, _ stepOfTag: [Int: Int]) -> Bool {
    var (reads, whole): ([Int: Set<Int>], Set<Int>) = ([:], [])
    func note(_ expression: Expression) {
      switch expression.node {
      case .nested(let row, let property):
        if case .column(0, let tag) = row.node { reads[tag, default: []].insert(property) } else { note(row) }
      case .column(0, let tag): whole.insert(tag)
      case .event: whole.formUnion(stepOfTag.keys)
      default: for child in expression.children { note(child) }
      }
    }
    for expression in plan.allExpressions { note(expression) }
    // Windows over matches, and rates, may look at anything.
    if plan.passThrough != nil || !plan.sources[0].views.isEmpty || plan.outputRate != nil { whole.formUnion(stepOfTag.keys) }
    var kept = steps.indices.map { number -> Set<Int> in
      guard let tag = steps[number].tag else { return [] }
      return whole.contains(tag) ? Set(steps[number].type.properties.indices) : reads[tag] ?? []
    }
    for step in steps {
      for earlier in step.keys.map(\.earlier) + step.tests.map(\.earlier) { kept[earlier.step].insert(earlier.property) }
    }
    for number in steps.indices.dropLast() {
      steps[number].kept = kept[number].sorted()
      let properties = steps[number].type.properties
      guard kept[number].count <= Self.mostKept, kept[number].allSatisfy({ properties[$0].type.isScalar }) else { return false }
    }
    return true
  }
}

extension Expression {
  fileprivate var conjuncts: [Expression] {
    if case .and(let parts) = node { return parts.flatMap(\.conjuncts) }
    return [self]
  }
}

extension ValueType {
  /// The kind of values as which two properties can be compared word by word; nil where they cannot.
  fileprivate var kept: ValueType? {
    if isInteger { return .long }
    return isScalar && !isFloating ? self : nil
  }

  /// Whether a value is a number, a text, an address or octets.
  fileprivate var isScalar: Bool {
    switch self {
    case .null, .array, .event, .map, .object: false
    default: true
    }
  }
}

extension TimePeriod {
  /// The period in ms where that is a constant from 1 ms on, of units that are no calendar's.
  fileprivate var constantMilliseconds: Int64? {
    var sum = 0.0
    for part in parts {
      guard let factor = part.unit.milliseconds, let count = part.count.constantNumber else { return nil }
      sum += count * factor
    }
    return sum.rounded() >= 1 && sum < 1e15 ? Int64(sum.rounded()) : nil
  }
}

extension Expression {
  fileprivate var constantNumber: Double? {
    switch node {
    case .constant(let value): value.number
    case .convert(let inner): inner.constantNumber
    default: nil
    }
  }
}
