internal import Builtins
internal import EventModel
internal import Plan

final class MatchRecognizeCode {
  init(_ plan: MatchRecognizePlan, context: EventType?, environment: Environment) throws(DeploymentError) {
    throw DeploymentError("match_recognize cannot be run yet")
  }
}

final class MatchRecognizer {
  init(_ code: MatchRecognizeCode, _ statement: StatementRuntime, _ frame: Frame, _ receiver: Receiver, hasWindow: Bool) {}
  func receive(new: [Event], old: [Event]) throws(EvaluationError) {}
  func stop() {}
  var contents: [Event] { [] }
}
