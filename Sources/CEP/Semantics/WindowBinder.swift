import Builtins
import Diagnostics
import EventModel
import Plan
import Syntax

/// CREATE WINDOW, CREATE TABLE, CREATE INDEX.
extension StatementBinder {
  private func isTaken(_ name: NameSyntax) -> Bool {
    guard scope.windows[name.text] != nil || scope.tables[name.text] != nil || scope.declared.contains(name.text) else { return false }
    if scope.predeclared.contains(name.text) { return false }
    report("the name \"\(name.text)\" is declared already", at: name.range)
    return true
  }

  func bindWindow(_ syntax: CreateWindowSyntax) -> NamedWindowPlan? {
    if isTaken(syntax.name) { return nil }
    guard let properties = windowProperties(syntax) else { return nil }
    let type = EventType(name: syntax.name.text, kind: .derived, properties: properties)
    let binder = ViewBinder(self, type: type, name: syntax.name.text)
    let views = syntax.views.compactMap(binder.bind)
    guard views.count == syntax.views.count else { return nil }
    if views.isEmpty {
      report("a named window needs a data window", at: syntax.name.range, suggestion: "\(syntax.name.text)#keepall()")
      return nil
    }
    var plan = NamedWindowPlan(
      name: syntax.name.text, type: type, views: views, combination: combination(views, syntax.retain, at: syntax.name.range),
      context: self.syntax.context?.text)
    plan.model = partitionModel(syntax)
    if syntax.insertFrom, let model = syntax.model {
      guard scope.windows[model.text] != nil else {
        reportUnknown("named window", model, among: scope.windows.keys.sorted())
        return nil
      }
      checkStore(model)
      plan.fillFrom = model.text
      plan.fillFilter = syntax.insertWhere.map { condition in
        var names = NameScope()
        names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: model.text, type: type)]
        return ExpressionBinder(self, names: names, clause: "the WHERE clause").condition(condition)
      }
    }
    scope.windows[syntax.name.text] = plan
    scope.types[syntax.name.text] = type
    return plan
  }

  /// The type that says to which partition of the window's context a row belongs.
  private func partitionModel(_ syntax: CreateWindowSyntax) -> EventType? {
    guard let name = self.syntax.context, let context = scope.contexts[name.text] else { return nil }
    guard let model = syntax.model else {
      if let level = context.levels.first(where: \.dividesByKey), let first = level.dividedTypes.first {
        report(
          "the rows' partitions are not known: the context \"\(name.text)\" divides \"\(first.name)\"", at: syntax.name.range,
          suggestion: "declare the window like it: as \(first.name)")
      }
      return nil
    }
    guard let type = scope.types[model.text] else { return nil }
    for level in context.levels where !level.dividedTypes.isEmpty && !level.dividedTypes.contains(where: { type.isKind(of: $0) }) {
      reportUndivided(model.text, by: level.name, level.dividedTypes, at: model.range)
      return nil
    }
    return type
  }

  private func windowProperties(_ syntax: CreateWindowSyntax) -> [EventType.Property]? {
    guard let model = syntax.model else { return columnProperties(syntax.columns) }
    guard let type = eventType(model) else { return nil }
    if syntax.modelSelection.isEmpty { return type.properties }
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: model.text, type: type)]
    let columns = ColumnBinder(ExpressionBinder(self, names: names, clause: "the SELECT clause")).bind(syntax.modelSelection)
    if columns.columns.contains(where: { $0.type.isFaulty }) { return nil }
    return columns.columns.map { .init($0.name, $0.type) }
  }

  private func columnProperties(_ columns: [ColumnSyntax]) -> [EventType.Property]? {
    var properties: [EventType.Property] = []
    for column in columns {
      guard case .type(let name) = column.type else {
        report("only a table's column can be an aggregate", at: column.name.range)
        return nil
      }
      guard let type = type(name) else { return nil }
      if properties.contains(where: { $0.name == column.name.text }) {
        report("the column \"\(column.name.text)\" stands twice", at: column.name.range)
        return nil
      }
      properties.append(.init(column.name.text, type))
    }
    return properties
  }

  // MARK: tables

  func bindTable(_ syntax: CreateTableSyntax) -> TablePlan? {
    if isTaken(syntax.name) { return nil }
    var properties: [EventType.Property] = []
    var columns: [TablePlan.Column] = []
    for column in syntax.columns {
      switch column.type {
      case .type(let name):
        guard let type = type(name) else { return nil }
        properties.append(.init(column.name.text, type))
        columns.append(TablePlan.Column(isKey: column.isPrimaryKey, aggregate: nil))
      case .aggregate(let expression):
        guard let aggregate = tableAggregate(expression, column.annotations) else { return nil }
        properties.append(.init(column.name.text, aggregate.type))
        columns.append(TablePlan.Column(isKey: false, aggregate: aggregate))
      }
    }
    let type = EventType(name: syntax.name.text, kind: .derived, properties: properties)
    let plan = TablePlan(name: syntax.name.text, type: type, columns: columns, context: self.syntax.context?.text)
    scope.tables[syntax.name.text] = plan
    scope.declared.insert(syntax.name.text)
    return plan
  }

  /// `count(*)`, `sum(int)`: the argument is a type.
  private func tableAggregate(_ syntax: ExpressionSyntax, _ annotations: [AnnotationSyntax]) -> AggregatePlan? {
    guard case .chain(nil, let links) = syntax.kind, links.count == 1, let call = links[0].call,
      let function = scope.aggregateName(links[0].name.text).flatMap({ scope.catalog.aggregates[$0] })
    else {
      report("a table's column is a type or an aggregate over types", at: syntax.range, suggestion: "count(*), sum(int)")
      return nil
    }
    // `window(*) @type(E)`: the aggregate is over events of that type.
    if let written = annotations.first(where: { $0.name.text.lowercased() == "type" }) {
      guard let value = written.arguments.first?.value, case .name(let name) = value, let type = eventType(name) else {
        if written.arguments.isEmpty { report("@type names an event type", at: written.range, suggestion: "@type(E)") }
        return nil
      }
      let types: [ValueType] = [.event(type)]
      guard let result = function.resultType(types) else { return nil }
      return AggregatePlan(function.name, arguments: [Expression(.constant(.null), types[0])], type: result)
    }
    var arguments: [Expression] = []
    for argument in call.arguments {
      if case .wildcard = argument.value.kind { continue }
      guard case .chain(nil, let names) = argument.value.kind, names.allSatisfy({ $0.call == nil }) else {
        report("an aggregate of a table is over a type", at: argument.value.range)
        return nil
      }
      let written = TypeNameSyntax(
        name: names.map(\.name.text).joined(separator: "."), dimensions: 0, isPrimitiveArray: false, range: argument.value.range)
      guard let type = type(written) else { return nil }
      arguments.append(Expression(.constant(.null), type))
    }
    guard let type = function.resultType(arguments.map(\.type)) else {
      report("\"\(function.name)\" does not take \(arguments.first?.type.quoted ?? "no argument")", at: syntax.range)
      return nil
    }
    return AggregatePlan(function.name, arguments: arguments, isDistinct: call.distinct, type: type)
  }

  /// An index changes no answer: its columns are checked, and nothing is planned.
  func bindIndex(_ syntax: CreateIndexSyntax) -> StatementPlan.Kind? {
    guard let type = scope.windows[syntax.target.text]?.type ?? scope.tables[syntax.target.text]?.type else {
      reportUnknown("named window or table", syntax.target, among: (Array(scope.windows.keys) + Array(scope.tables.keys)).sorted())
      return nil
    }
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: nil, typeName: syntax.target.text, type: type)]
    let binder = ExpressionBinder(self, names: names, clause: "an index")
    return syntax.columns.map({ binder.bind($0.expression) }).contains { $0.type.isFaulty } ? nil : .createExpression
  }
}
