internal import Builtins
internal import EventModel
internal import Plan

/// One partition of a context, with an instance of each statement that runs under it.
final class Partition {
  let properties: Event
  fileprivate(set) var instances: [(order: Int, instance: StatementInstance)] = []

  init(properties: Event) { self.properties = properties }

  func instance(of statement: StatementRuntime) -> StatementInstance? { instances.first { $0.order == statement.order }?.instance }
}

/// A context at work: which partitions there are, and which of them an event belongs to.
final class ContextRuntime {
  let plan: ContextPlan
  let statement: StatementRuntime
  private let code: ContextCode
  private var users: [StatementRuntime] = []
  private var root: ContextNode?
  private(set) var partitions: [Partition] = []
  private var nextID: Int64 = 0

  init(_ plan: ContextPlan, _ statement: StatementRuntime) throws(DeploymentError) {
    self.plan = plan
    self.statement = statement
    code = try ContextCode(plan, statement.environment)
  }

  /// Starts with the first statement that uses it, as the original does: a partition begins only where something runs in it.
  func add(_ user: StatementRuntime) throws(EvaluationError) {
    users.append(user)
    if root == nil {
      let root = code.levels[0].node(self, depth: 0, outer: [])
      self.root = root
      for type in code.types {
        statement.runtime.stream(of: type).add(
          Consumer(statement: statement, rank: 0) { [unowned self] event throws(EvaluationError) in try self.root?.observe(event) })
      }
      try root.start()
    } else {
      for partition in partitions { try start(user, in: partition) }
    }
  }

  private func start(_ user: StatementRuntime, in partition: Partition) throws(EvaluationError) {
    guard let make = user.makeInstance else { return }
    let instance = try make(partition)
    partition.instances.append((user.order, instance))
    try instance.start()
  }

  /// The partitions that an event belongs to.
  func partitions(of event: Event) throws(EvaluationError) -> [Partition] {
    var found: [Partition] = []
    try root?.collect(event, into: &found)
    return found
  }

  var levels: [ContextLevelCode] { code.levels }

  func takeID() -> Int64 {
    nextID += 1
    return nextID - 1
  }

  /// Opens a partition whose levels have these properties.
  func open(_ levels: [Event]) throws(EvaluationError) -> Partition {
    let partition = Partition(properties: properties(levels))
    partitions.append(partition)
    for user in users { try start(user, in: partition) }
    return partition
  }

  /// A nested context's properties are its levels', each under its name.
  private func properties(_ levels: [Event]) -> Event {
    if code.levels.count == 1 { return levels[0] }
    let type = plan.type
    let id = takeID()
    return Event.make(type, time: statement.runtime.now, count: type.properties.count) { index in
      let name = type.properties[index].name
      if name == "name" { return .string(plan.name) }
      if name == "id" { return .int(id) }
      return code.levels.firstIndex { $0.plan.name == name }.map { .event(levels[$0]) } ?? .null
    }
  }

  func close(_ partition: Partition) throws(EvaluationError) {
    guard let index = partitions.firstIndex(where: { $0 === partition }) else { return }
    partitions.remove(at: index)
    for (_, instance) in partition.instances {
      try instance.terminate()
      instance.stop()
    }
    partition.instances.removeAll()
  }
}

/// One partition of one level: a partition of the context, or on an outer level what lies within it.
final class ContextBranch {
  let properties: Event
  private let leaf: Partition?
  private let inner: ContextNode?
  private unowned let context: ContextRuntime

  init(_ context: ContextRuntime, _ properties: Event, depth: Int, outer: [Event]) throws(EvaluationError) {
    self.context = context
    self.properties = properties
    let levels = outer + [properties]
    if depth + 1 < context.levels.count {
      leaf = nil
      let node = context.levels[depth + 1].node(context, depth: depth + 1, outer: levels)
      inner = node
      try node.start()
    } else {
      inner = nil
      leaf = try context.open(levels)
    }
  }

  func observe(_ event: Event) throws(EvaluationError) { try inner?.observe(event) }
  func collect(_ event: Event, into found: inout [Partition]) throws(EvaluationError) {
    if let leaf { found.append(leaf) } else { try inner?.collect(event, into: &found) }
  }
  func end() throws(EvaluationError) {
    if let leaf { try context.close(leaf) } else { try inner?.end() }
  }
}

/// One level of a context at work.
class ContextNode {
  unowned let context: ContextRuntime
  let level: ContextLevelCode
  let depth: Int
  let outer: [Event]
  let frame: Frame

  init(_ context: ContextRuntime, _ level: ContextLevelCode, depth: Int, outer: [Event]) {
    self.context = context
    self.level = level
    self.depth = depth
    self.outer = outer
    frame = Frame(streams: 1, clock: context.statement.runtime.clock)
  }

  func start() throws(EvaluationError) {}
  func observe(_ event: Event) throws(EvaluationError) {}
  func collect(_ event: Event, into found: inout [Partition]) throws(EvaluationError) {}
  func end() throws(EvaluationError) {}

  func branch(_ properties: Event) throws(EvaluationError) -> ContextBranch {
    try ContextBranch(context, properties, depth: depth, outer: outer)
  }

  /// The level's properties; those that are not named are null.
  func properties(id: Int64? = nil, _ values: [String: Value]) -> Event {
    let type = level.plan.type
    let number = id ?? context.takeID()
    return Event.make(type, time: frame.clock.now, count: type.properties.count) { index in
      let name = type.properties[index].name
      if let value = values[name] { return value }
      return name == "name" ? .string(level.plan.name) : name == "id" ? .int(number) : .null
    }
  }

  func passes(_ filter: Evaluator?, _ event: Event) throws(EvaluationError) -> Bool {
    guard let filter else { return true }
    frame.events[0] = event
    return try filter(frame).isTrue
  }
}
