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
  let isUDP: Bool
  private var domains: [Domain.Key: Domain] = [:]
  private var lastDomain: Domain?
  var templateCount = 0
  /// Since the session began, but for what `takePending` has not been asked for yet.
  public private(set) var counts = DecodeCounts()
  var pending = DecodeCounts()
  private var notices: [DecoderNotice] = []
  private var noted = NoticedOnce()

  /// - Parameter transport: `FLOWCEP_TRANSPORT_…`; over UDP a new definition replaces the old one and withdrawals are ignored
  ///   (RFC 7011 §8.4).
  public init(transport: UInt16, registry: ElementRegistry, limits: DecoderLimits = DecoderLimits()) {
    self.registry = registry
    self.limits = limits
    isUDP = transport == UInt16(FLOWCEP_TRANSPORT_UDP)
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
    guard length >= 4 else { return discard(.shortMessage) }
    switch load16(message, 0) {
    case Wire.version: return decode10(message, length, packet, batch, stamp)
    case Wire.version9: return decode9(message, length, packet, batch, stamp)
    case Wire.version5: return decode5(message, length, packet, batch, stamp)
    default: return discard(.badVersion)
    }
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
    return Sink(batch: batch, base: packet.offset, messageIndex: messageIndex, stamp: stamp, before: batch.recordCount)
  }

  /// A message turned out malformed: none of its records is taken.
  func undo(_ sink: Sink, _ domain: Domain, _ reason: Undecodable) -> Bool {
    sink.batch.recordCount = sink.before
    domain.sequence.lose()
    return discard(reason)
  }

  /// A message's records are counted; gives their number.
  @inline(__always)
  func end(_ sink: borrowing Sink) -> Int {
    let records = sink.batch.recordCount - sink.before
    pending.records += UInt64(records - sink.optionsRecords)
    pending.optionsRecords += UInt64(sink.optionsRecords)
    return records
  }
}
