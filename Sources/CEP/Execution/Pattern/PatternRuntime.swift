internal import Builtins
internal import EventModel
internal import Plan

final class PatternCode {
  let inputTypes: [EventType] = []
  init(_ plan: PatternPlan, context: EventType?, environment: Environment) throws(DeploymentError) {
    throw DeploymentError("patterns cannot be run yet")
  }
}

final class PatternRuntime {
  init(_ code: PatternCode, _ statement: StatementRuntime, _ frame: Frame, _ onMatch: @escaping (Event) throws(EvaluationError) -> Void) {}
  func start() throws(EvaluationError) {}
  func stop() {}
  func accept(_ event: Event) throws(EvaluationError) {}
}
