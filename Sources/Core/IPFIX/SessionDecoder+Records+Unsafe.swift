import PluginABI
import RecordBatch

/// Where a message's records go.
struct Sink {
  /// Kept alive by who decodes into it: a message or set is not worth a reference count.
  let held: Unmanaged<BatchStorage>
  var batch: BatchStorage { held.takeUnretainedValue() }
  /// Of the message in the batch's bytes.
  let base: UInt32
  let messageIndex: UInt32
  let stamp: UInt64
  /// Records in the batch before this message.
  let before: Int
  let exportTime: UInt32
  /// What relative times count from, where it is known.
  var uptime: Uptime?
  /// Records on the wire, and those of them of options templates.
  var wireRecords = 0
  var optionsRecords = 0
  var unknownBytes = 0

  init(
    batch: BatchStorage, base: UInt32, messageIndex: UInt32, stamp: UInt64, before: Int, exportTime: UInt32, uptime: Uptime? = nil
  ) {
    held = .passUnretained(batch)
    (self.base, self.messageIndex, self.stamp, self.before) = (base, messageIndex, stamp, before)
    (self.exportTime, self.uptime) = (exportTime, uptime)
  }

  /// The message. The batch's bytes may move while it is taken: never kept from set to set.
  var message: UnsafeRawPointer { UnsafeRawPointer(batch.raw.pointee.bytes) + Int(base) }
}

// Data sets: where records begin and end.
extension SessionDecoder {
  /// False where a record runs over the set's end.
  @inline(__always)
  func takeData(_ set: SetBody, _ domain: Domain, _ sink: inout Sink) -> Bool {
    guard let slot = slot(set, domain, sink) ?? keptSlot(set, domain, sink) else {
      sink.unknownBytes += set.end - set.start
      setAside(set, domain, sink)
      return true
    }
    let before = sink.batch.recordCount
    guard takePlain(set, slot, domain, &sink) else { return false }
    if slot.pointee.isRestored { pending.restoredRecords += UInt64(sink.batch.recordCount - before) }
    if slot.pointee.isOptions { sink.optionsRecords += sink.batch.recordCount - before }
    if let extras = slot.pointee.extras { take(extras, from: before, slot, domain, &sink) }
    return true
  }

  /// The template of a data set whose records need nothing but to be found; nil for all other sets.
  @inline(__always)
  func plainSlot(_ set: SetBody, _ domain: Domain) -> TemplateTable.Slot? {
    guard !hasLifetimes, let slot = domain.templates[set.id], slot.pointee.isPlain else { return nil }
    return slot
  }

  /// Finds the records of a set. False where one runs over the set's end.
  @inline(__always)
  func takePlain(_ set: SetBody, _ slot: TemplateTable.Slot, _ domain: Domain, _ sink: inout Sink) -> Bool {
    if slot.pointee.batchStamp != sink.stamp {
      slot.pointee.batchIndex = sink.batch.index(of: slot.pointee.template)
      slot.pointee.batchStamp = sink.stamp
      note(.firstRecord(domain: domain.id, template: set.id))
    }
    return sink.held._withUnsafeGuaranteedRef { batch in
      let before = batch.recordCount
      if slot.pointee.recordLength > 0 {
        takeFixed(set, slot, sink, batch)
      } else if !takeVariable(set, slot, sink, batch) {
        return false
      }
      sink.wireRecords += batch.recordCount - before
      return true
    }
  }

  /// The template of a data set, if it is there and valid.
  @inline(__always)
  private func slot(_ set: SetBody, _ domain: Domain, _ sink: Sink) -> TemplateTable.Slot? {
    guard let slot = domain.templates[set.id] else { return nil }
    if slot.pointee.hasUnknown || hasLifetimes || slot.pointee.isRestored { return rareSlot(set, domain, slot, sink) }
    return slot
  }

  /// The template of a data set, from before the collector's start.
  private func keptSlot(_ set: SetBody, _ domain: Domain, _ sink: Sink) -> TemplateTable.Slot? {
    guard kept != nil, domain.templates[set.id] == nil, templateOrKept(set.id, in: domain) != nil else { return nil }
    return slot(set, domain, sink)
  }

  private func rareSlot(
    _ set: SetBody, _ domain: Domain, _ slot: TemplateTable.Slot, _ sink: Sink
  ) -> TemplateTable.Slot? {
    if hasLifetimes || slot.pointee.isRestored, isExpired(slot) {
      pending.expiredTemplates += 1
      _ = forget(set.id, in: domain)
      return nil
    }
    if slot.pointee.isRestored, !fits(set, slot, sink.message) {
      _ = forget(set.id, in: domain)
      return nil
    }
    if slot.pointee.hasUnknown, slot.pointee.generation != described.generation { resolveAnew(set.id, in: domain) }
    return domain.templates[set.id]
  }

  /// What few templates' records need besides.
  private func take(_ extras: SlotExtras, from first: Int, _ slot: TemplateTable.Slot, _ domain: Domain, _ sink: inout Sink) {
    if extras.hasLists { resolveLists(from: first, slot, domain, sink) }
    if extras.hasFacts { takeFacts(from: first, slot, domain, sink) }
    guard let transform = extras.transform else { return }
    if sink.uptime == nil, let start = domain.facts.systemInitMilliseconds {
      sink.uptime = Uptime(exportTime: sink.exportTime, systemInit: start)
    }
    transform.apply(from: first, sink)
  }

  /// What options records say about the exporter.
  private func takeFacts(from first: Int, _ slot: TemplateTable.Slot, _ domain: Domain, _ sink: Sink) {
    let view = slot.pointee.template.view
    for index in first..<sink.batch.recordCount {
      let record = sink.batch.records[index]
      let bytes = UnsafeRawBufferPointer(start: sink.batch.view.bytes(of: record), count: Int(record.length))
      var options = OptionsRecord()
      var end = 0
      for field in view.fields {
        guard let value = fieldRange(field.length, at: end, in: bytes) else { break }
        if field.enterprise == 0 { options.add(field.element, UnsafeRawBufferPointer(rebasing: bytes[value])) }
        end = value.upperBound
      }
      let before = domain.facts.count
      domain.facts.take(options, limit: before + limits.facts - factCount)
      factCount += domain.facts.count - before
      if let element = options.description, described.add(element, limit: limits.describedElements) { pending.describedElements += 1 }
    }
  }

  /// Records of one length lie side by side; the rest is padding.
  @inline(__always)
  private func takeFixed(_ set: SetBody, _ slot: TemplateTable.Slot, _ sink: Sink, _ batch: BatchStorage) {
    let length = slot.pointee.recordLength
    let count = slot.pointee.recordsIn(set.end - set.start)
    var record = flowcep_record(
      offset: sink.base + UInt32(set.start), length: UInt32(length), template_index: slot.pointee.batchIndex,
      message_index: sink.messageIndex)
    batch.reserveRecords(count)
    let first = batch.recordCount
    let records = batch.records + first
    for i in 0..<count {
      records[i] = record
      record.offset &+= UInt32(length)
    }
    batch.recordCount = first + count
  }

  /// Records with fields of variable length, walked from field to field (RFC 7011 §7).
  private func takeVariable(_ set: SetBody, _ slot: TemplateTable.Slot, _ sink: Sink, _ batch: BatchStorage) -> Bool {
    let message = sink.message
    let (runs, runCount, minimum) = (slot.pointee.runs, slot.pointee.runCount, slot.pointee.minimumLength)
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
}
