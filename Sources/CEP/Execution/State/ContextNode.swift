internal import Builtins
internal import EventModel
internal import Plan

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

  /// Restores a branch, or writes one.
  init(_ context: ContextRuntime, _ branch: ContextBranch?, depth: Int, outer: [Event], _ archive: StateArchive) {
    self.context = context
    var properties = branch?.properties
    archive.event(&properties)
    let own = properties ?? Event.make(context.plan.type, time: 0, [])
    self.properties = own
    guard depth + 1 < context.levels.count else {
      var number = branch?.leaf.flatMap { context.number(of: $0) } ?? -1
      archive.integer(&number)
      inner = nil
      leaf = context.partitions.indices.contains(number) ? context.partitions[number] : nil
      if leaf == nil { archive.fail("a partition of the context that is not there") }
      return
    }
    leaf = nil
    let node = branch?.inner ?? context.levels[depth + 1].node(context, depth: depth + 1, outer: outer + [own])
    inner = node
    node.exchange(archive)
  }

  /// Its partitions, where nothing is kept in any of them; nil where something is.
  var idlePartitions: [Partition]? {
    guard let leaf else { return inner?.idlePartitions }
    return context.isAsNew(leaf) ? [leaf] : nil
  }

  /// All its partitions.
  var partitions: [Partition] { leaf.map { [$0] } ?? inner?.partitions ?? [] }

  func shed(_ share: Double) -> [Partition] { inner?.shed(share) ?? [] }
  func halt() { inner?.halt() }
  func observe(_ event: Event) throws(EvaluationError) { try inner?.observe(event) }
  func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    if let leaf { found.append(leaf) } else { try inner?.collect(event, opening: opening, into: &found) }
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
  /// - Parameter opening: whether a partition may begin with the event.
  func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {}
  func end() throws(EvaluationError) {}
  /// Cancels timers and leaves the partitions alone.
  func halt() {}
  /// Its partitions, where the level is as one that begins now; nil where it is not.
  var idlePartitions: [Partition]? { nil }
  var partitions: [Partition] { [] }
  /// Forgets the branches that began first; what lay in them.
  func shed(_ share: Double) -> [Partition] { [] }

  /// Of branches side by side.
  final func idlePartitions(of branches: [ContextBranch]) -> [Partition]? {
    var all: [Partition] = []
    for branch in branches {
      guard let own = branch.idlePartitions else { return nil }
      all += own
    }
    return all
  }
  func exchange(_ archive: StateArchive) {}

  /// The branches in order.
  final func exchange(_ branches: inout [ContextBranch], _ archive: StateArchive) {
    var items = branches.map(Optional.some)
    archive.array(&items, blank: nil) { $0 = ContextBranch(context, $0, depth: depth, outer: outer, archive) }
    if archive.isRestoring { branches = items.compactMap { $0 } }
  }

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

  /// An event as one of a type that the level tells apart; nil where it is none.
  func seen(_ event: Event, as type: EventType) -> Event? {
    event.type.isKind(of: type) ? context.statement.environment.layouts.view(event, as: type) : nil
  }

  func passes(_ filter: Evaluator?, _ event: Event) throws(EvaluationError) -> Bool {
    guard let filter else { return true }
    frame.events[0] = event
    return try filter(frame).isTrue
  }
}
