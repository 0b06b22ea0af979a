internal import Builtins
internal import EventModel
internal import Plan

/// A partition for each key, or for each of a number of hash values.
final class KeyedNode: ContextNode {
  private var positions: [[Value]: Int] = [:]
  private var branches: [ContextBranch] = []
  private var forgetsAt = 256

  override func start() throws(EvaluationError) {
    guard case .hash(_, let granularity, true) = level.kind else { return }
    // As many as are asked for, within reason: the others come with their events.
    for number in 0..<min(max(try granularity(frame).integer ?? 1, 1), 65_536) { _ = try find([.int(number)], isHash: true) }
  }

  private func find(_ key: [Value], isHash: Bool) throws(EvaluationError) -> ContextBranch {
    if let position = positions[key] { return branches[position] }
    var values: [String: Value] = [:]
    if !isHash { for (index, value) in key.enumerated() { values["key\(index + 1)"] = value } }
    let made = try branch(properties(id: isHash ? key[0].integer : nil, values))
    positions[key] = branches.count
    branches.append(made)
    return made
  }

  private func key(_ event: Event) throws(EvaluationError) -> (key: [Value], isHash: Bool)? {
    switch level.kind {
    case .keyed(let streams):
      for stream in streams {
        guard let event = seen(event, as: stream.type), try passes(stream.filter, event) else { continue }
        frame.events[0] = event
        let key = try evaluateAll(stream.keys, frame)
        return key.contains(where: \.isNull) ? nil : (key, false)
      }
    case .hash(let streams, let granularity, _):
      for stream in streams {
        guard let event = seen(event, as: stream.type), try passes(stream.filter, event) else { continue }
        frame.events[0] = event
        let hash = HashFunctions.hash(try evaluateAll(stream.keys, frame), stream.hashFunction)
        return ([.int(hash % max(try granularity(frame).integer ?? 1, 1))], true)
      }
    default: break
    }
    return nil
  }

  override func observe(_ event: Event) throws(EvaluationError) {
    guard level.divides(event.type) else {
      for branch in branches { try branch.observe(event) }
      return
    }
    guard let (key, isHash) = try key(event) else { return }
    if branches.count >= forgetsAt { forgetIdle() }
    try find(key, isHash: isHash).observe(event)
  }

  override func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    guard level.divides(event.type) else {
      for branch in branches { try branch.collect(event, opening: opening, into: &found) }
      return
    }
    guard let (key, isHash) = try key(event) else { return }
    if !opening, positions[key] == nil { return }
    try find(key, isHash: isHash).collect(event, opening: opening, into: &found)
  }

  /// A key whose partition keeps nothing is as good as one that never came.
  private func forgetIdle() {
    var idle: [Partition] = []
    forget { branch in
      guard let own = branch.idlePartitions else { return false }
      idle += own
      return true
    }
    context.drop(idle)
    forgetsAt = max(256, branches.count * 2)
  }

  private func forget(_ isGone: (ContextBranch) -> Bool) {
    var (kept, keys): ([ContextBranch], [[Value]: Int]) = ([], [:])
    for (key, position) in positions.sorted(by: { $0.value < $1.value }) {
      let branch = branches[position]
      if isGone(branch) {
        branch.halt()
      } else {
        keys[key] = kept.count
        kept.append(branch)
      }
    }
    (positions, branches) = (keys, kept)
  }

  override var idlePartitions: [Partition]? { idlePartitions(of: branches) }
  override var partitions: [Partition] { branches.flatMap(\.partitions) }

  override func shed(_ share: Double) -> [Partition] {
    var left = StatementShare.of(branches.count, share)
    guard case .keyed = level.kind, left > 0 else { return branches.flatMap { $0.shed(share) } }
    var gone: [Partition] = []
    forget { branch in
      if left == 0 { return false }
      left -= 1
      gone += branch.partitions
      return true
    }
    return gone
  }

  override func end() throws(EvaluationError) { for branch in branches { try branch.end() } }
  override func halt() { for branch in branches { branch.halt() } }
  override func exchange(_ archive: StateArchive) {
    archive.note(entries: branches.count, of: 300)
    if archive.isMeasuring { return }
    var keys = positions.sorted { $0.value < $1.value }.map(\.key)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    exchange(&branches, archive)
    if archive.isRestoring {
      if keys.count != branches.count { archive.fail("a context with more keys than partitions") }
      positions = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
  }
}

/// The original's hash functions: which keys share a partition is visible in the answers.
enum HashFunctions {
  static func hash(_ key: [Value], _ function: String?) -> Int64 {
    var bytes: [UInt8] = []
    for value in key { bytes += Array((value.text ?? "").utf8) }
    if function == "consistent_hash_crc32" { return Int64(crc32(bytes)) }
    var hash: Int32 = 0
    for value in key { hash = hash &* 31 &+ javaHash(value) }
    return Int64(hash < 0 ? 0 &- hash : hash)
  }

  private static func javaHash(_ value: Value) -> Int32 {
    switch value {
    case .int(let number): Int32(truncatingIfNeeded: number ^ (number >> 32))
    case .bool(let flag): flag ? 1231 : 1237
    default: (value.text ?? "").utf16.reduce(Int32(0)) { $0 &* 31 &+ Int32($1) }
    }
  }

  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return ~crc
  }
}

/// A partition for each category; an event belongs to all whose condition holds.
final class CategoryNode: ContextNode {
  private var branches: [ContextBranch] = []

  override func start() throws(EvaluationError) {
    guard case .category(_, _, let categories) = level.kind else { return }
    for category in categories { branches.append(try branch(properties(["label": .string(category.label)]))) }
  }

  private func matching(_ event: Event) throws(EvaluationError) -> [ContextBranch] {
    guard case .category(let type, let filter, let categories) = level.kind else { return [] }
    guard let event = seen(event, as: type) else { return branches }
    guard try passes(filter, event) else { return [] }
    var found: [ContextBranch] = []
    for (index, category) in categories.enumerated() where try passes(category.condition, event) { found.append(branches[index]) }
    return found
  }

  override func observe(_ event: Event) throws(EvaluationError) { for branch in try matching(event) { try branch.observe(event) } }
  override func collect(_ event: Event, opening: Bool, into found: inout [Partition]) throws(EvaluationError) {
    for branch in try matching(event) { try branch.collect(event, opening: opening, into: &found) }
  }
  override var idlePartitions: [Partition]? { idlePartitions(of: branches) }
  override var partitions: [Partition] { branches.flatMap(\.partitions) }
  override func shed(_ share: Double) -> [Partition] { branches.flatMap { $0.shed(share) } }
  override func end() throws(EvaluationError) { for branch in branches { try branch.end() } }
  override func halt() { for branch in branches { branch.halt() } }
  override func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return }
    let count = branches.count
    exchange(&branches, archive)
    guard case .category(_, _, let categories) = level.kind, archive.isSaving || branches.count == categories.count || count == 0 else {
      return archive.fail("a context of other categories")
    }
  }
}
