import Diagnostics
import EventModel
import Plan
import Syntax

/// The OUTPUT clause.
struct OutputBinder {
  let statement: StatementBinder
  let binder: ExpressionBinder

  init(_ statement: StatementBinder, _ names: NameScope) {
    self.statement = statement
    var own = NameScope()
    own.contextType = names.contextType
    own.placeVariables = [
      "count_insert": .int, "count_remove": .int, "count_insert_total": .int, "count_remove_total": .int,
      "last_output_timestamp": .long,
    ]
    binder = ExpressionBinder(statement, names: own, clause: "the OUTPUT clause")
  }

  func bind(_ syntax: OutputSyntax) -> OutputRatePlan? {
    guard let condition = condition(syntax) else { return nil }
    let kind = syntax.selection.flatMap { OutputRatePlan.Kind(rawValue: $0.rawValue) } ?? .unspecified
    var plan = OutputRatePlan(kind: kind, condition: condition)
    switch syntax.after {
    case .period(let period): plan.afterPeriod = statement.period(period, binder)
    case .events(let count): plan.afterCount = number(count)
    case nil: break
    }
    if case .terminated = syntax.rate { plan.whenTerminated = true }
    if syntax.andTerminated { plan.whenTerminated = true }
    plan.terminatedFilter = syntax.terminatedCondition.map(binder.condition)
    plan.terminatedThen = assignments(syntax.terminatedThen)
    if plan.whenTerminated, statement.syntax.context == nil {
      statement.report("WHEN TERMINATED needs a context", at: syntax.range, suggestion: "write CONTEXT and its name before the statement")
    }
    return plan
  }

  private func condition(_ syntax: OutputSyntax) -> OutputRatePlan.Condition? {
    switch syntax.rate {
    case .events(let count):
      guard let number = number(count) else { return nil }
      if case .constant(.int(let value)) = number.node, value < 1 {
        statement.report("rows are given every 1 or more events, not \(value)", at: count.range)
        return nil
      }
      return .events(number)
    case .period(let period): return statement.period(period, binder).map { .period($0) }
    case .crontab(let fields): return statement.bindCrontab(fields, binder).map { .at($0) }
    case .when(let condition): return .when(binder.condition(condition), then: assignments(syntax.then))
    case .terminated, .none: return .never
    }
  }

  private func number(_ syntax: ExpressionSyntax) -> Expression? {
    let bound = binder.bind(syntax)
    if bound.type.isFaulty { return nil }
    guard bound.type.isInteger else {
      statement.report("a number of events is an integer, this is \(bound.type.quoted)", at: syntax.range)
      return nil
    }
    return bound
  }

  private func assignments(_ list: [AssignmentSyntax]) -> [Assignment] { statement.variableAssignments(list, binder) }
}

extension StatementBinder {
  /// `set x = 1, y = x`: variables only.
  func variableAssignments(_ list: [AssignmentSyntax], _ binder: ExpressionBinder) -> [Assignment] {
    list.compactMap { syntax in
      guard let variable = scope.variables[syntax.target.text] else {
        reportUnknown("variable", syntax.target, among: scope.variables.keys.sorted())
        return nil
      }
      checkPartitions("variable", variable.name, of: variable.context, at: syntax.target.range)
      if variable.isConstant {
        report("\"\(variable.name)\" is a constant and cannot be set", at: syntax.target.range)
        return nil
      }
      let value = binder.bind(syntax.value)
      if let index = syntax.index {
        guard let element = variable.type.element else {
          report("the variable \"\(variable.name)\" is \(variable.type.quoted) and has no elements", at: index.range)
          return nil
        }
        guard isAssignable(value.type, to: element) else {
          report("an element of \"\(variable.name)\" is \(element.quoted), the value \(value.type.quoted)", at: syntax.value.range)
          return nil
        }
        return Assignment(.variableElement(variable.name, index: binder.bind(index)), converted(value, to: element))
      }
      guard isAssignable(value.type, to: variable.type) else {
        report("the variable \"\(variable.name)\" is \(variable.type.quoted), the value \(value.type.quoted)", at: syntax.value.range)
        return nil
      }
      return Assignment(.variable(variable.name), converted(value, to: variable.type))
    }
  }

  /// Whether a value of one type may be stored as another.
  func isAssignable(_ type: ValueType, to target: ValueType) -> Bool {
    if type == target || type.isOpen { return true }
    if type.isNumeric, target.isNumeric {
      return ValueType.promoted(type, target) == ValueType.promoted(target, .byte) || target == .float && type.isInteger
    }
    if type.isTextual, target.isTextual { return true }
    if case .object = target { return true }
    if case .object = type { return true }
    if let element = type.element, let wanted = target.element { return isAssignable(element, to: wanted) }
    if let event = type.eventType {
      if target == .map { return true }
      if let wanted = target.eventType {
        return event.isKind(of: wanted) || wanted.properties.allSatisfy { event.index(of: $0.name) != nil }
      }
    }
    return false
  }

  func converted(_ value: Expression, to type: ValueType) -> Expression {
    value.type.isNumeric && type.isNumeric && value.type.isInteger != type.isInteger ? Expression(.cast(value), type) : value
  }

  /// `(minute, hour, day, month, weekday[, second])`.
  func bindCrontab(_ fields: [ExpressionSyntax], _ binder: ExpressionBinder) -> CronPlan? {
    guard (5...7).contains(fields.count), let first = fields.first, let last = fields.last else {
      if let place = fields.first {
        report("a crontab has 5 fields (minute, hour, day, month, weekday) and may have a sixth for seconds", at: place.range)
      }
      return nil
    }
    let bound = fields.map { cronField($0, binder) }
    for ((field, syntax), allowed) in zip(zip(bound, fields), [0...59, 0...23, 1...31, 1...12, 0...6, 0...59] as [ClosedRange<Int64>]) {
      for number in field?.numbers ?? [] where !allowed.contains(number) {
        report(
          "\(number) is out of range: this field of a crontab goes from \(allowed.lowerBound) to \(allowed.upperBound)", at: syntax.range)
      }
    }
    guard bound.allSatisfy({ $0 != nil }) else { return nil }
    let parts = bound.compactMap { $0 }
    if fields.count == 7 { report("time zones of crontabs are not supported", at: first.range.joined(with: last.range)) }
    return CronPlan(
      minutes: parts[0], hours: parts[1], daysOfMonth: parts[2], months: parts[3], daysOfWeek: parts[4],
      seconds: parts.count > 5 ? parts[5] : nil)
  }

  private func cronField(_ syntax: ExpressionSyntax, _ binder: ExpressionBinder) -> CronPlan.Field? {
    switch syntax.kind {
    case .wildcard: return .any
    case .cron(let field): return cronField(field, binder)
    case .chain(nil, let links) where links.count == 1 && links[0].call == nil && links[0].name.text.lowercased() == "last":
      return .last
    default:
      let value = binder.bind(syntax)
      if value.type.isFaulty { return nil }
      guard value.type.isInteger else {
        report("a field of a crontab is an integer, this is \(value.type.quoted)", at: syntax.range)
        return nil
      }
      return .value(value)
    }
  }

  private func cronField(_ field: CronFieldSyntax, _ binder: ExpressionBinder) -> CronPlan.Field? {
    let bind = { (syntax: ExpressionSyntax) -> Expression? in
      let value = binder.bind(syntax)
      return value.type.isFaulty ? nil : value
    }
    switch field {
    case .step(let step): return bind(step).map { .every($0) }
    case .range(let low, let high):
      guard let low = bind(low), let high = bind(high) else { return nil }
      return .range(low, high)
    case .list(let values):
      let fields = values.compactMap { cronField($0, binder) }
      return fields.count == values.count ? .list(fields) : nil
    case .last(let value): return value.map { syntax in bind(syntax).map { .lastOf($0) } } ?? .last
    case .weekday(let value): return value.flatMap { syntax in bind(syntax).map { .weekday($0) } }
    case .lastWeekday: return .last
    }
  }
}

extension CronPlan.Field {
  /// The constants that must lie in the field's range.
  fileprivate var numbers: [Int64] {
    let constant = { (value: Expression) -> [Int64] in
      if case .constant(.int(let number)) = value.node { return [number] }
      return []
    }
    switch self {
    case .value(let value), .lastOf(let value), .weekday(let value): return constant(value)
    case .range(let low, let high): return constant(low) + constant(high)
    case .list(let fields): return fields.flatMap(\.numbers)
    case .any, .every, .last: return []
    }
  }
}
