import PluginABI
import RecordBatch

/// A batch of records of a plugin's own: copied out of its description, and checked.
extension InstanceContext {
  func newBatch(_ description: flowcep_batch) -> UnsafePointer<flowcep_batch>? {
    if let fault = shapeFault(description) {
      refuse("batch: \(fault)")
      return nil
    }
    let records = UnsafeBufferPointer(start: description.records, count: Int(description.record_count))
    let messages = UnsafeBufferPointer(start: description.messages, count: Int(description.message_count))
    guard let layouts = knownTemplates(description) else { return nil }
    // Records without a message get one that says when the batch was made.
    let messageCount = max(1, messages.count)
    if let fault = BatchCheck.fault(
      records: records, bytes: description.bytes, byteCount: description.byte_count,
      templates: { Int($0) < layouts.count ? layouts[Int($0)].view : nil }, messageCount: messageCount)
    {
      refuse(fault)
      return nil
    }
    let buffer = services.buffers.take(capacity: description.byte_count)
    if let bytes = description.bytes, description.byte_count > 0 {
      buffer.bytes.copyMemory(from: bytes, byteCount: description.byte_count)
    }
    let batch = BatchStorage(
      kind: .records, buffer: buffer, byteCount: description.byte_count, recordCapacity: records.count, messageCapacity: messageCount)
    guard append(messages, to: batch) else { return nil }
    let indices = layouts.map { batch.index(of: $0) }
    for (i, record) in records.enumerated() {
      (batch.records + i).initialize(to: record)
      batch.records[i].template_index = indices[Int(record.template_index)]
    }
    batch.recordCount = records.count
    batch.timeNanoseconds = Clock.wall()
    temporaries.append(batch)
    return UnsafePointer(batch.raw)
  }

  private func shapeFault(_ description: flowcep_batch) -> String? {
    guard description.struct_size == MemoryLayout<flowcep_batch>.size else {
      return "it has \(description.struct_size) bytes, expected \(MemoryLayout<flowcep_batch>.size)"
    }
    guard description.kind == UInt32(FLOWCEP_BATCH_RECORDS) else { return "kind \(description.kind) is not for a plugin to make" }
    guard description.record_count == 0 || description.record_stride == MemoryLayout<flowcep_record>.stride else {
      return "its records have \(description.record_stride) bytes, expected \(MemoryLayout<flowcep_record>.stride)"
    }
    guard description.message_count == 0 || description.message_stride == MemoryLayout<flowcep_message>.stride else {
      return "its messages have \(description.message_stride) bytes, expected \(MemoryLayout<flowcep_message>.stride)"
    }
    guard description.byte_count == 0 || description.bytes != nil else { return "its bytes are missing" }
    guard description.record_count == 0 || description.records != nil else { return "its records are missing" }
    guard description.message_count == 0 || description.messages != nil else { return "its messages are missing" }
    guard description.template_count == 0 || description.templates != nil else { return "its templates are missing" }
    guard description.byte_count <= 1 << 30 else { return "it has \(description.byte_count) bytes" }
    return nil
  }

  private func knownTemplates(_ description: flowcep_batch) -> [Template]? {
    var found: [Template] = []
    for i in 0..<Int(description.template_count) {
      guard let layout = known(description.templates[i]) else {
        refuse("batch: template \(i) is not one that the host gave")
        return nil
      }
      found.append(layout)
    }
    return found
  }

  private func known(_ raw: UnsafePointer<flowcep_template>?) -> Template? {
    guard let raw else { return nil }
    if let own = templates[UInt(bitPattern: raw)] { return own }
    return current?.templates.first { $0.raw == raw }
  }

  private func append(_ messages: UnsafeBufferPointer<flowcep_message>, to batch: BatchStorage) -> Bool {
    if messages.isEmpty {
      let now = Clock.wall()
      _ = batch.append(
        flowcep_message(
          session: nil, arrival_ns: now, offset: 0, length: 0, export_time: UInt32(truncatingIfNeeded: now / 1_000_000_000),
          sequence: 0, observation_domain: 0, reserved: 0))
      return true
    }
    for (i, message) in messages.enumerated() {
      guard Int(message.offset) + Int(message.length) <= batch.byteCount else {
        refuse("batch: message \(i) lies outside the batch's \(batch.byteCount) bytes")
        return false
      }
      guard message.session == nil || isKnown(message.session) else {
        refuse("batch: message \(i) names a session that the host did not give")
        return false
      }
      _ = batch.append(message)
    }
    return true
  }

  private func isKnown(_ raw: UnsafePointer<flowcep_session>?) -> Bool {
    sessions[UInt(bitPattern: raw)] != nil || current?.view.messages.contains { $0.session == raw } == true
  }
}
