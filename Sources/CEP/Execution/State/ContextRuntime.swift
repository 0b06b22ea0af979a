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
  private var indices: [PartitionIndex] = []
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

  /// An index of the partitions, where events begin them and they overlap; nil elsewhere, where they are found or few.
  func index(_ lookup: RowLookup) throws(EvaluationError) -> PartitionIndex? {
    guard code.levels.count == 1, case .timed(_, _, _, overlaps: true, _) = code.levels[0].kind else { return nil }
    let index = PartitionIndex(lookup, statement.runtime.clock)
    for partition in partitions { try index.insert(partition) }
    indices.append(index)
    return index
  }

  /// The partitions and what they began with; the statements in them exchange their own.
  func exchange(_ archive: StateArchive) {
    archive.integer(&nextID)
    var all = partitions.map { Optional($0.properties) }
    archive.array(&all, blank: nil) { archive.event(&$0) }
    if archive.isRestoring {
      for partition in partitions { for (_, instance) in partition.instances { instance.stop() } }
      partitions = all.compactMap { $0.map { Partition(properties: $0) } }
      for index in indices {
        index.removeAll()
        archive.attempt { () throws(EvaluationError) in for partition in partitions { try index.insert(partition) } }
      }
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
      for index in indices { try? index.remove(partition) }
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
    for index in indices { try index.insert(partition) }
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
    for index in indices { try index.remove(partition) }
    for (_, instance) in partition.instances {
      try instance.terminate()
      instance.stop()
    }
    partition.instances.removeAll()
  }
}
