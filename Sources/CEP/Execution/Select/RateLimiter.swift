internal import Builtins
internal import EventModel
internal import Plan

/// `output …`: holds rows back until its condition is met.
final class RateLimiter {
  init(_ plan: OutputRatePlan, _ instance: SelectInstance) throws(EvaluationError) {
    throw EvaluationError("output rates cannot be run yet")
  }
  func start() throws(EvaluationError) {}
  func stop() {}
  func terminate() throws(EvaluationError) {}
  func process(new: [Tuple], old: [Tuple]) throws(EvaluationError) {}
}
