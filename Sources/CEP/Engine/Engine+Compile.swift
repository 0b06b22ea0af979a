internal import Builtins
internal import Diagnostics
internal import EventModel
internal import Execution
internal import Plan
internal import Semantics
internal import Syntax

extension Engine {
  static func compile(
    _ module: EngineModule, _ predeclared: [EventType], _ catalog: FunctionCatalog, _ diagnostics: inout DiagnosticList
  ) -> ModuleBinding {
    let source = SourceText(name: module.name, text: module.text)
    let (syntax, mistakes) = parseModule(source)
    let binding = bindModule(syntax, predeclared: predeclared, catalog: catalog)
    var all = DiagnosticList()
    all.add(contentsOf: mistakes)
    all.add(contentsOf: binding.diagnostics)
    for diagnostic in all.sorted { diagnostics.add(diagnostic) }
    return binding
  }

  static func describe(_ plans: [ModulePlan], _ modules: [EngineModule]) -> [StatementInfo] {
    var infos: [StatementInfo] = []
    for (plan, module) in zip(plans, modules) {
      let read = readTypes(plan)
      for statement in plan.statements {
        let (rowType, target) = statement.rows(among: plan)
        infos.append(
          StatementInfo(
            number: infos.count, name: statement.name, label: statement.name, isNamed: statement.isNamed, module: plan.name ?? module.name,
            line: statement.line, rowType: rowType, insertsInto: target?.name,
            isReadByOthers: target.map { read.contains(ObjectIdentifier($0)) } ?? false,
            annotations: statement.annotations.flatMap { annotation in
              annotation.attributes.map { (annotation.name, $0.name, $0.value) }
            }))
      }
    }
    label(&infos)
    return infos
  }

  private static func label(_ infos: inout [StatementInfo]) {
    let uses = Dictionary(infos.map { ($0.name, 1) }, uniquingKeysWith: +)
    var taken = Set(infos.filter { uses[$0.name] == 1 }.map(\.name))
    for index in infos.indices where uses[infos[index].name] ?? 0 > 1 {
      let module = infos[index].module.split(separator: "/").last.map(String.init) ?? infos[index].module
      var label = "\(module)/\(infos[index].name)"
      // Modules of one name in two folders, statements of one name in a module.
      var number = 2
      while !taken.insert(label).inserted {
        label = "\(module)/\(infos[index].name) (\(number))"
        number += 1
      }
      infos[index].label = label
    }
  }

  /// The types that some statement of a module reads.
  private static func readTypes(_ plan: ModulePlan) -> Set<ObjectIdentifier> {
    var read = Set<ObjectIdentifier>()
    func note(_ source: SourcePlan) {
      switch source.kind {
      case .stream(let type, _): read.insert(ObjectIdentifier(type))
      case .pattern(let pattern): for type in pattern.root.types { read.insert(ObjectIdentifier(type)) }
      case .window, .table: read.insert(ObjectIdentifier(source.matchRecognize?.inputType ?? source.type))
      }
    }
    for statement in plan.statements {
      for subquery in statement.subqueries { note(subquery.source) }
      switch statement.kind {
      case .select(let select): select.sources.forEach(note)
      case .on(let on): note(on.trigger)
      case .createWindow(let window): read.insert(ObjectIdentifier(window.type))
      default: break
      }
    }
    return read
  }

  static func inputs(_ plans: [ModulePlan], _ use: PropertyUse, _ runtime: Runtime, countsAll: Bool) -> [EngineInput] {
    inputTypes(plans).map { type in
      EngineInput(
        name: type.name, type: type, properties: propertiesRead(of: type, use).sorted(),
        decidingProperties: runtime.decidingProperties(of: type, countsAll: countsAll))
    }
  }

  static func inputTypes(_ plans: [ModulePlan]) -> [EventType] {
    var types: [EventType] = []
    for type in plans.flatMap(\.inputTypes) where !types.contains(where: { $0 === type }) { types.append(type) }
    return types
  }

  /// The properties of a type's events that statements read, also through a supertype or a variant.
  static func propertiesRead(of type: EventType, _ use: PropertyUse) -> Set<Int> {
    var properties = use.properties[type] ?? []
    for (other, read) in use.properties where other !== type && type.isKind(of: other) {
      // Of one taken whole any property may be asked for.
      if use.isWhole(other) { properties.formUnion(type.properties.indices) }
      properties.formUnion(read.compactMap { type.index(of: other.properties[$0].name) })
    }
    return properties
  }
}

extension StatementPlan {
  /// The type of the rows that it gives, and the stream that they are inserted into.
  func rows(among module: ModulePlan) -> (type: EventType?, target: EventType?) {
    switch kind {
    case .select(let select): (select.outputType, select.insertInto?.target)
    case .on(let on):
      switch on.action {
      case .select(let select, _, _): (select.outputType, select.insertInto?.target)
      case .delete(let window, _), .update(let window, _, _), .merge(let window, _, _): (module.rowType(of: window), nil)
      case .set(let assignments): (EventType(name: name, kind: .derived, properties: assignments.compactMap(\.variable)), nil)
      case .split: (on.trigger.type, nil)
      }
    case .createWindow(let window): (window.type, nil)
    case .createTable(let table): (table.type, nil)
    default: (nil, nil)
    }
  }
}

extension ModulePlan {
  /// The type of a window's or table's rows.
  func rowType(of name: String) -> EventType? {
    for statement in statements {
      switch statement.kind {
      case .createWindow(let window) where window.name == name: return window.type
      case .createTable(let table) where table.name == name: return table.type
      default: break
      }
    }
    return nil
  }
}

extension Assignment {
  /// The variable that is set, as a column.
  var variable: EventType.Property? {
    if case .variable(let name) = target { .init(name, value.type) } else { nil }
  }
}

extension PatternNode {
  /// The types of the events that it waits for.
  var types: [EventType] {
    switch self {
    case .filter(let type, _, _, _): [type]
    case .every(let inner), .not(let inner), .everyDistinct(let inner, _, _), .within(let inner, _), .withinMax(let inner, _, _),
      .whileTrue(let inner, _):
      inner.types
    case .followedBy(let parts, _), .and(let parts), .or(let parts): parts.flatMap(\.types)
    case .repeated(let inner, _, _, let until, _): inner.types + (until?.types ?? [])
    case .interval, .at, .schedule: []
    }
  }
}
