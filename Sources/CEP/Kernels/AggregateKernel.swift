internal import EventModel

/// One aggregate over a column, with two words of state for each group: what it counts or holds, and a sum or value.
struct AggregateKernel {
  enum Function { case countAll, count, countDistinct, sum, average, min, max, first, last }

  let function: Function
  /// Nil for `count(*)`.
  let property: Int?
  /// The argument's declared type, which governs a sum.
  let type: ValueType
  static let stateWords = 2

  var isCount: Bool {
    switch function {
    case .countAll, .count, .countDistinct: true
    default: false
    }
  }

  /// The aggregate's value for a group's state. An empty state gives 0 for counts, else null.
  func value(_ state: UnsafePointer<UInt64>, _ reader: AtomReader) -> Value {
    switch function {
    case .countAll, .count: .int(Int64(bitPattern: state[0]))
    case .countDistinct: .int(Int64(state[0] & 0xffff_ffff))
    case .sum:
      if state[0] == 0 {
        .null
      } else if type.isInteger {
        .int(type == .long || type == .bigInteger ? Int64(bitPattern: state[1]) : Int64(Int32(truncatingIfNeeded: state[1])))
      } else {
        .double(Double(bitPattern: state[1]))
      }
    case .average: state[0] == 0 ? .null : .double(Double(bitPattern: state[1]) / Double(state[0]))
    case .min, .max: reader.value(Atom(kind: UInt8(truncatingIfNeeded: state[0]), word: state[1]))
    case .first, .last: state[0] == 0 ? .null : reader.value(Atom(kind: UInt8(truncatingIfNeeded: state[0] - 1), word: state[1]))
    }
  }

  /// The value of a group that nothing is in.
  var emptyValue: Value { isCount ? .int(0) : .null }
}
