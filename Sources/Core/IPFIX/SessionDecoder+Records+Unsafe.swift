import PluginABI
import RecordBatch

/// Where a message's records go.
struct Sink {
  let batch: BatchStorage
  /// Of the message in the batch's bytes.
  let base: UInt32
  let messageIndex: UInt32
  let stamp: UInt64
  /// Records in the batch before this message.
  let before: Int
  var optionsRecords = 0
  var unknownBytes = 0

  /// The message. The batch's bytes may move while it is taken: never kept from set to set.
  var message: UnsafeRawPointer { UnsafeRawPointer(batch.raw.pointee.bytes) + Int(base) }
}

// Data sets: where records begin and end.
extension SessionDecoder {
  /// False where a record runs over the set's end.
  @inline(__always)
  func takeData(_ set: SetBody, _ domain: Domain, _ sink: inout Sink) -> Bool {
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
    } else if !takeVariable(set, slot, sink) {
      return false
    }
    if slot.pointee.isOptions { sink.optionsRecords += sink.batch.recordCount - before }
    return true
  }

  /// Records of one length lie side by side; the rest is padding.
  @inline(__always)
  func takeFixed(_ set: SetBody, _ slot: TemplateTable.Slot, _ sink: borrowing Sink) {
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
  func takeVariable(_ set: SetBody, _ slot: TemplateTable.Slot, _ sink: borrowing Sink) -> Bool {
    let message = sink.message
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
}
