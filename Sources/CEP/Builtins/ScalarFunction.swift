public import EventModel

/// A row of the catalog of functions.
public struct ScalarFunction: Sendable {
  public let name: String
  /// How many arguments it takes.
  public let arity: ClosedRange<Int>
  /// One line for the reference.
  public let help: String
  /// The result's type for the arguments' types; nil where they do not fit.
  public let resultType: @Sendable ([ValueType]) -> ValueType?
  public let evaluate: @Sendable ([Value]) throws(EvaluationError) -> Value

  public init(
    _ name: String, arity: ClosedRange<Int>, help: String, resultType: @escaping @Sendable ([ValueType]) -> ValueType?,
    evaluate: @escaping @Sendable ([Value]) throws(EvaluationError) -> Value
  ) {
    self.name = name
    self.arity = arity
    self.help = help
    self.resultType = resultType
    self.evaluate = evaluate
  }
}

extension Builtins {
  /// Methods on values are functions whose first argument is the target, named `.method`: `k.length()` calls `.length`.
  public static let functionList: [ScalarFunction] =
    numberFunctions + textFunctions + timeFunctions + addressFunctions + javaFunctions + DateFormat.functions
  public static let functions: [String: ScalarFunction] = Dictionary(
    functionList.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// The catalogs: what names EPL knows without declaring them.
public enum Builtins {}
