internal import Builtins
internal import EventModel
internal import Plan

/// One partition of a context.
final class Partition {
  let properties: Event?
  init(properties: Event?) { self.properties = properties }
}

final class ContextRuntime {
  let plan: ContextPlan
  init(_ plan: ContextPlan, environment: Environment) throws(DeploymentError) {
    self.plan = plan
    throw DeploymentError("contexts cannot be run yet")
  }
}
