internal import Builtins
internal import EventModel
internal import Plan

/// An argument of an enumeration method, compiled.
enum EnumerationArgument {
  case value(Evaluator)
  case lambda([Int], Evaluator)

  /// The lambda's value for an element; without a lambda the element itself.
  func of(_ element: Value, _ index: Int, _ frame: Frame) throws(EvaluationError) -> Value {
    switch self {
    case .value: return element
    case .lambda(let parameters, let body):
      if let first = parameters.first { frame.setLocal(first, element) }
      if parameters.count > 1 { frame.setLocal(parameters[1], .int(Int64(index))) }
      return try body(frame)
    }
  }

  /// The argument as a plain value.
  func value(_ frame: Frame) throws(EvaluationError) -> Value {
    switch self {
    case .value(let evaluator): try evaluator(frame)
    case .lambda: .null
    }
  }
}

extension Frame {
  func setLocal(_ number: Int, _ value: Value) {
    while locals.count <= number { locals.append(.null) }
    locals[number] = value
  }
}

extension ExpressionCompiler {
  func compileEnumeration(_ method: Expression.Enumeration) throws(DeploymentError) -> Evaluator {
    if method.method == "keySet", let keys = try compileKeys(method.target) { return keys }
    let target = try compile(method.target)
    let arguments = try compile(method.arguments)
    if method.method.hasPrefix("aggregate:") { return try compileArrayAggregate(method, target) }
    let call = CollectionCall(name: method.method, arguments: arguments)
    guard call.isKnown else { throw DeploymentError("no enumeration method \(method.method)") }
    return { frame throws(EvaluationError) in
      switch try target(frame) {
      case .array(let array): try call.apply(array.values, frame)
      case .map(let map) where call.name == "keySet": .array(CollectionCall.ascending(map.entries.map { .string($0.key) }))
      default: .null
      }
    }
  }

  private func compile(_ arguments: [Expression.Enumeration.Argument]) throws(DeploymentError) -> [EnumerationArgument] {
    var compiled: [EnumerationArgument] = []
    for argument in arguments {
      switch argument {
      case .value(let value): compiled.append(.value(try compile(value)))
      case .lambda(let parameters, let body): compiled.append(.lambda(parameters, try compile(body)))
      }
    }
    return compiled
  }

  /// `x.groupBy(…).keySet()`: the keys as values, where a map would keep their text; ascending.
  private func compileKeys(_ target: Expression) throws(DeploymentError) -> Evaluator? {
    guard case .enumeration(let inner) = target.node, ["groupBy", "toMap"].contains(inner.method) else { return nil }
    let rows = try compile(inner.target)
    let call = CollectionCall(name: "distinctKeys", arguments: Array(try compile(inner.arguments).prefix(1)))
    return { frame throws(EvaluationError) in
      guard let values = try rows(frame).array else { return .null }
      return .array(CollectionCall.ascending(Array(Set(try call.mapped(values, frame)))))
    }
  }

  /// `sum(B.v)` of match_recognize: an aggregate of the catalog over an array.
  private func compileArrayAggregate(_ method: Expression.Enumeration, _ target: @escaping Evaluator) throws(DeploymentError) -> Evaluator {
    let name = String(method.method.dropFirst("aggregate:".count))
    guard let function = environment.runtime.catalog.aggregates[name], let type = method.target.type.element else {
      throw DeploymentError("no aggregate \(name)")
    }
    return { frame throws(EvaluationError) in
      let state = function.make([type], [])
      for value in try target(frame).array ?? [] where !value.isNull || name == "count" { state.enter(value, [], time: frame.clock.now) }
      return state.value(time: frame.clock.now)
    }
  }
}

/// One enumeration method with its arguments.
struct CollectionCall {
  let name: String
  let arguments: [EnumerationArgument]

  private static let names: Set<String> = [
    "where", "take", "takeLast", "takeWhile", "takeWhileLast", "reverse", "distinctOf", "orderBy", "orderByDesc", "except",
    "intersect", "union", "firstOf", "lastOf", "minBy", "maxBy", "min", "max", "mostFrequent", "leastFrequent", "selectFrom",
    "countOf", "anyOf", "allOf", "sequenceEqual", "sumOf", "average", "aggregate", "groupBy", "toMap", "keySet",
  ]
  var isKnown: Bool { Self.names.contains(name) }

  func apply(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    switch name {
    case "where": return .array(try filtered(values, frame))
    case "countOf": return .int(Int64(try filtered(values, frame).count))
    case "anyOf": return .bool(try !filtered(values, frame).isEmpty)
    case "allOf": return .bool(try filtered(values, frame).count == values.count)
    case "firstOf": return try filtered(values, frame).first ?? .null
    case "lastOf": return try filtered(values, frame).last ?? .null
    case "selectFrom": return .array(try mapped(values, frame))
    case "reverse": return .array(values.reversed())
    case "take": return .array(Array(values.prefix(try count(frame))))
    case "takeLast": return .array(Array(values.suffix(try count(frame))))
    case "takeWhile": return .array(try leading(values, frame))
    case "takeWhileLast": return .array(try leading(values.reversed(), frame).reversed())
    case "orderBy", "orderByDesc", "minBy", "maxBy", "min", "max": return try ordered(values, frame)
    case "distinctOf", "mostFrequent", "leastFrequent": return try counted(values, frame)
    case "sumOf", "average": return try total(values, frame)
    case "except", "intersect", "union", "sequenceEqual": return try combined(values, frame)
    case "aggregate": return try folded(values, frame)
    case "groupBy", "toMap": return try keyed(values, frame)
    default: return .null
    }
  }

  // MARK: filters and maps

  private func filtered(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> [Value] {
    guard let condition = arguments.first else { return values }
    var result: [Value] = []
    for (index, value) in values.enumerated() where try condition.of(value, index, frame).isTrue { result.append(value) }
    return result
  }

  func mapped(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> [Value] {
    guard let map = arguments.first else { return values }
    var result: [Value] = []
    for (index, value) in values.enumerated() { result.append(try map.of(value, index, frame)) }
    return result
  }

  private func leading(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> [Value] {
    guard let condition = arguments.first else { return values }
    var result: [Value] = []
    for (index, value) in values.enumerated() {
      guard try condition.of(value, index, frame).isTrue else { break }
      result.append(value)
    }
    return result
  }

  private func count(_ frame: Frame) throws(EvaluationError) -> Int { max(0, Int(clamping: try arguments[0].value(frame).integer ?? 0)) }

  private func argumentValues(_ frame: Frame) throws(EvaluationError) -> [Value] { try arguments[0].value(frame).array ?? [] }

  // MARK: order and number

  static func ascending(_ values: [Value]) -> [Value] { values.sorted { precedes($0, $1) } }

  /// Nulls first.
  private static func precedes(_ a: Value, _ b: Value) -> Bool {
    if a.isNull || b.isNull { return a.isNull && !b.isNull }
    return (Value.order(a, b) ?? 0) < 0
  }

  private func ordered(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    let keys = try mapped(values, frame)
    let isDescending = name == "orderByDesc" || name == "maxBy" || name == "max"
    var order = Array(values.indices)
    if name == "min" || name == "max" || name == "minBy" || name == "maxBy" { order.removeAll { keys[$0].isNull } }
    order.sort { a, b in
      let first = isDescending ? Self.precedes(keys[b], keys[a]) : Self.precedes(keys[a], keys[b])
      let second = isDescending ? Self.precedes(keys[a], keys[b]) : Self.precedes(keys[b], keys[a])
      return first || (!second && a < b)
    }
    switch name {
    case "orderBy", "orderByDesc": return .array(order.map { values[$0] })
    case "min", "max": return order.first.map { keys[$0] } ?? .null
    default: return order.first.map { values[$0] } ?? .null
    }
  }

  private func counted(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    let keys = try mapped(values, frame)
    var counts: [Value: Int] = [:]
    var firsts: [Int] = []
    for (index, key) in keys.enumerated() {
      if counts[key] == nil { firsts.append(index) }
      counts[key, default: 0] += 1
    }
    if name == "distinctOf" { return .array(firsts.map { values[$0] }) }
    var best: Value?
    for index in firsts {
      let (count, most) = (counts[keys[index]] ?? 0, best.flatMap { counts[$0] })
      if most.map({ name == "mostFrequent" ? count > $0 : count < $0 }) ?? true { best = keys[index] }
    }
    return best ?? .null
  }

  private func total(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    let known = try mapped(values, frame).filter { !$0.isNull }
    if known.isEmpty { return .null }
    var integers: Int64 = 0
    var isInteger = name == "sumOf"
    for value in known {
      if case .int(let number) = value { integers &+= number } else { isInteger = false }
    }
    if isInteger { return .int(integers) }
    let sum = known.reduce(0) { $0 + ($1.number ?? 0) }
    return .double(name == "sumOf" ? sum : sum / Double(known.count))
  }

  // MARK: two collections, folds, maps

  private func combined(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    let others = try argumentValues(frame)
    switch name {
    case "union": return .array(values + others)
    case "sequenceEqual": return .bool(values == others)
    default:
      let set = Set(others)
      return .array(values.filter { set.contains($0) == (name == "intersect") })
    }
  }

  private func folded(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    var result = try arguments[0].value(frame)
    guard arguments.count > 1, case .lambda(let parameters, let body) = arguments[1], parameters.count == 2 else { return result }
    for value in values {
      frame.setLocal(parameters[0], result)
      frame.setLocal(parameters[1], value)
      result = try body(frame)
    }
    return result
  }

  private func keyed(_ values: [Value], _ frame: Frame) throws(EvaluationError) -> Value {
    var keys: [String] = []
    var entries: [String: [Value]] = [:]
    for (index, value) in values.enumerated() {
      let key = try arguments[0].of(value, index, frame).text ?? "null"
      let entry = arguments.count > 1 ? try arguments[1].of(value, index, frame) : value
      if entries[key] == nil { keys.append(key) }
      entries[key, default: []].append(entry)
    }
    return .map(
      ValueMap(
        keys.map { key in
          let found = entries[key] ?? []
          return (key, name == "toMap" ? found.last ?? .null : .array(found))
        }))
  }
}
