internal import Builtins
internal import EventModel
internal import Plan

/// How an expression gets at a variable.
struct VariableAccess {
  let type: ValueType
  /// The variable, where it is not one for each partition.
  let only: Variable?
  fileprivate let declared: Declared<Variable>?
  func of(_ frame: Frame) -> Variable? { only ?? declared?.of(frame.partition) }
}

extension ExpressionCompiler {
  func compileAccess(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    switch expression.node {
    case .column(let stream, let property):
      guard let type = type(ofStream: stream) else { throw DeploymentError("no stream \(stream)") }
      let slot = environment.layouts.slot(type, property)
      if stream == Expression.contextStream {
        if type.properties[property].name == "id" { environment.readsPartitionIDs = true }
        return { frame in frame.context?[slot] ?? .null }
      }
      return { frame in frame.events[stream]?[slot] ?? .null }
    case .event(let stream):
      if stream == Expression.contextStream {
        environment.readsPartitionIDs = true
        return { frame in Value(frame.context) }
      }
      return { frame in Value(frame.events[stream]?.origin) }
    case .nested(let row, let property):
      guard let type = row.type.eventType else { throw DeploymentError("a property of what is no row") }
      let slot = environment.layouts.slot(type, property)
      if contextType != nil, type.properties[property].name == "id" { environment.readsPartitionIDs = true }
      let row = try compile(row)
      return { frame throws(EvaluationError) in
        switch try row(frame) {
        case .event(let event): event[slot]
        case .map(let map): map[type.properties[property].name]
        default: .null
        }
      }
    case .key(let map, let name):
      let map = try compile(map)
      let layouts = environment.layouts
      return { frame throws(EvaluationError) in
        switch try map(frame) {
        case .map(let map): map[name]
        case .event(let event): event.type.index(of: name).map { event[layouts.slot(event.type, $0)] } ?? .null
        default: .null
        }
      }
    case .element(let array, let index):
      let (array, index) = (try compile(array), try compile(index))
      return { frame throws(EvaluationError) in
        guard let values = try array(frame).array, let index = try index(frame).integer else { return .null }
        return index >= 0 && index < values.count ? values[Int(index)] : .null
      }
    case .variable(let name):
      let variable = try variable(name)
      if let only = variable.only { return { _ in only.value } }
      return { frame in variable.of(frame)?.value ?? .null }
    case .local(let number): return { frame in number < frame.locals.count ? frame.locals[number] : .null }
    default: throw DeploymentError("no access")
    }
  }

  /// A variable of that name: of the place where the expression stands, of the module, or of each partition.
  func variable(_ name: String) throws(DeploymentError) -> VariableAccess {
    if let variable = localVariables[name] { return VariableAccess(type: variable.type, only: variable, declared: nil) }
    guard let declared = environment.variables[name], case .createVariable(let plan) = declared.kind else {
      throw DeploymentError("no variable \(name)")
    }
    return VariableAccess(type: plan.type, only: declared.only, declared: declared)
  }

  func compilePrevious(_ previous: Expression.Previous) throws(DeploymentError) -> Evaluator {
    let stream = previous.stream
    let index = try compile(previous.index)
    let value = try compile(previous.value)
    let kind = previous.kind
    return { frame throws(EvaluationError) in
      guard stream < frame.history.count, let history = frame.history[stream], let event = frame.events[stream] else { return .null }
      // A row that leaves has none before it but by `prior`.
      if !frame.isNew, kind != .prior { return .null }
      let valueOf = { (found: Event?) throws(EvaluationError) -> Value in
        guard let found else { return .null }
        guard let value else { return .event(found.origin) }
        frame.events[stream] = found
        defer { frame.events[stream] = event }
        return try value(frame)
      }
      switch kind {
      case .count: return history.count(at: event).map { .int(Int64($0)) } ?? .null
      case .window:
        guard let events = history.window(at: event) else { return .null }
        var values: [Value] = []
        for event in events { values.append(try valueOf(event)) }
        return .array(values)
      case .previous, .tail, .prior:
        let offset = try index.map { e throws(EvaluationError) in try e(frame) }?.integer ?? (kind == .tail ? 0 : 1)
        guard offset >= 0, offset <= Int32.max else { return .null }
        return try valueOf(history.event(kind, Int(offset), at: event, isNew: frame.isNew))
      }
    }
  }

  func compileTableRow(_ name: String, _ keys: [Expression]) throws(DeploymentError) -> Evaluator {
    guard let table = environment.tables[name] else { throw DeploymentError("no table \(name)") }
    let keys = try compile(keys)
    return { frame throws(EvaluationError) in Value(table.of(frame.partition)?.row(try evaluateAll(keys, frame))) }
  }

  func compileTableKeys(_ name: String) throws(DeploymentError) -> Evaluator {
    guard let table = environment.tables[name] else { throw DeploymentError("no table \(name)") }
    return { frame in
      guard let table = table.of(frame.partition) else { return .null }
      let keys = table.rows.map { table.key(of: $0) }
      return .array(keys.map { $0.count == 1 ? $0[0] : .array($0) })
    }
  }

  func compileMatchPrevious(_ operand: Expression, _ count: Int) throws(DeploymentError) -> Evaluator {
    let operand = try compile(operand)
    return { frame throws(EvaluationError) in
      let position = frame.earlierRows.count - count
      guard frame.earlierRows.indices.contains(position) else { return .null }
      let current = frame.events[1]
      frame.events[1] = frame.earlierRows[position]
      defer { frame.events[1] = current }
      return try operand(frame)
    }
  }
}
