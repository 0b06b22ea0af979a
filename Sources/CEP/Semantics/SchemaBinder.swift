import Diagnostics
import EventModel
import Plan
import Syntax

/// CREATE SCHEMA, CREATE VARIABLE, CREATE EXPRESSION.
extension StatementBinder {
  func bindSchema(_ syntax: CreateSchemaSyntax, _ annotations: [Annotation]) -> EventType? {
    let name = syntax.name.text
    if scope.types[name] != nil, !scope.predeclared.contains(name) {
      report("the event type \"\(name)\" is declared already", at: syntax.name.range)
      return nil
    }
    if let foreign = syntax.className {
      report("classes cannot be event types: \"\(foreign.text)\"", at: foreign.range, suggestion: "list the columns in parentheses")
      return nil
    }
    let type = syntax.isVariant ? variant(syntax) : plain(syntax, annotations)
    guard let type else { return nil }
    scope.types[name] = type
    scope.predeclared.remove(name)
    scope.declared.insert(name)
    scope.inputTypes.append(type)
    return type
  }

  private func variant(_ syntax: CreateSchemaSyntax) -> EventType? {
    if syntax.variantTypes.contains(where: { $0.text == "*" }) {
      return EventType(name: syntax.name.text, kind: .variant, properties: [])
    }
    let members = syntax.variantTypes.compactMap { eventType($0) }
    guard let first = members.first, members.count == syntax.variantTypes.count else { return nil }
    // What all members have, under a type that fits all: numbers of the wider type, else anything.
    let shared = first.properties.compactMap { property -> EventType.Property? in
      let types = members.compactMap { member in member.index(of: property.name).map { member.properties[$0].type } }
      guard types.count == members.count else { return nil }
      let common = types.dropFirst().reduce(types[0]) { $0 == $1 ? $0 : ValueType.promoted($0, $1) ?? .object("Object") }
      return EventType.Property(property.name, common)
    }
    return EventType(name: syntax.name.text, kind: .variant, properties: shared, members: members)
  }

  private func plain(_ syntax: CreateSchemaSyntax, _ annotations: [Annotation]) -> EventType? {
    let parents = syntax.inherits.map { eventType($0) }
    let copied = syntax.copyFrom.map { eventType($0) }
    var properties: [EventType.Property] = []
    for type in (copied + parents).compactMap({ $0 }) {
      for property in type.properties where !properties.contains(where: { $0.name == property.name }) { properties.append(property) }
    }
    var isWhole = !(parents + copied).contains { $0 == nil }
    for column in syntax.columns {
      guard let type = columnType(column) else {
        isWhole = false
        continue
      }
      if let earlier = properties.firstIndex(where: { $0.name == column.name.text }) {
        if earlier >= properties.count { continue }
        if syntax.columns.filter({ $0.name.text == column.name.text }).count > 1 {
          report("the column \"\(column.name.text)\" stands twice", at: column.name.range)
          isWhole = false
        }
        properties[earlier] = .init(column.name.text, type)
        continue
      }
      properties.append(.init(column.name.text, type))
    }
    guard isWhole else { return nil }
    return finished(syntax, properties, parents.compactMap { $0 }, annotations)
  }

  private func columnType(_ column: ColumnSyntax) -> ValueType? {
    switch column.type {
    case .type(let name): return type(name)
    case .aggregate(let expression):
      report("only a table's column can be an aggregate", at: expression.range)
      return nil
    }
  }

  private func finished(
    _ syntax: CreateSchemaSyntax, _ properties: [EventType.Property], _ parents: [EventType], _ annotations: [Annotation]
  ) -> EventType? {
    let index = { (name: NameSyntax?) -> Int? in
      guard let name else { return nil }
      guard let found = properties.firstIndex(where: { $0.name == name.text }) else {
        self.report(
          "\"\(syntax.name.text)\" has no property \"\(name.text)\"", at: name.range,
          suggestion: didYouMean(name.text, among: properties.map(\.name)))
        return nil
      }
      return found
    }
    let isArray = annotations.contains { annotation in
      annotation.name == "EventRepresentation" && annotation.attributes.contains { $0.name == "array" && $0.value.isTrue }
    }
    let kind: EventType.Kind =
      switch syntax.representation {
      case .objectarray: .objectArray
      case .plain: .plain
      default: isArray ? .objectArray : .map
      }
    return EventType(
      name: syntax.name.text, kind: kind, properties: properties, supertypes: parents,
      timestampProperty: timestampTag(annotations, properties) ?? parents.first?.timestampProperty,
      startTimestamp: index(syntax.startTimestamp) ?? parents.first?.startTimestamp,
      endTimestamp: index(syntax.endTimestamp) ?? parents.first?.endTimestamp)
  }

  /// `@Tag(name='timestamp', value='ipfix.flowEndMilliseconds')`.
  private func timestampTag(_ annotations: [Annotation], _ properties: [EventType.Property]) -> Int? {
    for tag in annotations where tag.name == "Tag" {
      guard tag.attributes.first(where: { $0.name == "name" })?.value.text == "timestamp",
        let name = tag.attributes.first(where: { $0.name == "value" })?.value.text
      else { continue }
      if let index = properties.firstIndex(where: { $0.name == name }) { return index }
      report(
        "the timestamp tag names \"\(name)\", which is no property of the schema", at: syntax.range,
        suggestion: didYouMean(name, among: properties.map(\.name)))
    }
    return nil
  }

  // MARK: variables

  func bindVariable(_ syntax: CreateVariableSyntax) -> VariablePlan? {
    if scope.variables[syntax.name.text] != nil {
      report("the variable \"\(syntax.name.text)\" is declared already", at: syntax.name.range)
      return nil
    }
    guard let type = type(syntax.type) else { return nil }
    var initial: Expression?
    if let value = syntax.value {
      let binder = ExpressionBinder(self, names: NameScope(), clause: "a variable's value")
      let bound = binder.bind(value)
      if bound.type.isFaulty { return nil }
      guard isInitial(bound, type) else {
        report("the variable \"\(syntax.name.text)\" is \(type.quoted), its value \(bound.type.quoted)", at: value.range)
        return nil
      }
      initial = bound.type == type || bound.type == .null ? bound : Expression(.cast(bound), type)
      if case .array = type { initial = bound }
    } else if syntax.isConstant {
      report("the constant \"\(syntax.name.text)\" needs a value", at: syntax.name.range)
      return nil
    }
    let plan = VariablePlan(
      name: syntax.name.text, type: type, initial: initial, isConstant: syntax.isConstant, context: self.syntax.context?.text)
    scope.variables[syntax.name.text] = plan
    return plan
  }

  /// A text may stand for a number, as in the original.
  private func isInitial(_ value: Expression, _ type: ValueType) -> Bool {
    if isAssignable(value.type, to: type) { return true }
    guard type.isNumeric else { return false }
    guard value.type == .string else { return value.type.isNumeric && !(type.isInteger && value.type.isFloating) }
    if case .constant(let written) = value.node, let text = written.text {
      return type.isInteger ? Int64(text) != nil : Double(text) != nil
    }
    return true
  }

  // MARK: expressions

  func bindDeclaration(_ syntax: ExpressionDeclarationSyntax) -> StatementPlan.Kind? {
    if scope.expressions[syntax.name.text] != nil {
      report("the expression \"\(syntax.name.text)\" is declared already", at: syntax.name.range)
      return nil
    }
    scope.expressions[syntax.name.text] = syntax
    return .createExpression
  }
}
