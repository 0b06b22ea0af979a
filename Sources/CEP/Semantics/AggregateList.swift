import Plan

/// The aggregates of a statement or subquery; equal ones are one.
final class AggregateList {
  private(set) var plans: [AggregatePlan] = []
  /// Whether an aggregate is being bound: none may stand in another.
  var isInside = false

  func add(_ plan: AggregatePlan) -> Expression {
    if let index = plans.firstIndex(of: plan) { return Expression(.aggregate(index), plan.type) }
    plans.append(plan)
    return Expression(.aggregate(plans.count - 1), plan.type)
  }
}
