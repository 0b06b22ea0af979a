internal import EventModel

/// A column in the making: in the plainest shape that holds the values so far.
struct ColumnBuilder {
  private enum Shape { case none, ints, doubles, bools, texts, values }

  private let type: ValueType
  private var shape = Shape.none
  private var ints: [Int64] = []
  private var doubles: [Double] = []
  private var bools: [Bool] = []
  private var bytes: [UInt8] = []
  private var slices: [Slice] = []
  private var values: [Value] = []
  private var nulls: [Bool] = []
  private var nullCount = 0

  init(_ type: ValueType) { self.type = type }

  // MARK: Values

  mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    if shape == .none { begin(.texts) }
    guard shape == .texts, bytes.count + text.count <= Int(Int32.max) else {
      return append(other: .string(String(decoding: text, as: UTF8.self)))
    }
    slices.append(Slice(offset: Int32(bytes.count), length: Int32(text.count)))
    bytes.append(contentsOf: text)
    nulls.append(false)
  }

  mutating func append(_ value: Value) {
    switch value {
    case .null: return appendNull()
    case .int(let number):
      if shape == .none { begin(.ints) }
      guard shape == .ints else { return append(other: value) }
      ints.append(number)
    case .double(let number):
      if shape == .none { begin(.doubles) }
      guard shape == .doubles else { return append(other: value) }
      doubles.append(number)
    case .bool(let flag):
      if shape == .none { begin(.bools) }
      guard shape == .bools else { return append(other: value) }
      bools.append(flag)
    case .string(let text):
      var text = text
      return text.withUTF8 { append($0) }
    default: return append(other: value)
    }
    nulls.append(false)
  }

  /// A value of another shape than those before it.
  private mutating func append(other value: Value) {
    if shape != .values { beginValues() }
    values.append(value)
    nulls.append(false)
  }

  private mutating func appendNull() {
    fill(shape)
    nulls.append(true)
    nullCount += 1
  }

  private mutating func fill(_ shape: Shape) {
    switch shape {
    case .none: break
    case .ints: ints.append(0)
    case .doubles: doubles.append(0)
    case .bools: bools.append(false)
    case .texts: slices.append(Slice(offset: 0, length: 0))
    case .values: values.append(.null)
    }
  }

  /// The first value that is not null.
  private mutating func begin(_ first: Shape) {
    for _ in nulls { fill(first) }
    shape = first
  }

  private mutating func beginValues() {
    let column = plain()
    values = nulls.indices.map { column[$0] }
    (ints, doubles, bools, slices, bytes) = ([], [], [], [], [])
    shape = .values
  }

  // MARK: Rows

  /// The integer in a row; nil where there is none.
  func integer(at row: Int) -> Int64? {
    guard row < nulls.count, !nulls[row] else { return nil }
    switch shape {
    case .ints: return ints[row]
    case .values: if case .int(let number) = values[row] { return number } else { return nil }
    default: return nil
    }
  }

  /// A row that has no value yet has none.
  mutating func close(_ row: Int) { if nulls.count == row { appendNull() } }

  /// Takes back what a row has been given.
  mutating func undo(_ row: Int) {
    guard nulls.count > row else { return }
    if nulls.removeLast() { nullCount -= 1 }
    switch shape {
    case .none: break
    case .ints: ints.removeLast()
    case .doubles: doubles.removeLast()
    case .bools: bools.removeLast()
    case .texts: bytes.removeLast(Int(slices.removeLast().length))
    case .values: values.removeLast()
    }
  }

  // MARK: The column

  /// The column so far, which begins anew.
  mutating func take() -> Column {
    let column = type == .address ? addresses() : shape == .values ? Column.typed(values) : plain()
    shape = .none
    ints.removeAll(keepingCapacity: true)
    doubles.removeAll(keepingCapacity: true)
    bools.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    slices.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    nulls.removeAll(keepingCapacity: true)
    nullCount = 0
    return column
  }

  private func plain() -> Column {
    let storage: Column.Storage =
      switch shape {
      case .none: .absent
      case .ints: .ints(ints)
      case .doubles: .doubles(doubles)
      case .bools: .bools(bools)
      case .texts: .utf8(SliceMemory(copying: bytes), slices)
      case .values: .values(values)
      }
    return Column(storage, nulls: nullCount == 0 || shape == .values ? [] : nulls)
  }

  /// Texts of addresses as these, as far as they are some.
  private func addresses() -> Column {
    let column = plain()
    if case .utf8(let memory, let slices) = column.storage {
      var found: [UInt32] = []
      found.reserveCapacity(slices.count)
      for (row, slice) in slices.enumerated() {
        if nulls[row] {
          found.append(0)
        } else if let address = AddressText.parseIP4(memory[slice].bindMemory(to: UInt8.self)) {
          found.append(address)
        } else {
          break
        }
      }
      if found.count == slices.count { return Column(.ip4(found), nulls: column.nulls) }
    }
    return Column.typed(nulls.indices.map { row in Address(column[row])?.value ?? column[row] })
  }
}
