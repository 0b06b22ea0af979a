import InformationElements
import PluginABI
import RecordBatch

// NetFlow: the same records from other messages.
extension SessionDecoder {
  /// NetFlow version 9 (RFC 3954). Its sequence numbers count messages.
  func decode9(_ message: UnsafeRawPointer, _ length: Int, _ packet: flowcep_packet, _ batch: BatchStorage, _ stamp: UInt64) -> Bool {
    guard length >= Wire.messageHeader9 else { return discard(.shortMessage) }
    guard let domain = domain(Wire.version9, load32(message, 16)) else { return discard(.tooManyDomains) }
    if let fault = fault9(in: message, length) {
      domain.sequence.lose()
      return discard(fault)
    }
    let (exportTime, sequence) = (load32(message, 8), load32(message, 12))
    let boot = Int64(exportTime) * 1000 - Int64(load32(message, 4))
    domain.facts.systemInitMilliseconds = UInt64(max(0, boot))
    var sink = begin(packet, domain, exportTime: exportTime, sequence: sequence, batch, stamp)
    sink.uptime = Uptime(exportMilliseconds: Int64(exportTime) * 1000, uptime: load32(message, 4))
    var place = Wire.messageHeader9
    while let set = NetFlow9.set(sink.message, at: place, messageEnd: length) {
      if set.id >= Wire.firstTemplate {
        guard takeData(set, domain, &sink) else { return undo(sink, domain, .badRecord) }
      } else if set.id > Wire.optionsTemplateSet9 {
        leaveOut(.reservedSet)
      } else {
        _ = NetFlow9.walkTemplates(sink.message, set, fieldLimit: limits.fieldsPerTemplate) { define(known($0), in: domain) }
      }
      place = set.end
    }
    _ = end(sink)
    follow(
      .init(sequence: sequence, exportTime: exportTime, units: 1, boot: boot), mayReorder: true, in: domain)
    return true
  }

  private func fault9(in message: UnsafeRawPointer, _ length: Int) -> Undecodable? {
    var place = Wire.messageHeader9
    while place < length {
      guard let set = NetFlow9.set(message, at: place, messageEnd: length) else {
        return NetFlow9.isZero(message, place, length) ? nil : .badSetLength
      }
      if set.id <= Wire.optionsTemplateSet9, !NetFlow9.walkTemplates(message, set, fieldLimit: 0, { _ in }) { return .badTemplate }
      place = set.end
    }
    return nil
  }

  /// A field type that IANA does not have may be one of those that other collectors number apart.
  private func known(_ record: TemplateRecord) -> TemplateRecord {
    var record = record
    for index in record.fields.indices where record.fields[index].enterprise == 0 {
      let id = record.fields[index].element
      if registry.element(enterprise: 0, id: id) == nil, registry.element(enterprise: NetFlow9.enterprise, id: id) != nil {
        record.fields[index].enterprise = NetFlow9.enterprise
      }
    }
    return record
  }

  /// NetFlow version 5. Its sequence numbers count records; its domain is the engine's type and id.
  func decode5(_ message: UnsafeRawPointer, _ length: Int, _ packet: flowcep_packet, _ batch: BatchStorage, _ stamp: UInt64) -> Bool {
    guard length >= Wire.messageHeader5 else { return discard(.shortMessage) }
    let count = Int(load16(message, 2))
    let end5 = Wire.messageHeader5 + count * Wire.record5
    guard end5 <= length else { return discard(.badMessageLength) }
    guard let domain = domain(Wire.version5, UInt32(load16(message, 20))) else { return discard(.tooManyDomains) }
    if domain.templates.count == 0 { define(NetFlow5.template, in: domain) }
    let (exportTime, sequence) = (load32(message, 8), load32(message, 16))
    let exported = Int64(exportTime) * 1000 + Int64(load32(message, 12) / 1_000_000)
    let boot = exported - Int64(load32(message, 4))
    domain.facts.take5(boot: boot, sampling: load16(message, 22))
    var sink = begin(packet, domain, exportTime: exportTime, sequence: sequence, batch, stamp)
    sink.uptime = Uptime(exportMilliseconds: exported, uptime: load32(message, 4))
    _ = takeData(SetBody(id: NetFlow5.templateID, start: Wire.messageHeader5, end: end5), domain, &sink)
    _ = end(sink)
    follow(
      .init(sequence: sequence, exportTime: exportTime, units: count, boot: boot), mayReorder: true, in: domain)
    return true
  }
}
