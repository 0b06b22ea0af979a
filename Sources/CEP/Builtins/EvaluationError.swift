/// An expression that cannot be evaluated for one event: that event fails, the flow goes on.
public struct EvaluationError: Error, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
