public import EventModel
public import Plan

/// A filter that is evaluated over whole columns: which rows of a batch it holds for.
///
/// Negation is pushed down to the leaves, each of which then asks for rows where its condition is known to be true, or known to be false;
/// null is neither. Batches whose columns hold a shape of values that the leaves do not know are left to the general evaluator.
public final class ColumnFilter {
  /// A constant, or a variable that is read anew for each batch.
  enum Operand {
    case constant(Value)
    case variable(String)
  }

  enum Leaf {
    case compare(Comparison, Int, Operand)
    case compareColumns(Comparison, Int, Int)
    case isNull(Int)
    case like(Int, BytePattern)
    case oneOf(Int, [Operand])
    case member(Int, MemberList)
    case range(Int, low: Operand, high: Operand, includesLow: Bool, includesHigh: Bool)
    case always(Bool)
  }

  indirect enum Node {
    /// - wanted: whether rows are asked for where the leaf is true, or where it is false.
    case leaf(Leaf, wanted: Bool)
    case and([Node])
    case or([Node])
  }

  let root: Node
  let expression: Expression
  /// The properties that it reads.
  public let properties: Set<Int>
  let variables: (String) -> Value
  var columns: [Column?] = []
  private var places: [Int: Int] = [:]
  private var lastProperties: [Int] = []
  var pool: [RowSelection] = []

  /// Nil where the expression is not one for columns.
  /// - Parameters:
  ///   - expression: over stream 0.
  ///   - variables: a variable's present value.
  public init?(_ expression: Expression, variables: @escaping (String) -> Value) {
    guard let root = Self.node(expression, wanted: true) else { return nil }
    self.root = root
    self.expression = expression
    properties = root.properties
    self.variables = variables
  }

  /// The same with working memory of its own; variables keep the values that they have now.
  func copied() -> ColumnFilter? {
    var values: [String: Value] = [:]
    expression.visit { if case .variable(let name) = $0 { values[name] = variables(name) } }
    return ColumnFilter(expression) { [values] in values[$0] ?? .null }
  }

  /// Whether it reads no variable.
  var isConstant: Bool {
    var isConstant = true
    expression.visit { if case .variable = $0 { isConstant = false } }
    return isConstant
  }

  // MARK: From expression to nodes

  private static func node(_ expression: Expression, wanted: Bool) -> Node? {
    switch expression.node {
    case .and(let parts), .or(let parts):
      let nodes = parts.compactMap { node($0, wanted: wanted) }
      guard nodes.count == parts.count else { return nil }
      if case .and = expression.node { return wanted ? .and(nodes) : .or(nodes) }
      return wanted ? .or(nodes) : .and(nodes)
    case .not(let operand): return node(operand, wanted: !wanted)
    case .like(let value, let pattern, let escape, let negated):
      guard let property = value.plainColumn, case .constant(.string(let text)) = pattern.node else { return nil }
      var escapeText: String?
      if let escape {
        guard case .constant(.string(let given)) = escape.node else { return nil }
        escapeText = given
      }
      return .leaf(.like(property, BytePattern(text, escape: escapeText)), wanted: wanted != negated)
    case .same(let a, let b, let negated):
      guard let property = a.plainColumn, case .constant(.null) = b.node else { return nil }
      return .leaf(.isNull(property), wanted: wanted != negated)
    case .oneOf(let value, let members, let negated):
      let operands = members.compactMap(operand)
      guard let property = value.plainColumn, operands.count == members.count else { return nil }
      return .leaf(.oneOf(property, operands), wanted: wanted != negated)
    case .member(let value, let list, let negated):
      guard let property = value.plainColumn else { return nil }
      return .leaf(.member(property, list), wanted: wanted != negated)
    case .range(let value, let low, let high, let includesLow, let includesHigh, let negated):
      // A range with a null in it is false, also when negated: only the plain form is for columns.
      guard !negated, wanted, let property = value.plainColumn, let low = operand(low), let high = operand(high) else { return nil }
      return .leaf(.range(property, low: low, high: high, includesLow: includesLow, includesHigh: includesHigh), wanted: true)
    case .compare(let op, let a, let b): return compare(op, a, b).map { .leaf($0, wanted: wanted) }
    case .constant(.bool(let value)): return .leaf(.always(value), wanted: wanted)
    default: return nil
    }
  }

  private static func compare(_ op: Comparison, _ a: Expression, _ b: Expression) -> Leaf? {
    if let left = a.plainColumn, let right = b.plainColumn { return .compareColumns(op, left, right) }
    if let property = a.plainColumn, let operand = operand(b) { return .compare(op, property, operand) }
    if let property = b.plainColumn, let operand = operand(a) { return .compare(op.mirrored, property, operand) }
    return nil
  }

  private static func operand(_ expression: Expression) -> Operand? {
    switch expression.node {
    case .constant(let value):
      if case .array = value { return nil }
      return .constant(value)
    case .variable(let name): return .variable(name)
    case .convert(let inner): return operand(inner)
    default: return nil
    }
  }

  func value(_ operand: Operand) -> Value {
    switch operand {
    case .constant(let value): value
    case .variable(let name): variables(name)
    }
  }

  // MARK: Over a batch

  /// Reduces `selection` to the rows for which the filter is true. False where the batch's columns are not for it; then the selection is
  /// as it was.
  public func apply(to selection: RowSelection, of batch: EventBatch) -> Bool {
    load(batch)
    defer { columns.removeAll(keepingCapacity: true) }
    let result = takeSelection()
    defer { giveBack(result) }
    result.copy(selection)
    guard refine(result, root) else { return false }
    selection.trade(with: result)
    return true
  }

  private func load(_ batch: EventBatch) {
    if lastProperties != batch.properties {
      lastProperties = batch.properties
      places = Dictionary(zip(batch.properties, batch.properties.indices), uniquingKeysWith: { first, _ in first })
    }
    columns = batch.columns
  }

  /// The column of a property; absent where the batch lacks it.
  func column(_ property: Int) -> Column { places[property].flatMap { columns[$0] } ?? .absent }

  func takeSelection() -> RowSelection { pool.popLast() ?? RowSelection() }
  func giveBack(_ selection: RowSelection) { pool.append(selection) }

  private func refine(_ rows: RowSelection, _ node: Node) -> Bool {
    switch node {
    case .leaf(let leaf, let wanted): return refine(rows, leaf, wanted: wanted)
    case .and(let parts): return parts.allSatisfy { refine(rows, $0) }
    case .or(let parts): return refineAny(rows, parts)
    }
  }

  /// Each part is tried on the rows for which those before it did not hold.
  private func refineAny(_ rows: RowSelection, _ parts: [Node]) -> Bool {
    let (found, rest, part, scratch) = (takeSelection(), takeSelection(), takeSelection(), takeSelection())
    defer { for selection in [found, rest, part, scratch] { giveBack(selection) } }
    found.count = 0
    rest.copy(rows)
    for (index, node) in parts.enumerated() {
      part.copy(rest)
      guard refine(part, node) else { return false }
      if part.count == 0 { continue }
      found.formUnion(part, scratch: scratch)
      if index < parts.count - 1 {
        part.formComplement(of: rest, scratch: scratch)
        rest.copy(part)
      }
    }
    rows.copy(found)
    return true
  }
}

extension ColumnFilter.Node {
  fileprivate var properties: Set<Int> {
    switch self {
    case .leaf(let leaf, _): leaf.properties
    case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion($1.properties) }
    }
  }
}

extension ColumnFilter.Leaf {
  fileprivate var properties: Set<Int> {
    switch self {
    case .compare(_, let property, _), .isNull(let property), .like(let property, _), .oneOf(let property, _), .member(let property, _),
      .range(let property, _, _, _, _):
      [property]
    case .compareColumns(_, let left, let right): [left, right]
    case .always: []
    }
  }
}

extension Expression {
  /// The property, where the expression is one of stream 0 and nothing else.
  var plainColumn: Int? {
    switch node {
    case .column(stream: 0, let property): property
    case .convert(let inner): inner.plainColumn
    default: nil
    }
  }
}

extension Comparison {
  /// What holds for (b, a) when this holds for (a, b).
  var mirrored: Comparison {
    switch self {
    case .equal, .notEqual: self
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    }
  }

  /// What holds where this does not.
  var opposite: Comparison {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }
}
