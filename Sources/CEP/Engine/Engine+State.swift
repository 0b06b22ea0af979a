internal import Builtins
internal import EventModel
internal import EventTime
internal import Execution
internal import Plan

/// Why a state could not be saved or restored.
public struct StateError: Error, Sendable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// What became of a saved state.
public struct RestoredState: Sendable {
  /// What the embedder said of its place in the input when it saved.
  public var position: [(name: String, value: Int64)] = []
  /// Statements that go on with what they had.
  public var restored: [StatementInfo] = []
  /// Statements that keep state and start empty, since they are new or have changed.
  public var empty: [StatementInfo] = []
  /// How many statements of the file are there no longer.
  public var gone = 0
}

/// The engine's state as bytes, between two batches.
///
///     magic · version · clock mode · position · clock · held events · types and events · statements · checksum
///
/// Each statement's part stands by itself under the statement's fingerprint: where that has changed, the part is left out, and the others
/// are restored.
extension Engine {
  /// Raised when what is written changes its form; a file of another version is refused.
  public static let stateVersion: UInt64 = 4
  private static let magic: [UInt8] = Array("flowcep state\n".utf8)

  /// Statements whose state cannot be saved, with the reason.
  public var unsavable: [(statement: StatementInfo, reason: String)] {
    statements.compactMap { statement in
      let (pool, _) = makePool()
      defer { pool.close() }
      let archive = StateArchive.saving(pool)
      runtime.exchange(statement: statement.number, archive)
      for aggregate in aggregates(of: statement) where archive.failure == nil {
        guard let function = options.catalog.aggregates[aggregate.function] else { continue }
        function.make(aggregate.arguments.map(\.type), aggregate.order.map(\.descending)).exchange(archive)
        if archive.failure != nil { return (statement, "the state of the aggregate \"\(function.name)\" cannot be saved") }
      }
      return (archive.failure ?? pool.failure).map { (statement, $0) }
    }
  }

  private func aggregates(of statement: StatementInfo) -> [AggregatePlan] {
    let plan = plans.flatMap(\.statements)[statement.number]
    if case .select(let select) = plan.kind { return select.aggregates }
    return []
  }

  private func makePool() -> (pool: EventPool, names: StateNames) {
    let names = stateNames
    let pool = EventPool(
      EventPool.Types(
        key: { names.key(of: $0) }, type: { names.type($0) }, slots: { [unowned self] in runtime.slotProperties(of: $0) }))
    return (pool, names)
  }

  // MARK: Saving

  /// The state of all statements, of the clock, and of the events that it holds.
  ///
  /// - Parameter position: what is to be told when the state is restored, such as how many records had been taken.
  public func saveState(position: [(name: String, value: Int64)] = []) throws(StateError) -> [UInt8] {
    let (pool, names) = makePool()
    defer { pool.close() }
    var parts: [[UInt8]] = []
    for statement in statements {
      let archive = StateArchive.saving(pool)
      runtime.exchange(statement: statement.number, archive)
      if let failure = archive.failure { throw StateError("statement \(statement.name): \(failure)") }
      parts.append(archive.bytes)
    }
    let clock = StateArchive.saving(pool)
    exchangeClock(clock)
    let file = StateArchive.saving(pool)
    var header = StateHeader(mode: options.clock.rawValue, position: position)
    header.exchange(file)
    var bytes = clock.bytes
    pool.save(file)
    file.octets(&bytes)
    var sections = zip(names.statements, parts).map { StateSection(module: $0.module, digest: $0.digest, bytes: $1) }
    file.array(&sections, blank: StateSection()) { $0.exchange(file) }
    if let failure = file.failure ?? clock.failure ?? pool.failure { throw StateError(failure) }
    var result = Engine.magic + file.bytes
    let checksum = Engine.checksum(result[...])
    for shift in 0..<8 { result.append(UInt8(truncatingIfNeeded: checksum >> UInt64(8 * shift))) }
    return result
  }

  private func exchangeClock(_ archive: StateArchive) {
    runtime.exchangeClock(archive)
    watermark?.exchange(archive)
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBufferPointer { bytes in
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      return hash
    }
  }

  // MARK: Restoring

  /// Takes up a saved state: before the first event. After an error the engine is of no use any more.
  public func restoreState(_ bytes: [UInt8]) throws(StateError) -> RestoredState {
    let body = try Engine.body(of: bytes)
    let (pool, names) = makePool()
    defer { pool.close() }
    let file = StateArchive.restoring(bytes, body, pool)
    var header = StateHeader(mode: "", position: [])
    header.exchange(file)
    if file.failure == nil, header.version != Engine.stateVersion {
      throw StateError("it is of format version \(header.version), this program reads version \(Engine.stateVersion)")
    }
    if file.failure == nil, header.mode != options.clock.rawValue {
      throw StateError("it was saved in clock mode \(header.mode), and the mode is now \(options.clock.rawValue)")
    }
    pool.restore(file)
    var clock: [UInt8] = []
    file.octets(&clock)
    var sections: [StateSection] = []
    file.array(&sections, blank: StateSection()) { $0.exchange(file) }
    if let failure = file.failure { throw StateError(failure) }
    let archive = StateArchive.restoring(clock, 0..<clock.count, pool)
    runtime.exchangeClock(archive)
    var result = try restore(sections, names, pool)
    result.position = header.position
    do throws(EvaluationError) { try runtime.finishRestoring() } catch { throw StateError(error.description) }
    watermark?.exchange(archive)
    noteClock()
    hasBegun = runtime.hasStarted
    if let failure = archive.failure { throw StateError(failure) }
    return result
  }

  private static func body(of bytes: [UInt8]) throws(StateError) -> Range<Int> {
    guard bytes.starts(with: magic) else { throw StateError("it is no state of FlowCEP") }
    guard bytes.count >= magic.count + 8 else { throw StateError("it is cut off") }
    let end = bytes.count - 8
    let stored = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[end + $1]) << UInt64(8 * $1) }
    guard checksum(bytes[..<end]) == stored else { throw StateError("it is damaged or cut off: its checksum does not fit") }
    return magic.count..<end
  }

  private func restore(_ sections: [StateSection], _ names: StateNames, _ pool: EventPool) throws(StateError) -> RestoredState {
    var result = RestoredState()
    var left = sections
    for statement in statements {
      let name = names.statements[statement.number]
      guard let index = left.firstIndex(where: { $0.module == name.module && $0.digest == name.digest }) else {
        if statement.rowType != nil { result.empty.append(statement) }
        continue
      }
      let bytes = left.remove(at: index).bytes
      let archive = StateArchive.restoring(bytes, 0..<bytes.count, pool)
      runtime.exchange(statement: statement.number, archive)
      if archive.failure == nil, !archive.isAtEnd { archive.fail("there is more of it than the statement can take") }
      if let failure = archive.failure { throw StateError("statement \(statement.name): \(failure)") }
      if statement.rowType != nil { result.restored.append(statement) }
    }
    result.gone = left.count
    return result
  }
}

private struct StateHeader {
  var version = Engine.stateVersion
  var mode: String
  var position: [(name: String, value: Int64)]

  mutating func exchange(_ archive: StateArchive) {
    archive.word(&version)
    archive.text(&mode)
    archive.array(&position, blank: (name: "", value: 0)) { entry in
      archive.text(&entry.name)
      archive.integer(&entry.value)
    }
  }
}

private struct StateSection {
  var module = ""
  var digest: UInt64 = 0
  var bytes: [UInt8] = []

  mutating func exchange(_ archive: StateArchive) {
    archive.text(&module)
    archive.word(&digest)
    archive.octets(&bytes)
  }
}
