import IPFIX
import InformationElements
import PluginABI
import RecordBatch

/// What must change in a capture's messages from loop to loop: where its absolute times are, and how far sequence numbers get.
struct CaptureIndex {
  /// How an absolute time is written (RFC 7011 §6.1.7 to §6.1.10).
  enum TimeForm: UInt8 {
    /// 32 bits of seconds.
    case seconds
    /// 64 bits of milliseconds.
    case milliseconds
    /// 32 bits of seconds, 32 of fraction.
    case ntp

    init?(element: UInt16, length: UInt16) {
      switch (element, length) {
      case (150...151, 4): self = .seconds
      case (152...153, 8): self = .milliseconds
      case (154...157, 8): self = .ntp
      default: return nil
      }
    }
  }

  struct TimeField {
    /// From the message's first byte.
    var offset: UInt16
    var form: TimeForm
  }

  /// The time fields of all messages, message after message.
  private(set) var fields: [TimeField] = []
  /// Message i has `fields[starts[i]..<starts[i + 1]]`.
  private(set) var starts: [Int] = [0]
  /// By observation domain: by how much sequence numbers go on from one loop to the next.
  private(set) var sequenceSteps: [UInt32: UInt32] = [:]

  /// - Parameter times: whether flow times are looked for; without, only sequence numbers.
  init(_ capture: Capture, times: Bool) {
    let session = Session(copying: flowcep_session(), name: capture.path)
    let decoder = SessionDecoder(transport: UInt16(FLOWCEP_TRANSPORT_FILE), registry: ElementRegistry([]))
    var first: [UInt32: UInt32] = [:], next: [UInt32: UInt32] = [:]
    var located: [UInt64: [(FieldLocator, TimeForm)]] = [:]
    let buffer = Buffer(capacity: 65_536)
    for (index, message) in capture.messages.enumerated() {
      let source = UnsafeRawBufferPointer(rebasing: capture.bytes[message.offset..<message.offset + message.length])
      buffer.bytes.copyMemory(from: capture.bytes.baseAddress.unsafelyUnwrapped + message.offset, byteCount: message.length)
      let batch = BatchStorage(kind: .records, buffer: buffer, byteCount: message.length, recordCapacity: 64, messageCapacity: 1)
      let packet = flowcep_packet(session: session.raw, arrival_ns: 0, offset: 0, length: UInt32(message.length))
      decoder.decode(packet, into: batch, stamp: UInt64(index) + 1)

      let sequence = UInt32(bigEndian: source.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
      let domain = UInt32(bigEndian: source.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
      if first[domain] == nil { first[domain] = sequence }
      next[domain] = sequence &+ UInt32(batch.recordCount)
      if times { note(batch.view, &located) }
      starts.append(fields.count)
    }
    for (domain, start) in first { sequenceSteps[domain] = (next[domain] ?? start) &- start }
  }

  private mutating func note(_ batch: Batch, _ located: inout [UInt64: [(FieldLocator, TimeForm)]]) {
    for record in batch.records {
      let template = batch.template(at: Int(record.template_index))
      let places = located[template.serial] ?? CaptureIndex.timeFields(template)
      located[template.serial] = places
      for (place, form) in places {
        guard let start = place.bytes(in: batch.bytes(of: record)).baseAddress else { continue }
        fields.append(TimeField(offset: UInt16(truncatingIfNeeded: start - batch.bytes), form: form))
      }
    }
  }

  private static func timeFields(_ template: TemplateView) -> [(FieldLocator, TimeForm)] {
    template.fields.indices.compactMap { index in
      let field = template.fields[index]
      guard field.enterprise == 0, let form = TimeForm(element: field.element, length: field.length) else { return nil }
      return (FieldLocator(template, field: index), form)
    }
  }
}
