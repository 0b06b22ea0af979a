import Diagnostics
import Engine
import EventModel
import PluginABI
import PluginKit
import RecordBatch
import RecordEvents

/// Feeds flow records to the engine and hands its rows over as records.
final class CEPOutput: OutputPlugin {
  private let host: Host
  private let engine: Engine
  private let keeper: StateKeeper?
  private var gauges: StatementGauges
  /// Each with what says which of its events are wanted.
  private let readers: [(reader: RecordEventReader, choose: (EventBatch) -> [UInt32]?)]
  private var readAhead: ReadAhead?
  /// Batches of fewer records are not worth waking a thread for.
  private static let recordsWorthAThread = 512
  /// How many of the events that one batch makes due are taken out ahead of the engine.
  private static let eventsAhead = 1 << 15
  /// By the statement's number; nil where its rows are no detections.
  private var writers: [DetectionWriter?]
  private let targets: [String]
  private let flushesAtEnd: Bool
  private let session: UnsafePointer<flowcep_session>
  private var lastRecord: UInt64
  private var failure: PluginError?
  private let counters: CEPCounters
  private var clocks: ExporterClocks

  init(_ host: Host, _ options: Options) throws(PluginError) {
    let (modules, empty) = try Modules.compiled(host, options)
    keeper = StateKeeper(host, options)
    if let mistake = Modules.stateMistakes(empty, options).first { throw PluginError(mistake.message) }
    let keeper = keeper
    let made: Engine
    do throws(CompileError) { made = try keeper?.restored(empty, making: modules.makeEngine) ?? empty } catch {
      throw Modules.failure(error)
    }
    engine = made
    self.host = host
    let inputs = engine.inputs.filter { $0.name == modules.schema.eventType.name }
    readers = inputs.map {
      // Nobody sets variables from outside here.
      let reader = RecordEventReader(
        type: $0.type, schema: modules.schema, needed: $0.properties, deciding: $0.decidingProperties,
        isTimed: made.options.clock != .system)
      return (reader, made.chooser(of: $0.type) ?? { _ in nil })
    }
    var writers: [DetectionWriter?] = Array(repeating: nil, count: engine.statements.count)
    for statement in Modules.detections(engine, options) {
      writers[statement.number] = DetectionWriter(host: host, statement: statement)
    }
    self.writers = writers
    targets = options.texts("exportTo")
    flushesAtEnd = options.text("atEnd") == "flush"
    var description = flowcep_session()
    description.transport = UInt16(FLOWCEP_TRANSPORT_INTERNAL)
    session = try host.openSession(description, name: host.instanceName)
    lastRecord = host.monotonicNanoseconds
    counters = CEPCounters(host)
    gauges = StatementGauges(host, engine)
    engine.stateLimit = engine.stateLimit ?? StatementGauges.defaultLimit(statements: engine.statements.count { $0.rowType != nil })
    clocks = ExporterClocks(host)
    engine.onRows = { [unowned self] rows in take(rows) }
    engine.onFailure = { statement, reason in
      host.log(.debug, "\(statement.map { "statement \($0.name)" } ?? "engine"): \(reason)")
    }
    if engine.options.clock == .system { engine.advance(to: Int64(host.wallNanoseconds / 1_000_000)) }
    for list in engine.listInfos { host.log(.info, "list \(list.name): \(list.count) entries from \(list.file)") }
    if readers.isEmpty { host.log(.warning, "no statement reads IPFIX: no record will reach the engine") }
  }

  func start() throws(PluginError) { readAhead = ReadAhead { [unowned self] in read($0, limit: Self.eventsAhead) } }

  /// Takes the events out of a batch and gives them to the clock; what that makes due.
  /// - Parameter limit: after how many events the rest is left to be taken out when it is delivered.
  private func read(_ batch: Batch, limit: Int) -> [DueEvents] {
    let wall = Int64(host.monotonicNanoseconds / 1_000_000)
    return readers.map { engine.hold($0.reader.read(batch, choosing: $0.choose), wall: wall, limit: limit) }
  }

  func process(_ batch: Batch) throws(PluginError) {
    lastRecord = host.monotonicNanoseconds
    if let readAhead, batch.recordCount >= Self.recordsWorthAThread {
      if readAhead.isFull { deliverNext(waits: true) }
      host.retain(batch)
      readAhead.begin(batch)
      while deliverNext(waits: false) {}
    } else {
      catchUp()
      // One by one, while they are in the processor's cache.
      deliver(read(batch, limit: 0), of: batch)
    }
    // A state is of the engine and the clock, so the one has to have had what the other has.
    let isSaved = keeper?.isDue ?? false
    if isSaved { catchUp() }
    try giveOut()
    if isSaved { keeper?.save(engine) }
  }

  func idle() throws(PluginError) {
    guard let readAhead, !readAhead.isEmpty else { return }
    catchUp()
    try giveOut()
    keeper?.save(engine)
  }

  /// Gives the engine all that the clock has passed.
  private func catchUp() {
    while deliverNext(waits: true) {}
  }

  @discardableResult
  private func deliverNext(waits: Bool) -> Bool {
    guard let readAhead, let (batch, due) = readAhead.next(waits: waits) else { return false }
    deliver(due, of: batch)
    host.release(batch)
    if due.contains(where: \.isPartial) { readAhead.goOn() }
    return true
  }

  private func deliver(_ due: [DueEvents], of batch: Batch) {
    if engine.options.clock == .system { engine.advance(to: Int64(host.wallNanoseconds / 1_000_000)) }
    for due in due { engine.deliver(due) }
    keeper?.note(batch.recordCount, exportTime: batch.messages.last?.export_time)
  }

  func handle(_ event: Batch) throws(PluginError) {
    catchUp()
    switch event.kind {
    case .tick:
      checkLists()
      if engine.options.clock == .system { engine.advance(to: Int64(host.wallNanoseconds / 1_000_000)) }
      engine.idle(for: Int64((host.monotonicNanoseconds &- lastRecord) / 1_000_000))
    // A collector that is told to stop never closes windows early: it may come back and go on.
    // Where state is kept, what the clock has not passed is kept too: the next run goes on with it.
    case .end:
      if keeper == nil { engine.finish(flush: flushesAtEnd && host.stopNanosecondsLeft == nil) }
    case .sessionOpened: clocks.opened(event)
    case .sessionClosed: clocks.closed(event, engine)
    case .records: break
    }
    try giveOut()
    if event.kind == .end { keeper?.write(engine, isEnd: true) } else { keeper?.save(engine) }
  }

  /// Takes new contents of lists; what is wrong with a file is an error in the log, and the list stays as it was.
  private func checkLists() {
    for notice in engine.checkLists(at: Int64(host.monotonicNanoseconds / 1_000_000)) {
      switch notice {
      case .loaded(let list): host.log(.info, "list \(list.name): \(list.count) entries, read anew from \(list.file)")
      case .refused(let list, let mistakes):
        host.log(.error, "list \(list.name) stays as it was, with \(list.count) entries: \(mistakes.map(\.line).joined(separator: "; "))")
      }
    }
  }

  func stop() {
    readAhead?.stop()
    for writer in writers { writer?.release() }
    host.closeSession(session)
  }

  /// Rows of one statement; kept until the batch that caused them has been dealt with.
  private func take(_ rows: EngineRows) {
    guard let writer = writers[rows.statement.number] else { return }
    for row in rows.new {
      do throws(PluginError) {
        try writer.add(row, time: rows.time, isIncomplete: rows.isIncomplete)
      } catch { failure = error }
    }
  }

  private func giveOut() throws(PluginError) {
    // What is given up may give rows.
    gauges.check(engine)
    counters.update(engine.counters)
    clocks.report(engine)
    for writer in writers {
      try writer?.flush(session: session, time: engine.now) { batch throws(PluginError) in
        for target in targets { try host.emit(batch, to: target) }
      }
    }
    if let failure {
      self.failure = nil
      throw failure
    }
  }
}

/// What the engine has done, as the host's counters. Late records that are delivered are no drops.
private struct CEPCounters {
  private let late: Counter
  private let lateDropped: Counter
  private let ahead: Counter
  private let held: Counter
  private let failed: Counter
  private let rows: Counter

  init(_ host: Host) {
    late = host.informationCounter("late", help: "Records older than the engine's clock on arrival.")
    lateDropped = host.droppedCounter("too-late", help: "Records older than the engine's clock, by configuration not delivered.")
    ahead = host.informationCounter("ahead", help: "Records whose time lay ahead of all others', delivered as of now.")
    held = host.informationCounter("held", help: "Records that wait until the clock has passed them.")
    failed = host.informationCounter("failed", help: "Events on which a statement failed.")
    rows = host.informationCounter("rows", help: "Rows that the statements gave, those that other statements read among them.")
  }

  func update(_ counts: EngineCounters) {
    late.set(counts.late)
    lateDropped.set(counts.lateDropped)
    ahead.set(counts.ahead)
    held.set(counts.held)
    failed.set(counts.failed)
    rows.set(counts.rowsOut.reduce(0, +))
  }
}
