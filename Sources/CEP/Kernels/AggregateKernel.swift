internal import EventModel

/// One aggregate over a column, with up to two words of state for each group: what it counts or holds, and a sum or value.
struct AggregateKernel {
  enum Function { case countAll, count, countDistinct, sum, average, min, max, first, last }

  let function: Function
  /// Nil for `count(*)`.
  let property: Int?
  /// The argument's declared type, which governs a sum.
  let type: ValueType
  static let stateWords = 2

  /// How many of them it needs.
  var neededWords: Int {
    switch function {
    case .countAll, .count: 1
    default: Self.stateWords
    }
  }

  var isCount: Bool {
    switch function {
    case .countAll, .count, .countDistinct: true
    default: false
    }
  }

  /// The aggregate's value for a group's state. An empty state gives 0 for counts, else null.
  func atom(_ state: UnsafePointer<UInt64>) -> Atom {
    switch function {
    case .countAll, .count: Atom(.int, state[0])
    case .countDistinct: Atom(.int, state[0] & 0xffff_ffff)
    case .sum:
      if state[0] == 0 {
        .null
      } else if !type.isInteger {
        Atom(.double, state[1])
      } else if type == .long || type == .bigInteger {
        Atom(.int, state[1])
      } else {
        Atom(.int, UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: state[1]))))
      }
    case .average: state[0] == 0 ? .null : Atom(.double, (Double(bitPattern: state[1]) / Double(state[0])).bitPattern)
    case .min, .max: Atom(kind: UInt8(truncatingIfNeeded: state[0]), word: state[1])
    case .first, .last: state[0] == 0 ? .null : Atom(kind: UInt8(truncatingIfNeeded: state[0] - 1), word: state[1])
    }
  }

  /// The value of a group that nothing is in.
  var empty: Atom { isCount ? Atom(.int, 0) : .null }
}
