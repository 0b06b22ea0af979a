import Diagnostics
import EventModel
import Plan
import Syntax

/// INSERT INTO: makes the stream's type where none is declared, else fits the columns to it.
struct InsertBinder {
  let statement: StatementBinder
  init(_ statement: StatementBinder) { self.statement = statement }

  /// - Parameter plan: its columns take the names of the insert's column list, its output type the stream's.
  func bind(_ syntax: InsertIntoSyntax, _ plan: inout SelectPlan) -> InsertPlan? {
    if syntax.selector == .irstream {
      statement.report("INSERT takes ISTREAM or RSTREAM, not both", at: syntax.range)
      return nil
    }
    rename(syntax, &plan)
    let selection = syntax.selector.map(StreamSelection.init) ?? .insert
    let properties = plan.outputType.properties
    return insert(syntax.target, properties, source: plan.passThrough == nil ? nil : plan.outputType, selection, columns: plan.columns)
  }

  private func rename(_ syntax: InsertIntoSyntax, _ plan: inout SelectPlan) {
    guard !syntax.columns.isEmpty else { return }
    guard plan.passThrough == nil, syntax.columns.count == plan.columns.count else {
      statement.report(
        "INSERT INTO names \(syntax.columns.count) columns, SELECT gives \(plan.passThrough == nil ? "\(plan.columns.count)" : "all of an event")",
        at: syntax.range)
      return
    }
    for (index, name) in syntax.columns.enumerated() { plan.columns[index].name = name.text }
    plan.outputType = EventType(name: syntax.target.text, kind: .derived, properties: plan.columns.map { .init($0.name, $0.type) })
  }

  /// - Parameter source: the type of the event that is passed on whole, if it is.
  func insert(
    _ target: NameSyntax, _ properties: [EventType.Property], source: EventType?, _ selection: StreamSelection, columns: [OutputColumn]
  ) -> InsertPlan? {
    let scope = statement.scope
    // Rows of any statement go into a named window, each into its partition's.
    if scope.windows[target.text] == nil, scope.tables[target.text] != nil { statement.checkStore(target) }
    let existing = scope.windows[target.text]?.type ?? scope.tables[target.text]?.type ?? scope.types[target.text]
    guard let existing else { return create(target, properties, selection) }
    if let source, source.isKind(of: existing) { return InsertPlan(selection: selection, target: existing, mapping: []) }
    if existing.kind == .variant || columns.count == 1 {
      if let event = columns.first?.type.eventType, columns.count == 1, event.isKind(of: existing) {
        return InsertPlan(selection: selection, target: existing, mapping: [], insertsColumnEvent: true)
      }
    }
    if existing.kind == .variant {
      statement.report("rows of this statement are no member of the variant stream \"\(existing.name)\"", at: target.range)
      return nil
    }
    let isDeclared = scope.declared.contains(target.text) || scope.windows[target.text] != nil || scope.tables[target.text] != nil
    guard isDeclared || fitsExactly(properties, existing, target) else { return nil }
    return fit(properties, to: existing, target, selection)
  }

  private func create(_ target: NameSyntax, _ properties: [EventType.Property], _ selection: StreamSelection) -> InsertPlan {
    let type = EventType(
      name: target.text, kind: .derived, properties: properties.map { .init($0.name, $0.type == .null ? .object("Object") : $0.type) })
    statement.scope.types[target.text] = type
    return InsertPlan(selection: selection, target: type, mapping: Array(properties.indices))
  }

  /// A stream that only inserts have made has one shape.
  private func fitsExactly(_ properties: [EventType.Property], _ type: EventType, _ target: NameSyntax) -> Bool {
    for property in properties {
      guard let index = type.index(of: property.name) else {
        statement.report(
          "the stream \"\(type.name)\" has no column \"\(property.name)\" in the statement that inserts into it first", at: target.range)
        return false
      }
      let wanted = type.properties[index].type
      if wanted != property.type, !property.type.isOpen {
        statement.report(
          "the column \"\(property.name)\" of the stream \"\(type.name)\" is \(wanted.quoted) in the statement that inserts into it first, here \(property.type.quoted)",
          at: target.range)
        return false
      }
    }
    if let missing = type.properties.first(where: { wanted in !properties.contains { $0.name == wanted.name } }) {
      statement.report("the column \"\(missing.name)\" of the stream \"\(type.name)\" is missing here", at: target.range)
      return false
    }
    return true
  }

  private func fit(
    _ properties: [EventType.Property], to type: EventType, _ target: NameSyntax, _ selection: StreamSelection
  ) -> InsertPlan? {
    var mapping: [Int?] = []
    for property in properties {
      guard let index = type.index(of: property.name) else {
        statement.report(
          "\"\(type.name)\" has no property \"\(property.name)\"", at: target.range,
          suggestion: didYouMean(property.name, among: type.properties.map(\.name)))
        return nil
      }
      let wanted = type.properties[index].type
      guard statement.isAssignable(property.type, to: wanted) else {
        statement.report(
          "the property \"\(property.name)\" of \"\(type.name)\" is \(wanted.quoted), the column \(property.type.quoted)", at: target.range)
        return nil
      }
      mapping.append(index)
    }
    return InsertPlan(selection: selection, target: type, mapping: mapping)
  }
}
