import PluginABI
import RecordBatch

// IPFIX messages (RFC 7011).
extension SessionDecoder {
  func decode10(_ message: UnsafeRawPointer, _ received: Int, _ packet: flowcep_packet, _ batch: BatchStorage, _ stamp: UInt64) -> Bool {
    guard received >= Wire.messageHeader else { return discard(.shortMessage) }
    let length = Int(load16(message, 2))
    // A datagram may be padded beyond its message.
    guard length == received || length >= Wire.messageHeader && length < received && NetFlow9.isZero(message, length, received) else {
      return discard(.badMessageLength)
    }
    guard let domain = domain(Wire.version, load32(message, 12)) else { return discard(.tooManyDomains) }
    let (exportTime, sequence) = (load32(message, 4), load32(message, 8))
    var sink = begin(packet, domain, exportTime: exportTime, sequence: sequence, batch, stamp)
    var place = Wire.messageHeader
    var isSound = false
    while place < length {
      guard let set = setBody(sink.message, at: place, messageEnd: length) else { return undo(sink, domain, .badSetLength) }
      if let slot = plainSlot(set, domain) {
        guard takePlain(set, slot, domain, &sink) else { return undo(sink, domain, .badRecord) }
      } else {
        // Records can be taken back, what else a message does cannot: it waits until the rest is known to be sound.
        if !isSound, let fault = fault(in: sink.message, from: place, length) { return undo(sink, domain, fault) }
        isSound = true
        guard takeRare(set, domain, &sink) else { return undo(sink, domain, .badRecord) }
      }
      place = set.end
    }
    let records = end(sink)
    follow(
      .init(sequence: sequence, exportTime: exportTime, units: records, unknownBytes: sink.unknownBytes), mayReorder: isUDP, in: domain)
    return true
  }

  private func takeRare(_ set: SetBody, _ domain: Domain, _ sink: inout Sink) -> Bool {
    if set.id >= Wire.firstTemplate { return takeData(set, domain, &sink) }
    if set.id == Wire.templateSet || set.id == Wire.optionsTemplateSet {
      _ = walkTemplates(sink.message, set, fieldLimit: limits.fieldsPerTemplate) { define($0, in: domain) }
    } else {
      leaveOut(.reservedSet)
    }
    return true
  }

  /// What is wrong with a message's sets and templates from `start` on; nil where nothing is.
  private func fault(in message: UnsafeRawPointer, from start: Int, _ length: Int) -> Undecodable? {
    var place = start
    while place < length {
      guard let set = setBody(message, at: place, messageEnd: length) else { return .badSetLength }
      if set.id == Wire.templateSet || set.id == Wire.optionsTemplateSet {
        guard walkTemplates(message, set, fieldLimit: limits.fieldsPerTemplate, { _ in }) else { return .badTemplate }
      }
      place = set.end
    }
    return nil
  }
}
