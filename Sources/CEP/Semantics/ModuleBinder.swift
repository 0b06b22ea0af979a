public import Builtins
public import Diagnostics
public import EventModel
public import Plan
public import Syntax

/// A bound module: the plan holds the statements without mistakes, in order.
public struct ModuleBinding: Sendable {
  public var plan: ModulePlan
  /// What the module declares, for on-demand queries and for `set`.
  public var scope: ModuleScope
  /// All mistakes and warnings, in the order of their places.
  public var diagnostics: DiagnosticList
}

/// Binds a module: names to types, columns and variables; every mistake with its place.
///
/// - Parameters:
///   - predeclared: types that the embedding program offers (`IPFIX`).
///   - catalog: the functions and aggregates that there are.
public func bindModule(_ module: ModuleSyntax, predeclared: [EventType] = [], catalog: FunctionCatalog = .builtIn) -> ModuleBinding {
  var scope = ModuleScope(predeclared: predeclared, catalog: catalog)
  var diagnostics = DiagnosticList()
  var statements: [StatementPlan] = []
  var names: Set<String> = []
  var stores = StoreBounds()
  for (index, syntax) in module.statements.enumerated() {
    let binder = StatementBinder(syntax, source: module.source, scope: scope)
    guard syntax.isComplete else {
      scope.failed.formUnion(syntax.declaredNames)
      continue
    }
    let plan = binder.statement(number: index + 1, taken: names)
    diagnostics.add(contentsOf: binder.diagnostics)
    scope = binder.scope
    if let plan, !binder.diagnostics.hasErrors {
      names.insert(plan.name)
      statements.append(plan)
      stores.note(syntax, plan, module.source, contextEnds: binder.contextEnds)
    } else {
      scope.failed.formUnion(syntax.declaredNames)
    }
  }
  // What empties a window may be what has a mistake.
  if !diagnostics.hasErrors { for finding in stores.findings { diagnostics.add(finding) } }
  let inputs = scope.inputTypes + predeclared.filter { type in !scope.inputTypes.contains { $0.name == type.name } }
  let plan = ModulePlan(name: module.name?.text, statements: statements, inputTypes: inputs)
  var sorted = DiagnosticList()
  for diagnostic in diagnostics.sorted { sorted.add(diagnostic) }
  return ModuleBinding(plan: plan, scope: scope, diagnostics: sorted)
}

extension StatementSyntax {
  /// What the statement would declare, were it without mistakes.
  var declaredNames: [String] {
    switch body {
    case .createSchema(let schema): [schema.name.text]
    case .createVariable(let variable): [variable.name.text]
    case .createExpression(let expression): [expression.name.text]
    case .createList(let list): [list.name.text]
    case .createWindow(let window): [window.name.text]
    case .createTable(let table): [table.name.text]
    case .createContext(let context): [context.name.text]
    case .select(let select): select.insertInto.map { [$0.target.text] } ?? []
    case .on(let on):
      switch on.action {
      case .select(let select): select.query.insertInto.map { [$0.target.text] } ?? []
      case .split(let branches, _): branches.map(\.insertInto.target.text)
      case .merge(let merge):
        merge.branches.flatMap { branch in
          branch.actions.compactMap { action in if case .insert(let insert) = action { insert.into?.text } else { nil } }
        }
      default: []
      }
    default: []
    }
  }
}
