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
  private let readers: [RecordEventReader]
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
    let modules = try Modules(host, options)
    keeper = StateKeeper(host, options)
    let empty = try Self.compiled(modules.makeEngine)
    if let mistake = Modules.stateMistakes(empty, options).first { throw PluginError(mistake.message) }
    let keeper = keeper
    engine = try Self.compiled { () throws(CompileError) in try keeper?.restored(empty, making: modules.makeEngine) ?? empty }
    self.host = host
    let inputs = engine.inputs.filter { $0.name == modules.schema.eventType.name }
    readers = inputs.map {
      RecordEventReader(type: $0.type, schema: modules.schema, needed: $0.properties, deciding: $0.decidingProperties)
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

  private static func compiled(_ make: () throws(CompileError) -> Engine) throws(PluginError) -> Engine {
    do throws(CompileError) { return try make() } catch {
      throw PluginError(error.diagnostics.errors.first?.line ?? "the modules do not compile")
    }
  }

  func process(_ batch: Batch) throws(PluginError) {
    lastRecord = host.monotonicNanoseconds
    if engine.options.clock == .system { engine.advance(to: Int64(host.wallNanoseconds / 1_000_000)) }
    for reader in readers { engine.send(reader.read(batch, choosing: engine.wanted), wall: Int64(lastRecord / 1_000_000)) }
    keeper?.note(batch.recordCount, exportTime: batch.messages.last?.export_time)
    try giveOut()
    keeper?.save(engine)
  }

  func handle(_ event: Batch) throws(PluginError) {
    switch event.kind {
    case .tick:
      checkLists()
      if engine.options.clock == .system { engine.advance(to: Int64(host.wallNanoseconds / 1_000_000)) }
      engine.idle(for: Int64((host.monotonicNanoseconds &- lastRecord) / 1_000_000))
    // A collector that is told to stop never closes windows early: it may come back and go on.
    // Where state is kept, what the clock has not passed is kept too: the next run goes on with it.
    case .end:
      if keeper == nil { engine.finish(flush: flushesAtEnd && host.stopNanosecondsLeft == nil) }
    case .sessionOpened: return clocks.opened(event)
    case .sessionClosed: return clocks.closed(event, engine)
    case .records: return
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
