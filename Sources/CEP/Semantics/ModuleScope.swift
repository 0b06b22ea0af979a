public import Builtins
public import EventModel
public import Plan
import Syntax

/// What the statements of a module have declared so far, and what the embedding program gave it.
public struct ModuleScope: Sendable {
  public internal(set) var types: [String: EventType] = [:]
  public internal(set) var variables: [String: VariablePlan] = [:]
  public internal(set) var windows: [String: NamedWindowPlan] = [:]
  public internal(set) var tables: [String: TablePlan] = [:]
  public internal(set) var contexts: [String: ContextPlan] = [:]
  var lists: [String: MemberList] = [:]
  /// The functions and aggregates that there are.
  let catalog: FunctionCatalog
  /// `create expression`, by name.
  var expressions: [String: ExpressionDeclarationSyntax] = [:]
  /// Types that a CREATE declared, into which rows with fewer columns may be inserted.
  var declared: Set<String> = []
  /// Types whose events can be sent, in order of declaration.
  var inputTypes: [EventType] = []
  /// Names that a faulty statement would have declared: what refers to them is not reported again.
  var failed: Set<String> = []

  /// - Parameter predeclared: types that every module sees; one that a module declares under the same name hides it.
  public init(predeclared: [EventType], catalog: FunctionCatalog = .builtIn) {
    self.catalog = catalog
    for type in predeclared {
      types[type.name] = type
      declared.insert(type.name)
    }
    self.predeclared = Set(predeclared.map(\.name))
  }

  var predeclared: Set<String>

  /// Every name that can stand in a FROM clause.
  var streamNames: [String] { types.keys.sorted() + tables.keys.sorted() }

  /// An aggregate's name in the catalog's spelling, whatever the case that it is written in.
  func aggregateName(_ name: String) -> String? {
    let lowered = name.lowercased()
    return catalog.aggregates[lowered] != nil ? lowered : catalog.aggregates.keys.first { $0.lowercased() == lowered }
  }
}
