internal import Builtins
internal import EventModel
internal import Plan

extension ExpressionCompiler {
  func compileNegate(_ operand: Expression, type: ValueType) throws(DeploymentError) -> Evaluator {
    let operand = try compile(operand)
    return { frame throws(EvaluationError) in
      switch try operand(frame) {
      case .int(let value): type == .int ? .int(Int64(Int32(truncatingIfNeeded: 0 &- value))) : .int(0 &- value)
      case .double(let value): .double(-value)
      default: .null
      }
    }
  }

  func compileArithmetic(_ op: ArithmeticOperator, _ a: Expression, _ b: Expression, type: ValueType) throws(DeploymentError) -> Evaluator {
    let (a, b) = (try compile(a), try compile(b))
    if op == .divide {
      return { frame throws(EvaluationError) in
        guard let x = try numberOperand(try a(frame)), let y = try numberOperand(try b(frame)) else { return .null }
        return .double(x / y)
      }
    }
    if type.isInteger {
      let narrow = type == .int
      return { frame throws(EvaluationError) in
        guard var x = try integerOperand(try a(frame)), var y = try integerOperand(try b(frame)) else { return .null }
        if narrow { (x, y) = (Int64(Int32(truncatingIfNeeded: x)), Int64(Int32(truncatingIfNeeded: y))) }
        let result: Int64
        switch op {
        case .add: result = x &+ y
        case .subtract: result = x &- y
        case .multiply: result = x &* y
        default:
          guard y != 0 else { throw EvaluationError("remainder by zero") }
          result = y == -1 ? 0 : x % y
        }
        return .int(narrow ? Int64(Int32(truncatingIfNeeded: result)) : result)
      }
    }
    let single = type == .float
    return { frame throws(EvaluationError) in
      guard let x = try numberOperand(try a(frame)), let y = try numberOperand(try b(frame)) else { return .null }
      let result =
        switch op {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        default: x.truncatingRemainder(dividingBy: y)
        }
      return .double(single ? Double(Float(result)) : result)
    }
  }

  func compileBitwise(_ op: BitwiseOperator, _ a: Expression, _ b: Expression) throws(DeploymentError) -> Evaluator {
    let (a, b) = (try compile(a), try compile(b))
    return { frame throws(EvaluationError) in
      switch (try a(frame), try b(frame)) {
      case (.int(let x), .int(let y)): .int(op == .and ? x & y : op == .or ? x | y : x ^ y)
      case (.bool(let x), .bool(let y)): .bool(op == .and ? x && y : op == .or ? x || y : x != y)
      default: .null
      }
    }
  }

  /// A value under another type: truncated or widened, text read or written. What cannot be read fails the event.
  func compileCast(_ operand: Expression, to type: ValueType) throws(DeploymentError) -> Evaluator {
    let operand = try compile(operand)
    return { frame throws(EvaluationError) in try castValue(try operand(frame), to: type) }
  }
}

func castValue(_ value: Value, to type: ValueType) throws(EvaluationError) -> Value {
  if value.isNull { return .null }
  switch type {
  case .string: return value.text.map(Value.string) ?? .null
  case .character:
    guard let text = value.text else { return .null }
    guard let first = text.utf16.first else { throw EvaluationError("an empty text has no first character") }
    return .string(String(decoding: [first], as: UTF16.self))
  case .boolean:
    if case .string(let text) = value { return .bool(text.lowercased() == "true") }
    return value
  case .byte, .short, .int, .long, .bigInteger:
    var integer = value.integer
    if case .string(let text) = value {
      integer = Int64(text)
      if integer == nil { throw EvaluationError("cannot cast '\(text)' to \(type.name)") }
    }
    guard let integer else { return .null }
    return .int(narrowed(integer, to: type))
  case .float, .double, .bigDecimal:
    if case .string(let text) = value {
      guard let number = Double(text) else { throw EvaluationError("cannot cast '\(text)' to \(type.name)") }
      return .double(number)
    }
    return value.number.map { .double(type == .float ? Double(Float($0)) : $0) } ?? .null
  case .address:
    guard let address = Address(value) else { throw EvaluationError("cannot cast '\(value.text ?? "null")' to address") }
    return address.value
  default: return value
  }
}

func narrowed(_ value: Int64, to type: ValueType) -> Int64 {
  switch type {
  case .byte: Int64(Int8(truncatingIfNeeded: value))
  case .short: Int64(Int16(truncatingIfNeeded: value))
  case .int: Int64(Int32(truncatingIfNeeded: value))
  default: value
  }
}

/// An operand that should be a number; nil for null. Anything else fails the event.
func numberOperand(_ value: Value) throws(EvaluationError) -> Double? {
  if value.isNull { return nil }
  guard let number = value.number else { throw EvaluationError("\(value.text ?? "null") is no number") }
  return number
}

func integerOperand(_ value: Value) throws(EvaluationError) -> Int64? {
  if value.isNull { return nil }
  guard let number = value.integer else { throw EvaluationError("\(value.text ?? "null") is no number") }
  return number
}
