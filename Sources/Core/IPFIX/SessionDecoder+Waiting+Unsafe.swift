import PluginABI
import RecordBatch

// Data that comes before its template: set aside, and decoded when the template arrives.
extension SessionDecoder {
  func setAside(_ set: SetBody, _ domain: Domain, _ sink: Sink) {
    let header = domain.key.version == Wire.version9 ? Wire.messageHeader9 : Wire.messageHeader
    let message = sink.message
    let body = UnsafeRawBufferPointer(start: message + set.start - Wire.setHeader, count: set.end - set.start + Wire.setHeader)
    var bytes = Array(UnsafeRawBufferPointer(start: message, count: header)) + body
    if domain.key.version == Wire.version {
      bytes[2] = UInt8(truncatingIfNeeded: bytes.count >> 8)
      bytes[3] = UInt8(truncatingIfNeeded: bytes.count)
    }
    let waiting = WaitingSet(
      domain: domain.key, id: set.id, bytes: bytes, headerLength: header,
      message: sink.batch.messages[Int(sink.messageIndex)], uptime: sink.uptime)
    pending.waitedSets += 1
    give(up: self.waiting.add(waiting, limit: limits.waitingBytes))
    note(.unknownTemplate(domain: domain.id, id: set.id))
  }

  func give(up sets: Int) {
    for _ in 0..<sets { pending.count(.unknownTemplate) }
  }

  /// Lets go of what has waited too long.
  func expireWaiting() {
    let patience = limits.waitingSeconds &* 1_000_000_000
    if now > patience { give(up: waiting.expire(before: now - patience)) }
  }

  /// Decodes what has waited for templates that have come. Behind the message that brought them.
  func takeReady(_ batch: BatchStorage, _ stamp: UInt64) {
    let templates = ready
    ready.removeAll(keepingCapacity: true)
    for (domain, id) in templates where domain.templates[id] != nil {
      for set in waiting.take(domain.key, id) { take(set, domain, batch, stamp) }
    }
  }

  private func take(_ set: WaitingSet, _ domain: Domain, _ batch: BatchStorage, _ stamp: UInt64) {
    guard let offset = batch.appendBytes(set.bytes.count) else { return give(up: 1) }
    let all = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(batch.raw.pointee.bytes))
    all.map { UnsafeMutableRawBufferPointer(start: $0 + offset, count: set.bytes.count).copyBytes(from: set.bytes) }
    var message = set.message
    (message.offset, message.length) = (UInt32(offset), UInt32(set.bytes.count))
    var sink = Sink(
      batch: batch, base: UInt32(offset), messageIndex: batch.append(message), stamp: stamp, before: batch.recordCount,
      exportTime: message.export_time, uptime: set.uptime)
    let body = SetBody(id: set.id, start: set.headerLength + Wire.setHeader, end: set.bytes.count)
    guard takeData(body, domain, &sink) else {
      batch.recordCount = sink.before
      return leaveOut(.badWaitingSet)
    }
    pending.lateSets += 1
    pending.lateRecords += UInt64(batch.recordCount - sink.before)
    _ = end(sink)
  }
}
