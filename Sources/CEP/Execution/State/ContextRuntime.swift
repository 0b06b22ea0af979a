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
  /// What each statement's instance keeps when it has just begun; nil where it can never be as new.
  private var beginnings: [Int: [UInt8]?] = [:]
  /// While the state is exchanged: each partition's place.
  private var numbers: [ObjectIdentifier: Int] = [:]

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
    if beginnings[user.order] == nil { beginnings[user.order] = .some(StateArchive.likeness { instance.exchange($0) }) }
  }

  /// The partitions that an event belongs to: of a type that the context does not tell apart, all.
  ///
  /// - Parameter model: the type as one of which a named window's row belongs to one; a row begins none.
  func partitions(of event: Event, like model: EventType? = nil) throws(EvaluationError) -> [Partition] {
    var found: [Partition] = []
    let seen = model.map { statement.environment.layouts.view(event, as: $0) } ?? event
    try root?.collect(seen, opening: model == nil, into: &found)
    return found
  }

  /// The partitions and what they began with; the statements in them exchange their own.
  func exchange(_ archive: StateArchive) {
    archive.integer(&nextID)
    var all = partitions.map { Optional($0.properties) }
    archive.array(&all, blank: nil) { archive.event(&$0) }
    if archive.isRestoring {
      for partition in partitions { for (_, instance) in partition.instances { instance.stop() } }
      partitions = all.compactMap { $0.map { Partition(properties: $0) } }
      if let old = root {
        old.halt()
        root = code.levels[0].node(self, depth: 0, outer: [])
      }
    }
    numbers = archive.isSaving ? Dictionary(uniqueKeysWithValues: partitions.enumerated().map { (ObjectIdentifier($1), $0) }) : [:]
    root?.exchange(archive)
    numbers = [:]
  }

  /// A statement's instances, partition by partition.
  func exchange(_ user: StatementRuntime, _ archive: StateArchive) {
    if archive.isMeasuring {
      archive.note(entries: partitions.count, of: ContextRuntime.bytesOfInstance)
      var all = partitions
      return archive.array(&all, blank: Partition(properties: partitions[0].properties)) { $0.instance(of: user)?.exchange(archive) }
    }
    for partition in partitions {
      var isThere = partition.instance(of: user) != nil
      archive.flag(&isThere)
      if archive.isRestoring, isThere, archive.failure == nil, let make = user.makeInstance {
        archive.attempt { () throws(EvaluationError) in partition.instances.append((user.order, try make(partition))) }
      }
      if isThere { partition.instance(of: user)?.exchange(archive) }
    }
  }

  /// After a restart: statements that are new start in the partitions that are there.
  func startMissing() throws(EvaluationError) {
    for partition in partitions { for user in users where partition.instance(of: user) == nil { try start(user, in: partition) } }
  }

  /// About what an instance takes that keeps nothing yet.
  private static let bytesOfInstance = 1600

  /// The number of an open partition while the state is saved; its place among them.
  func number(of partition: Partition) -> Int? { numbers[ObjectIdentifier(partition)] }

  // MARK: Partitions that are not needed

  /// Whether a partition is as one that begins now: nobody could tell if it were not there. Ids tell, where a statement reads them.
  func isAsNew(_ partition: Partition) -> Bool {
    if statement.environment.readsPartitionIDs { return false }
    return partition.instances.allSatisfy { order, instance in
      guard case .some(.some(let beginning)) = beginnings[order] else { return false }
      return StateArchive.likeness { instance.exchange($0) } == beginning
    }
  }

  /// Ends partitions without a row.
  func drop(_ partitions: [Partition]) {
    if partitions.isEmpty { return }
    let gone = Set(partitions.map(ObjectIdentifier.init))
    self.partitions.removeAll { gone.contains(ObjectIdentifier($0)) }
    for partition in partitions {
      for (_, instance) in partition.instances { instance.stop() }
      partition.instances.removeAll()
    }
  }

  /// Gives up partitions, those first that began first.
  func shed(_ share: Double) -> Int {
    let oldest = root?.shed(share) ?? []
    drop(oldest)
    return oldest.count
  }

  var levels: [ContextLevelCode] { code.levels }

  func takeID() -> Int64 {
    defer { nextID &+= 1 }
    return nextID
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
