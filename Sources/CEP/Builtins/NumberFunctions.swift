internal import EventModel

/// The widest of numeric types; nil where one is no number.
private func widest(_ types: [ValueType]) -> ValueType? {
  var result: ValueType?
  for type in types where type != .null {
    guard let next = result.map({ ValueType.promoted($0, type) }) ?? (type.isNumeric ? ValueType.promoted(type, .int) : nil) else {
      return nil
    }
    result = next
  }
  return result
}

/// The same, of numbers alone.
private func numeric(_ types: [ValueType]) -> ValueType? { types.contains(.null) ? nil : widest(types) }

private func extreme(_ arguments: [Value], _ sign: Int) -> Value {
  var best = Value.null
  for value in arguments {
    if value.isNull { return .null }
    if best.isNull || (Value.order(value, best) ?? 0) * sign > 0 { best = value }
  }
  return best
}

extension Builtins {
  static let numberFunctions: [ScalarFunction] = [
    ScalarFunction("min", arity: 2...64, help: "the smallest of the arguments; null where one is null", resultType: numeric) {
      extreme($0, -1)
    },
    ScalarFunction("max", arity: 2...64, help: "the largest of the arguments; null where one is null", resultType: numeric) {
      extreme($0, 1)
    },
    ScalarFunction("coalesce", arity: 1...64, help: "the first argument that is not null", resultType: coalescedType) { arguments in
      arguments.first { !$0.isNull } ?? .null
    },
    ScalarFunction("Math.abs", arity: 1...1, help: "the magnitude", resultType: widest) { arguments in
      switch arguments[0] {
      case .int(let value): .int(value < 0 ? 0 &- value : value)
      case .double(let value): .double(abs(value))
      default: .null
      }
    },
    ScalarFunction("Math.max", arity: 2...2, help: "the larger", resultType: widest) { extreme($0, 1) },
    ScalarFunction("Math.min", arity: 2...2, help: "the smaller", resultType: widest) { extreme($0, -1) },
    ScalarFunction("Math.sqrt", arity: 1...1, help: "the square root", resultType: { widest($0).map { _ in .double } }) {
      $0[0].number.map { .double($0.squareRoot()) } ?? .null
    },
    ScalarFunction("Integer.toHexString", arity: 1...1, help: "hexadecimal digits", resultType: { _ in .string }) { arguments in
      arguments[0].integer.map { .string(String(UInt32(truncatingIfNeeded: $0), radix: 16)) } ?? .null
    },
    ScalarFunction("String.valueOf", arity: 1...1, help: "the text of a value", resultType: { _ in .string }) { arguments in
      arguments[0].text.map { .string($0) } ?? .null
    },
  ]

  private static func coalescedType(_ types: [ValueType]) -> ValueType? {
    let known = types.filter { $0 != .null }
    guard let first = known.first else { return .null }
    if known.allSatisfy({ $0 == first }) { return first }
    return widest(known) ?? (known.allSatisfy(\.isText) ? .string : nil)
  }
}
