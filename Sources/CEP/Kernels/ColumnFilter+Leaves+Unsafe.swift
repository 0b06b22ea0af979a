internal import EventModel
internal import Plan

extension ColumnFilter {
  /// Keeps the rows where the leaf is `wanted`. False where the column's shape is not known here.
  func refine(_ rows: RowSelection, _ leaf: Leaf, wanted: Bool) -> Bool {
    switch leaf {
    case .always(let value):
      if value != wanted { rows.count = 0 }
      return true
    case .isNull(let property):
      let column = column(property)
      rows.keep { column.isNull($0) == wanted }
      return true
    case .compare(let op, let property, let operand):
      let value = value(operand)
      if value.isNull {
        rows.count = 0
        return true
      }
      return compare(rows, column(property), wanted ? op : op.opposite, value)
    case .compareColumns(let op, let left, let right):
      return compare(rows, column(left), column(right), wanted ? op : op.opposite)
    case .like(let property, let pattern): return like(rows, column(property), pattern, wanted)
    case .oneOf(let property, let members): return oneOf(rows, column(property), members.map(value), wanted)
    case .member(let property, let list):
      let column = column(property)
      return dropNulls(rows, column) ? member(rows, column, list.contents, wanted) : true
    case .range(let property, let low, let high, let includesLow, let includesHigh):
      return range(rows, column(property), value(low), value(high), includesLow, includesHigh)
    }
  }

  /// Drops rows where the column is null; false where all are.
  func dropNulls(_ rows: RowSelection, _ column: Column) -> Bool {
    if case .absent = column.storage {
      rows.count = 0
      return false
    }
    if !column.nulls.isEmpty { column.nulls.withUnsafeBufferPointer { nulls in rows.keep { !nulls[$0] } } }
    return rows.count > 0
  }

  // MARK: Comparison

  private func compare(_ rows: RowSelection, _ column: Column, _ op: Comparison, _ value: Value) -> Bool {
    guard dropNulls(rows, column) else { return true }
    switch (column.storage, value) {
    case (.ints(let values), .int(let constant)): keep(rows, values, op, constant)
    case (.ints(let values), .double(let constant)):
      values.withUnsafeBufferPointer { values in rows.keep { op.holds(Double(values[$0]), constant) } }
    case (.doubles(let values), _):
      guard let constant = value.number else { return false }
      keep(rows, values, op, constant)
    default: return compareEqual(rows, column, op, value)
    }
    return true
  }

  /// What knows no order here: addresses, whose order is that of their text, and texts.
  private func compareEqual(_ rows: RowSelection, _ column: Column, _ op: Comparison, _ value: Value) -> Bool {
    guard op == .equal || op == .notEqual else { return false }
    guard let test = equality(column, value) else { return false }
    let wanted = op == .equal
    rows.keep { test($0) == wanted }
    return true
  }

  @inline(__always)
  private func keep<T: Comparable>(_ rows: RowSelection, _ values: [T], _ op: Comparison, _ constant: T) {
    values.withUnsafeBufferPointer { values in
      switch op {
      case .equal: rows.keep { values[$0] == constant }
      case .notEqual: rows.keep { values[$0] != constant }
      case .less: rows.keep { values[$0] < constant }
      case .lessOrEqual: rows.keep { values[$0] <= constant }
      case .greater: rows.keep { values[$0] > constant }
      case .greaterOrEqual: rows.keep { values[$0] >= constant }
      }
    }
  }

  /// Whether a row (that is not null) equals the value: the bytes of addresses and texts, no text made of them.
  private func equality(_ column: Column, _ value: Value) -> ((Int) -> Bool)? {
    switch (column.storage, value) {
    case (.ints(let values), .int(let constant)): return { values[$0] == constant }
    case (.ints(let values), .double(let constant)): return { Double(values[$0]) == constant }
    case (.doubles(let values), .int), (.doubles(let values), .double):
      let constant = value.number ?? .nan
      return { values[$0] == constant }
    case (.bools(let values), .bool(let constant)): return { values[$0] == constant }
    case (.ip4(let values), .string(let text)):
      guard let address = AddressText.parseIP4(text) else { return { _ in false } }
      return { values[$0] == address }
    case (.ip4(let values), .ip4(let address)): return { values[$0] == address }
    case (.addresses(let values), .ip4), (.addresses(let values), .octets):
      guard let address = Address(value) else { return { _ in false } }
      return { values[$0] == address }
    case (.macs(let values), .string(let text)):
      guard let address = AddressText.parseMAC(text) else { return { _ in false } }
      return { values[$0] == address }
    case (.addresses(let values), .string(let text)):
      guard let address = Address(canonical: text) else { return { _ in false } }
      return { values[$0] == address }
    case (.utf8(let memory, let slices), .string(let text)):
      let bytes = Array(text.utf8)
      return { row in
        let own = memory[slices[row]]
        return own.count == bytes.count && own.elementsEqual(bytes)
      }
    case (.strings(let values), .string(let text)): return { values[$0].utf8.elementsEqual(text.utf8) }
    default: return nil
    }
  }

  private func compare(_ rows: RowSelection, _ left: Column, _ right: Column, _ op: Comparison) -> Bool {
    guard dropNulls(rows, left), dropNulls(rows, right) else { return true }
    switch (left.storage, right.storage) {
    case (.ints(let a), .ints(let b)): rows.keep { op.holds(a[$0], b[$0]) }
    case (.ip4(let a), .ip4(let b)):
      guard op == .equal || op == .notEqual else { return false }
      rows.keep { (a[$0] == b[$0]) == (op == .equal) }
    case (.addresses(let a), .addresses(let b)):
      guard op == .equal || op == .notEqual else { return false }
      rows.keep { (a[$0] == b[$0]) == (op == .equal) }
    default: return false
    }
    return true
  }

  // MARK: Membership, ranges, patterns

  private func oneOf(_ rows: RowSelection, _ column: Column, _ members: [Value], _ wanted: Bool) -> Bool {
    guard dropNulls(rows, column) else { return true }
    let known = members.filter { !$0.isNull }
    // What is no member of a list with a null in it is neither in it nor outside.
    if !wanted, known.count < members.count {
      rows.count = 0
      return true
    }
    if case .ints(let values) = column.storage {
      let integers = known.compactMap { if case .int(let value) = $0 { value } else { nil } }
      if integers.count == known.count {
        values.withUnsafeBufferPointer { values in rows.keep { integers.contains(values[$0]) == wanted } }
        return true
      }
    }
    let tests = known.compactMap { equality(column, $0) }
    guard tests.count == known.count else { return false }
    rows.keep { row in tests.contains { $0(row) } == wanted }
    return true
  }

  private func range(
    _ rows: RowSelection, _ column: Column, _ low: Value, _ high: Value, _ includesLow: Bool, _ includesHigh: Bool
  ) -> Bool {
    if low.isNull || high.isNull {
      rows.count = 0
      return true
    }
    guard dropNulls(rows, column) else { return true }
    guard let first = low.number, let last = high.number else { return false }
    // The bounds may stand in either order; which of them is included goes with the place, not with the bound.
    switch (column.storage, low, high) {
    case (.ints(let values), .int(let a), .int(let b)):
      let (low, high) = (min(a, b), max(a, b))
      rows.keep { row in
        let value = values[row]
        return (includesLow ? value >= low : value > low) && (includesHigh ? value <= high : value < high)
      }
    case (.ints(let values), _, _):
      rows.keep { inside(Double(values[$0]), first, last, includesLow, includesHigh) }
    case (.doubles(let values), _, _): rows.keep { inside(values[$0], first, last, includesLow, includesHigh) }
    default: return false
    }
    return true
  }

  private func inside(_ value: Double, _ a: Double, _ b: Double, _ includesLow: Bool, _ includesHigh: Bool) -> Bool {
    let (low, high) = (min(a, b), max(a, b))
    return (includesLow ? value >= low : value > low) && (includesHigh ? value <= high : value < high)
  }

  private func like(_ rows: RowSelection, _ column: Column, _ pattern: BytePattern, _ wanted: Bool) -> Bool {
    guard dropNulls(rows, column) else { return true }
    switch column.storage {
    case .utf8(let memory, let slices):
      slices.withUnsafeBufferPointer { slices in rows.keep { pattern.matches(memory[slices[$0]]) == wanted } }
    case .strings(let values):
      rows.keep { row in
        var text = values[row]
        return text.withUTF8 { pattern.matches(UnsafeRawBufferPointer($0)) } == wanted
      }
    default: return false
    }
    return true
  }
}

extension Comparison {
  @inline(__always)
  func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
    switch self {
    case .equal: a == b
    case .notEqual: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}

extension Address {
  /// The address whose text this is, as this engine writes it.
  init?(canonical text: String) {
    if let ip4 = AddressText.parseIP4(text) {
      self.init(ip4: ip4)
      return
    }
    guard let address = AddressText.parseIP6(text), address.value.text == text else { return nil }
    self = address
  }
}
