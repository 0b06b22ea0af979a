internal import Builtins
internal import EventModel
internal import Plan

/// `set a = …, b = …`, compiled; each value sees what the assignments before it did.
struct AssignmentCode {
  private struct Item {
    let target: Assignment.Target
    let value: Evaluator
    let index: Evaluator?
    let variable: VariableAccess?
  }
  private var items: [Item] = []
  private let layouts: Layouts

  init(_ plan: [Assignment], _ compiler: ExpressionCompiler) throws(DeploymentError) {
    layouts = compiler.environment.layouts
    for assignment in plan {
      var index: Evaluator?
      var variable: VariableAccess?
      switch assignment.target {
      case .element(_, let expression): index = try compiler.compile(expression)
      case .variable(let name), .variableElement(let name, _):
        if case .variableElement(_, let expression) = assignment.target { index = try compiler.compile(expression) }
        variable = try compiler.variable(name)
      case .property: break
      }
      items.append(Item(target: assignment.target, value: try compiler.compile(assignment.value), index: index, variable: variable))
    }
  }

  func setVariables(_ frame: Frame) throws(EvaluationError) {
    for item in items {
      guard let variable = item.variable?.of(frame) else { continue }
      let value = try item.value(frame)
      if let index = item.index {
        try set(variable, at: index, value, frame)
        continue
      }
      variable.value = variable.type.isNumeric ? try castValue(value, to: variable.type) : value
    }
  }

  /// Outside the array nothing is set.
  private func set(_ variable: Variable, at index: Evaluator, _ value: Value, _ frame: Frame) throws(EvaluationError) {
    guard var values = variable.value.array, let place = try index(frame).integer, place >= 0, place < values.count else { return }
    values[Int(place)] = value
    variable.value = .array(values)
  }

  /// The row with its properties set; the frame's stream 0 shows what has been set so far.
  func updated(_ row: Event, _ frame: Frame) throws(EvaluationError) -> Event {
    var row = row
    for item in items {
      frame.events[0] = row
      let value = try item.value(frame)
      switch item.target {
      case .property(let property): row = row.replacing([(layouts.slot(row.type, property), try fitted(value, row.type, property))])
      case .element(let property, _):
        let slot = layouts.slot(row.type, property)
        guard var values = row[slot].array, let index = try item.index?(frame).integer, index >= 0, index < values.count else { continue }
        values[Int(index)] = value
        row = row.replacing([(slot, .array(values))])
      case .variableElement:
        if let variable = item.variable?.of(frame), let index = item.index { try set(variable, at: index, value, frame) }
      case .variable:
        guard let variable = item.variable?.of(frame) else { continue }
        variable.value = variable.type.isNumeric ? try castValue(value, to: variable.type) : value
      }
    }
    return row
  }

  private func fitted(_ value: Value, _ type: EventType, _ property: Int) throws(EvaluationError) -> Value {
    let declared = type.properties[property].type
    return declared.isNumeric ? try castValue(value, to: declared) : value
  }
}
