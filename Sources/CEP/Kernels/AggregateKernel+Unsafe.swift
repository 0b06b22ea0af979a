internal import EventModel

/// The rows of a piece of a batch with their groups, and where the groups' states are.
struct GroupedRows {
  let rows: UnsafeBufferPointer<UInt32>
  let groups: UnsafeMutablePointer<UInt32>
  /// The first state word of group 0, and the words from one group to the next.
  let states: UnsafeMutablePointer<UInt64>
  let stride: Int

  @inline(__always)
  func state(_ index: Int) -> UnsafeMutablePointer<UInt64> { states + Int(groups[index]) * stride }
}

extension AggregateKernel {
  /// Takes the column's values in the rows into the states of the rows' groups.
  func add(_ column: Column, _ piece: GroupedRows, _ reader: AtomReader, _ atoms: AtomBuffer, _ pairs: DistinctPairs?) {
    switch function {
    case .countAll: for index in 0..<piece.rows.count { piece.state(index)[0] &+= 1 }
    case .count: each(column, piece) { state, _ in state[0] &+= 1 }
    case .countDistinct:
      guard let pairs else { return }
      reader.read(column, piece.rows, into: atoms)
      addDistinct(piece, atoms, pairs)
    case .sum: addSum(column, piece)
    case .average: addAverage(column, piece)
    case .min: addExtreme(column, piece, sign: -1)
    case .max: addExtreme(column, piece, sign: 1)
    case .first:
      reader.read(column, piece.rows, into: atoms)
      for index in 0..<piece.rows.count {
        let state = piece.state(index)
        if state[0] == 0 { set(state, atoms[index]) }
      }
    case .last:
      reader.read(column, piece.rows, into: atoms)
      for index in 0..<piece.rows.count { set(piece.state(index), atoms[index]) }
    }
  }

  /// The kind plus one, so that a null that came is told from nothing.
  @inline(__always)
  private func set(_ state: UnsafeMutablePointer<UInt64>, _ atom: Atom) {
    state[0] = UInt64(atom.kind) + 1
    state[1] = atom.word
  }

  /// Calls `body(state, row)` for each row where the column is not null.
  @inline(__always)
  private func each(_ column: Column, _ piece: GroupedRows, _ body: (UnsafeMutablePointer<UInt64>, Int) -> Void) {
    switch column.storage {
    case .absent: return
    case .values:
      for index in 0..<piece.rows.count where !column[Int(piece.rows[index])].isNull { body(piece.state(index), Int(piece.rows[index])) }
      return
    default: break
    }
    if column.nulls.isEmpty {
      for index in 0..<piece.rows.count { body(piece.state(index), Int(piece.rows[index])) }
    } else {
      column.nulls.withUnsafeBufferPointer { nulls in
        for index in 0..<piece.rows.count where !nulls[Int(piece.rows[index])] { body(piece.state(index), Int(piece.rows[index])) }
      }
    }
  }

  /// A group's first value stands in its state; the set of pairs holds the others, of which most groups have none.
  private func addDistinct(_ piece: GroupedRows, _ atoms: AtomBuffer, _ pairs: DistinctPairs) {
    pairs.reserve(piece.rows.count)
    for index in 0..<piece.rows.count {
      let atom = atoms[index]
      if atom.kind == 0 { continue }
      let state = piece.state(index)
      if state[0] == 0 {
        state[0] = 1 | UInt64(atom.kind) << 32
        state[1] = atom.word
      } else if state[1] != atom.word || state[0] >> 32 != UInt64(atom.kind) {
        if pairs.insert(piece.groups[index], atom) { state[0] += 1 }
      }
    }
  }

  private func addSum(_ column: Column, _ piece: GroupedRows) {
    if type.isInteger {
      if case .ints(let values) = column.storage {
        values.withUnsafeBufferPointer { values in
          each(column, piece) { state, row in
            state[0] &+= 1
            state[1] &+= UInt64(bitPattern: values[row])
          }
        }
      } else {
        each(column, piece) { state, row in
          state[0] &+= 1
          state[1] &+= UInt64(bitPattern: column[row].integer ?? 0)
        }
      }
    } else if case .doubles(let values) = column.storage {
      values.withUnsafeBufferPointer { values in each(column, piece) { state, row in addNumber(state, values[row]) } }
    } else {
      each(column, piece) { state, row in addNumber(state, column[row].number ?? 0) }
    }
  }

  private func addAverage(_ column: Column, _ piece: GroupedRows) {
    switch column.storage {
    case .ints(let values):
      values.withUnsafeBufferPointer { values in each(column, piece) { state, row in addNumber(state, Double(values[row])) } }
    case .doubles(let values):
      values.withUnsafeBufferPointer { values in each(column, piece) { state, row in addNumber(state, values[row]) } }
    default: each(column, piece) { state, row in if let number = column[row].number { addNumber(state, number) } }
    }
  }

  @inline(__always)
  private func addNumber(_ state: UnsafeMutablePointer<UInt64>, _ number: Double) {
    state[0] &+= 1
    state[1] = (Double(bitPattern: state[1]) + number).bitPattern
  }

  private func addExtreme(_ column: Column, _ piece: GroupedRows, sign: Int) {
    if case .ints(let values) = column.storage {
      let integer = UInt64(Atom.Kind.int.rawValue)
      values.withUnsafeBufferPointer { values in
        each(column, piece) { state, row in
          let value = values[row]
          if state[0] == integer {
            let held = Int64(bitPattern: state[1])
            state[1] = UInt64(bitPattern: sign < 0 ? min(held, value) : max(held, value))
          } else {
            addExtreme(state, .int(value), sign)
          }
        }
      }
    } else {
      each(column, piece) { state, row in addExtreme(state, column[row], sign) }
    }
  }

  /// Any number against any; what is no number has no place here, for the argument's type is numeric.
  private func addExtreme(_ state: UnsafeMutablePointer<UInt64>, _ value: Value, _ sign: Int) {
    let kind: Atom.Kind
    let word: UInt64
    switch value {
    case .int(let value): (kind, word) = (.int, UInt64(bitPattern: value))
    case .double(let value): (kind, word) = (.double, value.bitPattern)
    default: return
    }
    if state[0] != 0 {
      let held: Value =
        state[0] == UInt64(Atom.Kind.int.rawValue) ? .int(Int64(bitPattern: state[1])) : .double(Double(bitPattern: state[1]))
      guard (Value.order(value, held) ?? 0) * sign > 0 else { return }
    }
    state[0] = UInt64(kind.rawValue)
    state[1] = word
  }
}
