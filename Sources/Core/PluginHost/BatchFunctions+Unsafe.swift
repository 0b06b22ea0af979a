import CLinux
import Glibc
import PluginABI
import RecordBatch
import Synchronization
import Telemetry

/// The host's functions for sessions, buffers, templates and batches. A plugin's nonsense is refused, with its reason.
enum BatchFunctions {
  static let ok = flowcep_status(FLOWCEP_OK)
  static let failed = flowcep_status(FLOWCEP_FAILED)

  static func fill(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.session_open = { host, description in
      guard let context = InstanceContext.from(host), let description else { return nil }
      return context.openSession(description.pointee)
    }
    host.pointee.session_close = { host, session, reason in
      InstanceContext.from(host)?.closeSession(session, reason.map { String(cString: $0) })
    }
    host.pointee.buffer_new = { host, capacity in
      InstanceContext.from(host)?.newBuffer(capacity) ?? flowcep_buffer(bytes: nil, capacity: 0, owner: nil)
    }
    host.pointee.buffer_release = { host, buffer in _ = InstanceContext.from(host)?.takeBack(buffer) }
    host.pointee.emit_packets = { host, buffer, packets, count in
      InstanceContext.from(host)?.emit(buffer, UnsafeBufferPointer(start: packets, count: packets == nil ? 0 : count))
        ?? flowcep_status(FLOWCEP_FAILED)
    }
    host.pointee.emit = { host, batch in InstanceContext.from(host)?.emit(batch) ?? flowcep_status(FLOWCEP_FAILED) }
    host.pointee.emit_to = { host, process, batch in
      guard let process else { return flowcep_status(FLOWCEP_FAILED) }
      return InstanceContext.from(host)?.emit(batch, to: String(cString: process)) ?? flowcep_status(FLOWCEP_FAILED)
    }
    host.pointee.make_writable = { host, batch in InstanceContext.from(host)?.makeWritable(batch) }
    host.pointee.with_records = { host, batch, records, count in
      InstanceContext.from(host)?.withRecords(batch, UnsafeBufferPointer(start: records, count: records == nil ? 0 : count))
    }
    host.pointee.template_new = { host, description in
      guard let description else { return nil }
      return InstanceContext.from(host)?.newTemplate(description.pointee)
    }
    host.pointee.template_release = { host, layout in
      guard let layout else { return }
      InstanceContext.from(host)?.templates[UInt(bitPattern: layout)] = nil
    }
    host.pointee.batch_new = { host, description in
      guard let description else { return nil }
      return InstanceContext.from(host)?.newBatch(description.pointee)
    }
    host.pointee.batch_retain = { host, batch in InstanceContext.from(host)?.retain(batch) }
    host.pointee.batch_release = { host, batch in InstanceContext.from(host)?.release(batch) }
  }
}

// MARK: - Inputs

extension InstanceContext {
  func openSession(_ description: flowcep_session) -> UnsafePointer<flowcep_session>? {
    let wish = description.name.map { String(cString: $0) } ?? ""
    let session = Session(copying: description, name: wish.isEmpty ? "\(name.name):\(description.remote_port)" : wish)
    sessions[UInt(bitPattern: session.raw)] = session
    sink?.opened(session)
    return UnsafePointer(session.raw)
  }

  func closeSession(_ raw: UnsafePointer<flowcep_session>?, _ reason: String?) {
    guard let session = sessions.removeValue(forKey: UInt(bitPattern: raw)) else {
      refuse("it closes a session that it did not open, or twice")
      return
    }
    lastSession = nil
    sink?.closed(session, reason: reason)
  }

  func newBuffer(_ capacity: Int) -> flowcep_buffer {
    guard services.stop.nanosecondsLeft > 0, capacity <= 1 << 30 else { return flowcep_buffer(bytes: nil, capacity: 0, owner: nil) }
    // No bytes mean that the collector stops, so a buffer for empty datagrams has some.
    let buffer = services.buffers.take(capacity: max(1, capacity))
    let owner = Unmanaged.passRetained(buffer).toOpaque()
    buffers.insert(UInt(bitPattern: owner))
    return flowcep_buffer(bytes: buffer.bytes.assumingMemoryBound(to: UInt8.self), capacity: buffer.capacity, owner: owner)
  }

  /// The buffer that was lent, now the host's again; nil where it was not, or no longer.
  func takeBack(_ raw: flowcep_buffer) -> Buffer? {
    guard let owner = raw.owner, buffers.remove(UInt(bitPattern: owner)) != nil else {
      if raw.bytes != nil { refuse("it gives back a buffer that it was not lent, or twice") }
      return nil
    }
    return Unmanaged<Buffer>.fromOpaque(owner).takeRetainedValue()
  }

  func emit(_ raw: flowcep_buffer, _ packets: UnsafeBufferPointer<flowcep_packet>) -> flowcep_status {
    guard let buffer = takeBack(raw), let sink else { return BatchFunctions.failed }
    var used = 0
    for (i, packet) in packets.enumerated() {
      let end = Int(packet.offset) + Int(packet.length)
      guard end <= buffer.capacity else {
        refuse("packet \(i) (offset \(packet.offset), length \(packet.length)) lies outside the buffer's \(buffer.capacity) bytes")
        return BatchFunctions.failed
      }
      guard isOwn(packet.session) else {
        refuse("packet \(i) names a session that is not open")
        return BatchFunctions.failed
      }
      used = max(used, end)
    }
    if packets.isEmpty { return BatchFunctions.ok }
    let previous = flowcep_enter_plugin(nil)
    defer { flowcep_leave_plugin(previous) }
    return sink.take(packets, in: buffer, used: used)
  }

  private func isOwn(_ raw: UnsafePointer<flowcep_session>?) -> Bool {
    if let lastSession, lastSession.raw == raw { return true }
    guard let raw, let session = sessions[UInt(bitPattern: raw)] else { return false }
    lastSession = (raw, session)
    return true
  }
}

// MARK: - Batches

extension InstanceContext {
  /// The batch behind a pointer, with its header and records as they must be; nil after `refuse`.
  private func checked(_ raw: UnsafePointer<flowcep_batch>?) -> BatchStorage? {
    guard let batch = owned(raw) else {
      refuse("it hands over a batch that the host did not give it")
      return nil
    }
    guard var expected = writable, expected.batch === batch else { return batch }
    guard memcmp(batch.raw, &expected.header, MemoryLayout<flowcep_batch>.size) == 0 else {
      batch.raw.pointee = expected.header
      refuse("it changed the header of a writable batch")
      return nil
    }
    let view = batch.view
    if let fault = BatchCheck.fault(
      records: view.records, bytes: batch.raw.pointee.bytes, byteCount: batch.byteCount,
      templates: { Int($0) < view.templateCount ? view.template(at: Int($0)) : nil }, messageCount: view.messages.count)
    {
      refuse("it spoiled a writable batch: \(fault)")
      return nil
    }
    return batch
  }

  func emit(_ raw: UnsafePointer<flowcep_batch>?) -> flowcep_status {
    guard name.stage == .intermediate else {
      refuse("only an intermediate may emit batches; others name an exporting process")
      return BatchFunctions.failed
    }
    guard let batch = checked(raw) else { return BatchFunctions.failed }
    guard batch.kind == .records else { return BatchFunctions.ok }  // batches of other kinds pass on by themselves
    emitted.append(batch)
    return BatchFunctions.ok
  }

  func emit(_ raw: UnsafePointer<flowcep_batch>?, to process: String) -> flowcep_status {
    guard let batch = checked(raw), let sink else { return BatchFunctions.failed }
    let previous = flowcep_enter_plugin(nil)
    defer { flowcep_leave_plugin(previous) }
    return sink.take(batch, for: process)
  }

  func makeWritable(_ raw: UnsafePointer<flowcep_batch>?) -> UnsafeMutablePointer<flowcep_batch>? {
    guard let raw, owned(raw) != nil else {
      refuse("it wants to write to a batch that the host did not give it")
      return nil
    }
    let result: BatchStorage
    if var mine = current, mine.raw == raw {
      // Nobody else may hold it: not this context either while it is asked.
      current = nil
      result = BatchStorage.makeWritable(&mine)
      current = mine
    } else if let other = owned(raw) {
      result = other.copy(records: other.view.records, copyingBytes: true)
    } else {
      return nil
    }
    if result !== current { temporaries.append(result) }
    writable = (result, result.raw.pointee)
    return result.raw
  }

  func withRecords(
    _ raw: UnsafePointer<flowcep_batch>?, _ records: UnsafeBufferPointer<flowcep_record>
  ) -> UnsafePointer<flowcep_batch>? {
    guard let batch = checked(raw) else { return nil }
    let view = batch.view
    if let fault = BatchCheck.fault(
      records: records, bytes: batch.raw.pointee.bytes, byteCount: batch.byteCount,
      templates: { Int($0) < view.templateCount ? view.template(at: Int($0)) : nil }, messageCount: view.messages.count)
    {
      refuse(fault)
      return nil
    }
    let other = batch.copy(records: records)
    temporaries.append(other)
    return UnsafePointer(other.raw)
  }

  func newTemplate(_ description: flowcep_template) -> UnsafePointer<flowcep_template>? {
    switch BatchCheck.template(from: description) {
    case .success(let template):
      templates[UInt(bitPattern: template.raw)] = template
      return UnsafePointer(template.raw)
    case .failure(let fault):
      refuse(fault.reason)
      return nil
    }
  }

  func retain(_ raw: UnsafePointer<flowcep_batch>?) {
    guard let batch = owned(raw) else {
      refuse("it retains a batch that the host did not give it")
      return
    }
    shared.withLock { $0.retained[UInt(bitPattern: raw), default: (batch, 0)].count += 1 }
  }

  func release(_ raw: UnsafePointer<flowcep_batch>?) {
    let key = UInt(bitPattern: raw)
    var last: BatchStorage?
    let known = shared.withLock { shared in
      guard let entry = shared.retained[key] else { return false }
      if entry.count > 1 { shared.retained[key]?.count -= 1 } else { last = shared.retained.removeValue(forKey: key)?.batch }
      return true
    }
    // What is given up here may free memory: outside the lock.
    withExtendedLifetime(last) {}
    if !known { refuse("it releases a batch that it does not hold") }
  }
}
