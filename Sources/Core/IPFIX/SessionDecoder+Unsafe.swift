public import InformationElements
public import PluginABI
public import RecordBatch

/// Decodes the messages of one transport session, in order: remembers its templates and sequence numbers by observation domain.
///
/// A message is taken or discarded whole (RFC 7011 §10.2 leaves a malformed one's fate to the collector; its templates are not
/// applied either, but for a record of variable length that lies, which shows only after the templates before it). What cannot
/// be decoded is counted by reason. Not for several threads at once.
public final class SessionDecoder {
  private let registry: ElementRegistry
  private let limits: DecoderLimits
  private let isUDP: Bool
  private var domains: [UInt32: Domain] = [:]
  private var lastDomain: Domain?
  private var templateCount = 0
  /// Since the session began, but for what `takePending` has not been asked for yet.
  public private(set) var counts = DecodeCounts()
  private var pending = DecodeCounts()
  private var notices: [DecoderNotice] = []
  private var noted = NoticedOnce()

  /// - Parameter transport: `FLOWCEP_TRANSPORT_…`; over UDP a new definition replaces the old one and withdrawals are ignored
  ///   (RFC 7011 §8.4).
  public init(transport: UInt16, registry: ElementRegistry, limits: DecoderLimits = DecoderLimits()) {
    self.registry = registry
    self.limits = limits
    isUDP = transport == UInt16(FLOWCEP_TRANSPORT_UDP)
  }

  /// One observation domain.
  private final class Domain {
    let id: UInt32
    var templates = TemplateTable()
    var sequence = SequenceTracker()
    init(_ id: UInt32) { self.id = id }
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
    guard load16(message, 0) == Wire.version else { return discard(.badVersion) }
    guard length >= Wire.messageHeader else { return discard(.shortMessage) }
    guard Int(load16(message, 2)) == length else { return discard(.badMessageLength) }
    guard let domain = domain(load32(message, 12)) else { return discard(.tooManyDomains) }
    if let fault = fault(in: message, length) {
      domain.sequence.lose()
      return discard(fault)
    }
    return take(message, length, packet, domain, batch, stamp)
  }

  private func discard(_ reason: Undecodable) -> Bool {
    pending.count(reason)
    note(.undecodable(reason))
    return false
  }

  private func domain(_ id: UInt32) -> Domain? {
    if let lastDomain, lastDomain.id == id { return lastDomain }
    if let known = domains[id] {
      lastDomain = known
      return known
    }
    guard domains.count < limits.domains else { return nil }
    let new = Domain(id)
    domains[id] = new
    lastDomain = new
    return new
  }

  /// What is wrong with a message's sets and templates; nil where nothing is.
  private func fault(in message: UnsafeRawPointer, _ length: Int) -> Undecodable? {
    var place = Wire.messageHeader
    while place < length {
      guard let set = setBody(message, at: place, messageEnd: length) else { return .badSetLength }
      if set.id == Wire.templateSet || set.id == Wire.optionsTemplateSet {
        guard walkTemplates(message, set, fieldLimit: limits.fieldsPerTemplate, { _ in }) else { return .badTemplate }
      }
      place = set.end
    }
    return nil
  }

  private func take(
    _ message: UnsafeRawPointer, _ length: Int, _ packet: flowcep_packet, _ domain: Domain, _ batch: BatchStorage, _ stamp: UInt64
  ) -> Bool {
    let exportTime = load32(message, 4)
    let sequence = load32(message, 8)
    let messageIndex = batch.append(
      flowcep_message(
        session: packet.session, arrival_ns: packet.arrival_ns, offset: packet.offset, length: packet.length,
        export_time: exportTime, sequence: sequence, observation_domain: domain.id, reserved: 0))
    let before = batch.recordCount
    var sink = Sink(batch: batch, base: packet.offset, messageIndex: messageIndex, stamp: stamp)
    var place = Wire.messageHeader
    while place < length, let set = setBody(message, at: place, messageEnd: length) {
      if set.id >= Wire.firstTemplate {
        guard takeData(message, set, domain, &sink) else {
          batch.recordCount = before
          domain.sequence.lose()
          return discard(.badRecord)
        }
      } else if set.id == Wire.templateSet || set.id == Wire.optionsTemplateSet {
        _ = walkTemplates(message, set, fieldLimit: limits.fieldsPerTemplate) { define($0, in: domain) }
      } else {
        pending.count(.reservedSet)
        note(.undecodable(.reservedSet))
      }
      place = set.end
    }
    let records = batch.recordCount - before
    pending.records += UInt64(records - sink.optionsRecords)
    pending.optionsRecords += UInt64(sink.optionsRecords)
    domain.sequence.note(
      sequence: sequence, exportTime: exportTime, records: records, unknown: sink.unknownBytes, mayReorder: isUDP, counts: &pending)
    return true
  }

  // MARK: Data sets

  /// Where a message's records go.
  private struct Sink {
    let batch: BatchStorage
    /// Of the message in the batch's bytes.
    let base: UInt32
    let messageIndex: UInt32
    let stamp: UInt64
    var optionsRecords = 0
    var unknownBytes = 0
  }

  /// False where a record runs over the set's end.
  @inline(__always)
  private func takeData(_ message: UnsafeRawPointer, _ set: SetBody, _ domain: Domain, _ sink: inout Sink) -> Bool {
    guard let slot = domain.templates[set.id] else {
      sink.unknownBytes += set.end - set.start
      pending.count(.unknownTemplate)
      note(.unknownTemplate(domain: domain.id, id: set.id))
      return true
    }
    if slot.pointee.batchStamp != sink.stamp {
      slot.pointee.batchIndex = sink.batch.index(of: slot.pointee.template)
      slot.pointee.batchStamp = sink.stamp
      note(.firstRecord(domain: domain.id, template: set.id))
    }
    let before = sink.batch.recordCount
    if slot.pointee.recordLength > 0 {
      takeFixed(set, slot, sink)
    } else if !takeVariable(message, set, slot, sink) {
      return false
    }
    if slot.pointee.definition.scopeCount > 0 { sink.optionsRecords += sink.batch.recordCount - before }
    return true
  }

  /// Records of one length lie side by side; the rest is padding.
  @inline(__always)
  private func takeFixed(_ set: SetBody, _ slot: TemplateTable.Slot, _ sink: borrowing Sink) {
    let length = slot.pointee.recordLength
    let count = (set.end - set.start) / length
    let batch = sink.batch
    batch.reserveRecords(count)
    let first = batch.recordCount
    let records = batch.records + first
    var record = flowcep_record(
      offset: sink.base + UInt32(set.start), length: UInt32(length), template_index: slot.pointee.batchIndex,
      message_index: sink.messageIndex)
    for i in 0..<count {
      records[i] = record
      record.offset &+= UInt32(length)
    }
    batch.recordCount = first + count
  }

  /// Records with fields of variable length, walked from field to field (RFC 7011 §7).
  private func takeVariable(
    _ message: UnsafeRawPointer, _ set: SetBody, _ slot: TemplateTable.Slot, _ sink: borrowing Sink
  ) -> Bool {
    let (runs, runCount, minimum) = (slot.pointee.runs, slot.pointee.runCount, slot.pointee.minimumLength)
    let batch = sink.batch
    batch.reserveRecords((set.end - set.start) / minimum)
    var next = batch.recordCount
    let records = batch.records
    var place = set.start
    while set.end - place >= minimum {
      var end = place + runs[0]
      for i in 1..<runCount {
        guard end < set.end else { return false }
        var length = Int(message.load(fromByteOffset: end, as: UInt8.self))
        end += 1
        if length == 255 {
          guard set.end - end >= 2 else { return false }
          length = Int(load16(message, end))
          end += 2
        }
        end += length + runs[i]
      }
      guard end <= set.end else { return false }
      records[next] = flowcep_record(
        offset: sink.base + UInt32(place), length: UInt32(end - place), template_index: slot.pointee.batchIndex,
        message_index: sink.messageIndex)
      next += 1
      place = end
    }
    batch.recordCount = next
    return true
  }

  // MARK: Templates

  private func define(_ record: TemplateRecord, in domain: Domain) {
    if record.fields.isEmpty { return withdraw(record, in: domain) }
    guard record.fields.count <= limits.fieldsPerTemplate else { return leaveOut(.tooManyFields) }
    if let old = domain.templates[record.id] {
      if old.pointee.definition == record { return }
      pending.redefinitions += 1
      if !isUDP { note(.redefinition(domain: domain.id, id: record.id)) }
    } else {
      guard templateCount < limits.templates else { return leaveOut(.tooManyTemplates) }
      templateCount += 1
    }
    let template = record.resolved(with: registry)
    domain.templates.set(TemplateSlot(template, record))
    pending.templates += 1
    note(.firstTemplate(domain: domain.id, id: record.id))
    for field in template.view.fields where UInt32(field.flags) & UInt32(FLOWCEP_FIELD_KNOWN) == 0 {
      note(.unknownElement(enterprise: field.enterprise, id: field.element))
    }
  }

  private func leaveOut(_ reason: Undecodable) {
    pending.count(reason)
    note(.undecodable(reason))
  }

  /// RFC 7011 §8.1: one template, or by the set's own id all templates of a kind. Over UDP it is ignored.
  private func withdraw(_ record: TemplateRecord, in domain: Domain) {
    var removed = 0
    if !isUDP {
      if record.id == record.setID {
        removed = domain.templates.removeAll(options: record.isOptions)
      } else {
        removed = domain.templates.remove(record.id) ? 1 : 0
      }
    }
    templateCount -= removed
    if removed > 0 { pending.withdrawals += UInt64(removed) } else { pending.ignoredWithdrawals += 1 }
  }

  private func note(_ notice: DecoderNotice) {
    if noted.isNew(notice) { notices.append(notice) }
  }
}
