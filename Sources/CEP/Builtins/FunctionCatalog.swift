/// The functions and aggregates that an engine knows: those of the language, and those of libraries.
public struct FunctionCatalog: Sendable {
  public private(set) var functions: [String: ScalarFunction]
  public private(set) var aggregates: [String: AggregateFunction]

  /// Those of the language.
  public static let builtIn = FunctionCatalog()

  private init() {
    functions = Builtins.functions
    aggregates = Builtins.aggregates
    for function in Builtins.aggregateList { add(function) }
  }

  /// Whether something has that name already; names of aggregates are one in capitals and small letters.
  public func knows(_ name: String) -> Bool {
    functions[name] != nil || aggregates[name] != nil || aggregates[name.lowercased()] != nil
  }

  public mutating func add(_ function: ScalarFunction) { functions[function.name] = function }

  public mutating func add(_ function: AggregateFunction) {
    aggregates[function.name] = function
    aggregates[function.name.lowercased()] = function
  }
}
