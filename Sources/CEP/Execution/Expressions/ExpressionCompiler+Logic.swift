internal import Builtins
internal import EventModel
internal import Plan

extension ExpressionCompiler {
  /// `and` (decided by false) and `or` (decided by true); else null if a part is null.
  func compileLogic(_ parts: [Expression], decisive: Bool) throws(DeploymentError) -> Evaluator {
    let parts = try compile(parts)
    return { frame throws(EvaluationError) in
      var sawNull = false
      for part in parts {
        if case .bool(let value) = try part(frame) {
          if value == decisive { return .bool(decisive) }
        } else {
          sawNull = true
        }
      }
      return sawNull ? .null : .bool(!decisive)
    }
  }

  func compileComparison(_ op: Comparison, _ a: Expression, _ b: Expression) throws(DeploymentError) -> Evaluator {
    if case .constant(.int(let constant)) = b.node, a.type.isInteger { return compileComparison(op, try compile(a), with: constant) }
    let order = order(a, b)
    let (a, b) = (try compile(a), try compile(b))
    switch op {
    case .equal, .notEqual:
      let wanted = op == .equal
      return { frame throws(EvaluationError) in
        let (x, y) = (try a(frame), try b(frame))
        return x.isNull || y.isNull ? .null : .bool((x == y) == wanted)
      }
    default:
      return { frame throws(EvaluationError) in
        let (x, y) = (try a(frame), try b(frame))
        if case .double(let number) = x, number.isNaN { return .bool(false) }
        if case .double(let number) = y, number.isNaN { return .bool(false) }
        guard let order = order(x, y) else { return .null }
        return .bool(op.holds(order))
      }
    }
  }

  /// Addresses have an order of their own; where they are declared as strings, it is that of their text.
  private func order(_ a: Expression, _ b: Expression) -> (Value, Value) -> Int? {
    if a.type == .address || b.type == .address { return { Value.orderAddresses($0, $1) } }
    return { Value.order($0, $1) }
  }

  private func compileComparison(_ op: Comparison, _ a: @escaping Evaluator, with constant: Int64) -> Evaluator {
    { frame throws(EvaluationError) in
      switch try a(frame) {
      case .int(let value): .bool(op.holds(value < constant ? -1 : value > constant ? 1 : 0))
      case .null: .null
      case .double(let value): .bool(op.holds(value < Double(constant) ? -1 : value > Double(constant) ? 1 : 0))
      case let other: throw EvaluationError("\(other.text ?? "null") is no number")
      }
    }
  }

  /// Null where the value is null, or where it is no member and a member is null.
  func compileMembership(_ value: Expression, _ members: [Expression], _ negated: Bool) throws(DeploymentError) -> Evaluator {
    let value = try compile(value)
    let members = try compile(members)
    return { frame throws(EvaluationError) in
      let value = try value(frame)
      if value.isNull { return .null }
      var sawNull = false
      for member in members {
        let member = try member(frame)
        if member.isNull { sawNull = true }
        if let elements = member.array, value.array == nil {
          if elements.contains(value) { return .bool(!negated) }
        } else if member == value {
          return .bool(!negated)
        }
      }
      return sawNull ? .null : .bool(negated)
    }
  }

  /// False, also negated, where anything is null.
  func compileRange(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    guard case .range(let operand, let first, let last, let includesLow, let includesHigh, let negated) = expression.node else {
      throw DeploymentError("no range")
    }
    let order = order(operand, first)
    let (value, low, high) = (try compile(operand), try compile(first), try compile(last))
    return { frame throws(EvaluationError) in
      let (value, low, high) = (try value(frame), try low(frame), try high(frame))
      guard let fromLow = order(value, low), let fromHigh = order(value, high), let bounds = order(low, high) else {
        return .bool(false)
      }
      let (down, up) = bounds <= 0 ? (fromLow, fromHigh) : (fromHigh, fromLow)
      let inside = (includesLow ? down >= 0 : down > 0) && (includesHigh ? up <= 0 : up < 0)
      return .bool(inside != negated)
    }
  }

  func compileCases(_ cases: [Expression.Case], _ otherwise: Expression?) throws(DeploymentError) -> Evaluator {
    var compiled: [(Evaluator, Evaluator)] = []
    for item in cases { compiled.append((try compile(item.condition), try compile(item.result))) }
    let otherwise = try compile(otherwise)
    return { frame throws(EvaluationError) in
      for (condition, result) in compiled where try condition(frame).isTrue { return try result(frame) }
      guard let otherwise else { return .null }
      return try otherwise(frame)
    }
  }

  func compileTypeTest(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    switch expression.node {
    case .instanceOf(let operand, let types):
      let operandType = operand.type
      let operand = try compile(operand)
      return { frame throws(EvaluationError) in
        let value = try operand(frame)
        return .bool(!value.isNull && types.contains { value.isInstance(of: $0, declared: operandType) })
      }
    case .typeOf(let operand):
      let type = operand.type
      let operand = try compile(operand)
      return { frame throws(EvaluationError) in
        switch try operand(frame) {
        case .null: .null
        case .event(let event): .string(event.type.name)
        default: .string(type.javaName)
        }
      }
    case .exists(let operand):
      let operand = try compile(operand)
      return { frame throws(EvaluationError) in .bool(!(try operand(frame).isNull)) }
    default: throw DeploymentError("no type test")
    }
  }
}

extension Comparison {
  /// Whether it holds for an order of -1, 0 or 1.
  @inline(__always)
  func holds(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}

extension Value {
  func isInstance(of type: ValueType, declared: ValueType) -> Bool {
    if case .object(let name) = type { return name == "Object" || name == "Number" && number != nil }
    return switch self {
    case .int: declared.isInteger ? declared == type : type.isInteger
    case .double: declared.isFloating ? declared == type : type.isFloating
    case .bool: type == .boolean
    case .ip4: type.isText || type == .address
    case .octets(let octets): type.isText || type == (octets.kind == .ip6 ? .address : .octets)
    case .string, .mac: type.isText
    case .array: type.element != nil
    default: false
    }
  }
}
