public import InformationElements
public import PluginABI
public import RecordBatch

/// Decodes the messages of one transport session, in order: remembers its templates and sequence numbers by observation domain.
/// Each message says its version: IPFIX, NetFlow 9 or NetFlow 5.
///
/// A message is taken or discarded whole (RFC 7011 §10.2 leaves a malformed one's fate to the collector; its templates are not
/// applied either, but for a record of variable length that lies, which shows only after the templates before it). What cannot
/// be decoded is counted by reason. Not for several threads at once.
public final class SessionDecoder {
  let registry: ElementRegistry
  let limits: DecoderLimits
  let options: DecoderOptions
  let isUDP: Bool
  let hasLifetimes: Bool
  private(set) var domains: [Domain.Key: Domain] = [:]
  private var lastDomain: Domain?
  var templateCount = 0
  /// Of all templates together.
  var fieldCount = 0
  /// Of all domains' tables of templates.
  var pageCount = 0
  /// Templates have been defined or lost since somebody looked at them for the archive.
  var hasNewDefinitions = false
  /// Interfaces and samplers remembered, of all domains.
  var factCount = 0
  /// Templates are resolved anew, for what their exporter has described since, no faster than it could have defined them anew: bytes
  /// that have come and have not been spent on that.
  var resolveCredit = 1 << 16
  /// When the message at hand arrived, in nanoseconds since 1970, and its number in the session.
  var now: UInt64 = 0
  var messageNumber: UInt64 = 0
  var described = DescribedElements()
  var listElements: [TemplateRecord.Field: ListElement] = [:]
  var waiting = WaitingSets()
  /// What is kept from before the collector's start of the exporter's address, where its port was not there.
  var kept: KeptTemplates?
  /// Templates that have come in the message at hand, for which data may wait.
  var ready: [(Domain, UInt16)] = []
  /// Since the session began, but for what `takePending` has not been asked for yet.
  public private(set) var counts = DecodeCounts()
  var pending = DecodeCounts()
  private var notices: [DecoderNotice] = []
  private var noted = NoticedOnce()

  /// - Parameter transport: `FLOWCEP_TRANSPORT_…`; over UDP a new definition replaces the old one and withdrawals are ignored
  ///   (RFC 7011 §8.4).
  public init(
    transport: UInt16, registry: ElementRegistry, limits: DecoderLimits = DecoderLimits(), options: DecoderOptions = DecoderOptions()
  ) {
    self.registry = registry
    self.limits = limits
    self.options = options
    isUDP = transport == UInt16(FLOWCEP_TRANSPORT_UDP)
    hasLifetimes = isUDP && options.hasLifetimes
  }

  /// What has been counted since the last call.
  public func takePending() -> DecodeCounts {
    let taken = pending
    pending = DecodeCounts()
    counts += taken
    return taken
  }

  /// What is worth a line in the log since the last call; each thing once in a session.
  public func takeNotices() -> [DecoderNotice] {
    guard !notices.isEmpty else { return [] }
    defer { notices = [] }
    return notices
  }

  func note(_ notice: DecoderNotice) {
    if noted.isNew(notice) { notices.append(notice) }
  }

  /// How many templates there are, in all observation domains.
  public var templatesKnown: Int { templateCount }
  public var domainCount: Int { domains.count }
  /// Data sets that wait for their templates.
  public var waitingCount: Int { waiting.count }
  /// Bytes that they take.
  public var waitingBytes: Int { waiting.bytes }

  /// What an exporter has said about itself, by protocol version (5, 9, 10) and observation domain.
  public func facts(version: UInt16 = Wire.version, domain: UInt32) -> ExporterFacts? {
    domains[Domain.Key(version: version, id: domain)]?.facts
  }

  /// An estimate of the memory that the session takes.
  var weight: Int {
    fieldCount * 192 + templateCount * 1536 + pageCount * TemplateTable.pageWeight + domains.count * 4096 + waiting.bytes
      + (listElements.count + described.count) * 512
      + factCount * 1024 + noted.count * 128
  }
  var account: MemoryAccount?
  /// That estimate as it was last counted.
  var weightCounted: Int { account?.bytes ?? 0 }
  var weightOfAMessage: Int { weightCounted / Int(clamping: messageNumber + 1) }

  /// Forgets templates and domains, since all sessions together take too much.
  func shed() {
    pending.evictedTemplates += UInt64(templateCount)
    give(up: waiting.removeAll())
    (templateCount, fieldCount, pageCount, factCount, lastDomain) = (0, 0, 0, 0, nil)
    domains.removeAll()
    hasNewDefinitions = true
    listElements.removeAll()
    described.removeAll()
    noted.silence()
    _ = account?.set(weight)
  }

  /// The session ends: what still waits never had a template.
  public func close() { give(up: waiting.removeAll()) }

  // MARK: Messages

  /// Adds a message's records to a batch. False where the message was discarded; why is in the counts.
  ///
  /// - Parameters:
  ///   - packet: where the message lies in the batch's bytes; offset and length must lie inside.
  ///   - stamp: differs from batch to batch.
  @discardableResult
  public func decode(_ packet: flowcep_packet, into batch: BatchStorage, stamp: UInt64) -> Bool {
    guard let all = batch.raw.pointee.bytes else { return false }
    let message = UnsafeRawPointer(all) + Int(packet.offset)
    let length = Int(packet.length)
    pending.messages += 1
    pending.bytes += UInt64(length)
    now = packet.arrival_ns
    messageNumber &+= 1
    resolveCredit = min(resolveCredit &+ length, 1 << 18)
    if !waiting.isEmpty { expireWaiting() }
    guard length >= 4 else { return discard(.shortMessage) }
    let isTaken =
      switch load16(message, 0) {
      case Wire.version: decode10(message, length, packet, batch, stamp)
      case Wire.version9: decode9(message, length, packet, batch, stamp)
      case Wire.version5: decode5(message, length, packet, batch, stamp)
      default: discard(.badVersion)
      }
    if isTaken { pending.takenMessages += 1 }
    if !ready.isEmpty { takeReady(batch, stamp) }
    return isTaken
  }

  func discard(_ reason: Undecodable) -> Bool {
    leaveOut(reason)
    return false
  }

  /// Counts something that is not decoded; the rest of its message may be.
  func leaveOut(_ reason: Undecodable) {
    pending.count(reason)
    note(.undecodable(reason))
  }

  @inline(__always)
  func domain(_ version: UInt16, _ id: UInt32) -> Domain? {
    if let lastDomain, lastDomain.key.id == id, lastDomain.key.version == version { return lastDomain }
    return otherDomain(Domain.Key(version: version, id: id))
  }

  private func otherDomain(_ key: Domain.Key) -> Domain? {
    if let known = domains[key] {
      lastDomain = known
      return known
    }
    guard domains.count < limits.domains else { return nil }
    let new = Domain(key)
    domains[key] = new
    lastDomain = new
    return new
  }

  // MARK: Batches

  /// A message begins: its records refer to it.
  @inline(__always)
  func begin(
    _ packet: flowcep_packet, _ domain: Domain, exportTime: UInt32, sequence: UInt32, _ batch: BatchStorage, _ stamp: UInt64
  ) -> Sink {
    let messageIndex = batch.append(
      flowcep_message(
        session: packet.session, arrival_ns: packet.arrival_ns, offset: packet.offset, length: packet.length,
        export_time: exportTime, sequence: sequence, observation_domain: domain.id, reserved: 0))
    return Sink(
      batch: batch, base: packet.offset, messageIndex: messageIndex, stamp: stamp, before: batch.recordCount, exportTime: exportTime)
  }

  /// A message turned out malformed: neither it nor any of its records is taken.
  func undo(_ sink: Sink, _ domain: Domain, _ reason: Undecodable) -> Bool {
    sink.batch.recordCount = sink.before
    sink.batch.takeBackMessage()
    domain.sequence.lose()
    return discard(reason)
  }

  /// A message's records are counted; gives how many there were on the wire.
  @inline(__always)
  func end(_ sink: Sink) -> Int {
    pending.records += UInt64(sink.batch.recordCount - sink.before - sink.optionsRecords)
    pending.optionsRecords += UInt64(sink.optionsRecords)
    return sink.wireRecords
  }

  @inline(__always)
  func follow(_ message: SequenceTracker.Message, mayReorder: Bool, in domain: Domain) {
    if domain.sequence.note(message, mayReorder: mayReorder, counts: &pending) { forgetRestored(in: domain) }
  }
}
