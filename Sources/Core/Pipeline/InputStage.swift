import Glibc
public import IPFIX
import InformationElements
public import PluginABI
public import PluginHost
public import RecordBatch
import Synchronization
public import Telemetry
import Threads

/// One input, on a thread of its own: polls the plugin and decodes what it gives, there and then.
public final class InputStage: InstanceSink, @unchecked Sendable {
  public let instance: PluginInstance
  private let services: HostServices
  private let state: RunState
  private let next: Junction
  private let decoder: Decoder
  private let keeper: TemplateKeeper?
  private let thread = NamedThread()
  private var failures: FailureReport
  private var log: SessionLog
  private let stopsOnError: Bool
  private var expectedRecords = 64
  private var open: [UInt64: Open] = [:]
  private var past = InputSnapshot()
  private let desk = SnapshotDesk()
  private var hasTaken = false
  private let hasEnded = Atomic<Bool>(false)
  private let hasPolled = Atomic<Bool>(false)

  private let records = Atomic<UInt64>(0)
  private let sessions = Atomic<Int>(0)
  private let lastArrival = Atomic<UInt64>(Clock.monotonic())
  private let lost: [(reason: Undecodable, counter: Counter)]
  private let lostBySequence: Counter
  private let lostMessages: Counter
  private let messages: Counter
  private let restoredRecords: Counter
  private let takenMessages: Counter
  private let waitedSets: Counter
  private let lateSets: Counter

  private struct Open {
    var session: Session
    var at: UInt64
  }

  public init(
    instance: PluginInstance, next: Junction, limits: DecoderLimits = DecoderLimits(), options: DecoderOptions = DecoderOptions(),
    templatesFile: TemplatesFile? = nil, stopsOnError: Bool, services: HostServices, state: RunState
  ) {
    self.instance = instance
    self.next = next
    self.services = services
    self.state = state
    self.stopsOnError = stopsOnError
    failures = FailureReport(services, state, stops: stopsOnError)
    log = SessionLog(services, instance.name)
    let decoder = Decoder(registry: services.registry, limits: limits, options: options)
    self.decoder = decoder
    keeper = templatesFile.map { TemplateKeeper($0, decoder) }
    lost = Undecodable.allCases.map { reason in
      (
        reason,
        services.counters.counter(
          instance.name, reason.rawValue, .lost,
          help: "\(reason.discardsMessage ? "Messages discarded" : "Sets or templates left out"): \(reason.explanation).")
      )
    }
    lostBySequence = services.counters.counter(
      instance.name, "sequence", .lost, help: "Records missing by sequence number (RFC 7011 §10.1).")
    lostMessages = services.counters.counter(
      instance.name, "sequence-messages", .lost, help: "NetFlow 9 messages missing by sequence number (RFC 3954 §5.1).")
    func noted(_ name: String, _ help: String) -> Counter {
      services.counters.counter(instance.name, name, .information, help: help)
    }
    messages = noted("messages", "Messages received: those taken, and those discarded by reason.")
    takenMessages = noted("messages-taken", "Messages that were decoded.")
    waitedSets = noted("sets-waited", "Data sets that came before their template.")
    lateSets = noted("sets-late", "Those of them that were decoded when it came.")
    restoredRecords = noted("restored-template", "Records decoded with templates kept from before the collector's start.")
    next.addProducer()
    instance.context.sink = self
  }

  // MARK: Control thread

  public func start() -> Bool {
    state.stageStarts()
    let status = thread.start(instance.name.name) { [self] in
      run()
      hasEnded.store(true, ordering: .releasing)
      state.stageEnded()
    }
    if status != 0 { state.stageEnded() }
    return status == 0
  }

  public func join() { thread.join() }

  /// Waits for the first poll, which waits for nothing, to be over; for so long at most.
  public func waitForFirstPoll(milliseconds: Int) {
    let deadline = Clock.monotonic() + UInt64(milliseconds) * 1_000_000
    while !hasPolled.load(ordering: .acquiring), !isEnded, Clock.monotonic() < deadline { usleep(200) }
  }

  public var isEnded: Bool { hasEnded.load(ordering: .acquiring) }
  /// Sessions that are open now.
  public var openSessions: Int { sessions.load(ordering: .relaxed) }
  public var receivedRecords: UInt64 { records.load(ordering: .relaxed) }
  /// Monotonic nanoseconds since something came.
  public var quietNanoseconds: UInt64 { Clock.monotonic() &- lastArrival.load(ordering: .relaxed) }

  public var account: Ledger.Account {
    let total = receivedRecords
    let own = services.counters.counters(of: instance.name).filter { $0.label == nil }
    var account = Ledger.Account(
      instance.name, received: total, delivered: total, lost: own.filter { $0.kind == .lost }.map { .init($0.name, $0.value) })
    account.noted = own.filter { $0.kind == .information }.map { .init($0.name, $0.value) }
    return account
  }

  /// The sessions as they are now; where the input's thread does not answer in time, as they were when it last did.
  ///
  /// - Parameters:
  ///   - sessions: how many to give one by one.
  ///   - withTemplates: whether each template is listed.
  /// - Returns: what to call for the snapshot: who asks several inputs asks all of them before waiting for the first.
  public func ask(sessions: Int, withTemplates: Bool, milliseconds: Int) -> () -> InputSnapshot {
    let number = desk.ask(.init(sessions: sessions, withTemplates: withTemplates))
    return { [self] in desk.answer(to: number, milliseconds: milliseconds, unless: { isEnded }) { snapshot($0) } }
  }

  // MARK: The input's thread

  private func run() {
    var idlePolls = 0
    while !services.stop.isStopping {
      if state.isDraining, idlePolls >= Self.pollsUntilDrained || readsFile { break }
      do throws(PluginFailure) {
        hasTaken = false
        let isFirst = !hasPolled.load(ordering: .relaxed)
        if try !instance.poll(timeoutMilliseconds: state.isDraining || isFirst ? 0 : 250) { break }
        if isFirst { hasPolled.store(true, ordering: .releasing) }
        idlePolls = hasTaken ? 0 : idlePolls + 1
        keepTemplates()
        desk.answer { snapshot($0) }
      } catch {
        failures.add(error, instance.name)
        // An input that goes on failing must not spin.
        if stopsOnError || instance.waitForStop(milliseconds: 100) { break }
      }
    }
    keepTemplates(atEnd: true)
    for session in openSessionsInOrder { closed(session.session, reason: nil) }
    log.finish()
    desk.leave(snapshot(.init(sessions: 0, withTemplates: false)))
    next.end()
  }

  private var openSessionsInOrder: [Open] { open.values.sorted { $0.session.id < $1.session.id } }

  private func snapshot(_ request: SnapshotDesk.Request) -> InputSnapshot {
    var snapshot = past
    snapshot.total = decoder.counts
    snapshot.rememberedBytes = decoder.rememberedBytes
    snapshot.openCount = open.count
    for (place, open) in openSessionsInOrder.enumerated() {
      let known = open.session.decoderState as? SessionDecoder
      if place < request.sessions {
        snapshot.open.append(
          .init(
            name: open.session.name, transport: open.session.raw.pointee.transport, openedAt: open.at,
            status: known?.status(withTemplates: request.withTemplates) ?? SessionStatus()))
      } else if let known {
        snapshot.others += known.counts
      }
    }
    return snapshot
  }

  /// Keeps the sum of what ended sessions have counted, and for a while those of which somebody may ask what was wrong.
  private func remember(_ session: Session, _ reason: String?) {
    let status = (session.decoderState as? SessionDecoder)?.status(withTemplates: false) ?? SessionStatus()
    past.endedCount += 1
    past.ended += status.counts
    guard reason != nil || status.counts.records == 0 else { return }
    if past.recentlyEnded.count >= Self.recentLimit { past.recentlyEnded.removeFirst() }
    past.recentlyEnded.append(.init(name: session.name, endedAt: Clock.wall(), reason: reason, status: status))
  }

  private static let recentLimit = 20

  private func keepTemplates(atEnd: Bool = false) {
    guard let keeper else { return }
    keeper.save(open.values.lazy.map(\.session), decoder, atEnd: atEnd)
    if atEnd { keeper.finish() }
    if let news = keeper.takeNews() { services.log(news.isFailure ? .warning : .info, instance.name, news.text) }
  }

  /// One poll may accept a connection, the next read from it: so often in a row nothing must come.
  private static let pollsUntilDrained = 3

  /// A file is not drained: what is still in it has not been received.
  private var readsFile: Bool { open.values.contains { $0.session.raw.pointee.transport == UInt16(FLOWCEP_TRANSPORT_FILE) } }

  public func take(_ packets: UnsafeBufferPointer<flowcep_packet>, in buffer: Buffer, used: Int) -> flowcep_status {
    hasTaken = true
    let batch = BatchStorage(
      kind: .records, buffer: fitted(buffer, used), byteCount: used, recordCapacity: expectedRecords, messageCapacity: packets.count)
    batch.timeNanoseconds = Clock.wall()
    decoder.decode(packets, into: batch) { session, notices in notices.forEach { say($0, session) } }
    lastArrival.store(Clock.monotonic(), ordering: .relaxed)
    let count = batch.recordCount
    expectedRecords = max(64, count + count / 8)
    records.wrappingAdd(UInt64(count), ordering: .relaxed)
    publishCounts()
    desk.answer { snapshot($0) }
    if count > 0 {
      desk.lend()
      next.take(consume batch)
      desk.takeBack()
    }
    return flowcep_status(services.stop.nanosecondsLeft == 0 ? FLOWCEP_STOPPED : FLOWCEP_OK)
  }

  /// A few bytes in a large buffer are copied into one of their size: a queue would otherwise fill with empty memory.
  private func fitted(_ buffer: Buffer, _ used: Int) -> Buffer {
    guard used < buffer.capacity / 4 else { return buffer }
    let small = Buffer(capacity: used)
    small.bytes.copyMemory(from: buffer.bytes, byteCount: used)
    return small
  }

  private func publishCounts() {
    let counts = decoder.counts
    messages.set(counts.messages)
    restoredRecords.set(counts.restoredRecords)
    lostBySequence.set(counts.lostRecords &- min(counts.recoveredRecords, counts.lostRecords))
    lostMessages.set(counts.lostMessages &- min(counts.recoveredMessages, counts.lostMessages))
    takenMessages.set(counts.takenMessages)
    waitedSets.set(counts.waitedSets)
    lateSets.set(counts.lateSets)
    for (reason, counter) in lost where counts[reason] > 0 { counter.set(counts[reason]) }
  }

  public func opened(_ session: Session) {
    open[session.id] = Open(session: session, at: Clock.wall())
    sessions.add(1, ordering: .relaxed)
    log.say(.info, "\(session.name): connected")
    next.take(BatchStorage(kind: .sessionOpened, session: session))
  }

  public func closed(_ session: Session, reason: String?) {
    guard open.removeValue(forKey: session.id) != nil else { return }
    sessions.subtract(1, ordering: .relaxed)
    decoder.close(session)
    remember(session, reason)
    publishCounts()
    if let reason { log.say(.warning, "\(session.name): closed: \(reason)") } else { log.say(.info, "\(session.name): closed") }
    next.take(BatchStorage(kind: .sessionClosed, session: session))
  }

  public func take(_ batch: BatchStorage, for process: String) -> flowcep_status { flowcep_status(FLOWCEP_FAILED) }
  public var pressure: Int { 0 }

  private func say(_ notice: DecoderNotice, _ session: Session) {
    let (level, text): (HostServices.LogLevel, String) =
      switch notice {
      case .firstTemplate(let domain, let id): (.info, "first template: \(id), domain \(domain)")
      case .firstRecord(let domain, let template): (.info, "first record: template \(template), domain \(domain)")
      case .unknownElement(let enterprise, let id): (.warning, "unknown element \(id) of enterprise \(enterprise)")
      case .unknownTemplate(let domain, let id): (.warning, "records of template \(id), domain \(domain), which has not been defined")
      case .redefinition(let domain, let id): (.warning, "template \(id), domain \(domain), is defined anew without withdrawal")
      case .restored(let templates):
        (.info, "\(templates) templates of it are known from before; the exporter's own take their place")
      case .restoredOfAddress: (.info, "templates of its address are known from before; the exporter's own take their place")
      case .undecodable(let reason): (.warning, "cannot be decoded: \(reason.rawValue)")
      }
    log.say(level, "\(session.name): \(text)")
  }
}
