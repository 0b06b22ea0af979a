public import PluginABI

/// A batch, the host's side: owns records and messages, and shares bytes, templates and sessions by reference.
///
/// Filled by one thread, then sealed, then shared read-only. Swift's own reference count is the count that crosses the wall.
public final class BatchStorage: @unchecked Sendable {
  public let raw: UnsafeMutablePointer<flowcep_batch>
  public private(set) var buffer: Buffer?
  public private(set) var templates: [Template] = []
  private var sessions: [Session] = []
  private var templatePointers: UnsafeMutablePointer<UnsafePointer<flowcep_template>?>
  private var templateCapacity: Int
  /// Written to directly by the decoder, after `reserveRecords`.
  public private(set) var records: UnsafeMutablePointer<flowcep_record>
  private var recordCapacity: Int
  public private(set) var messages: UnsafeMutablePointer<flowcep_message>
  private var messageCapacity: Int

  public init(kind: Batch.Kind, buffer: Buffer? = nil, byteCount: Int = 0, recordCapacity: Int = 0, messageCapacity: Int = 0) {
    self.buffer = buffer
    self.recordCapacity = max(1, recordCapacity)
    self.messageCapacity = max(1, messageCapacity)
    templateCapacity = 8
    records = .allocate(capacity: self.recordCapacity)
    messages = .allocate(capacity: self.messageCapacity)
    templatePointers = .allocate(capacity: templateCapacity)
    raw = .allocate(capacity: 1)
    raw.initialize(to: flowcep_batch())
    raw.pointee.struct_size = UInt32(MemoryLayout<flowcep_batch>.size)
    raw.pointee.kind = kind.rawValue
    raw.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
    raw.pointee.bytes = buffer.map { UnsafePointer($0.bytes.assumingMemoryBound(to: UInt8.self)) }
    raw.pointee.byte_count = byteCount
    raw.pointee.message_stride = UInt32(MemoryLayout<flowcep_message>.stride)
    raw.pointee.record_stride = UInt32(MemoryLayout<flowcep_record>.stride)
    raw.pointee.records = UnsafePointer(records)
    raw.pointee.messages = UnsafePointer(messages)
    raw.pointee.templates = UnsafePointer(templatePointers)
  }

  /// An event of a session (opened, closed).
  public convenience init(kind: Batch.Kind, session: Session) {
    self.init(kind: kind)
    sessions = [session]
    raw.pointee.session = UnsafePointer(session.raw)
  }

  deinit {
    records.deallocate()
    messages.deallocate()
    templatePointers.deallocate()
    raw.deallocate()
  }

  public var view: Batch { Batch(raw) }
  public var kind: Batch.Kind { view.kind }
  public var byteCount: Int {
    get { raw.pointee.byte_count }
    set { raw.pointee.byte_count = newValue }
  }
  public var recordCount: Int {
    get { Int(raw.pointee.record_count) }
    set { raw.pointee.record_count = UInt32(newValue) }
  }
  public var timeNanoseconds: UInt64 {
    get { raw.pointee.time_ns }
    set { raw.pointee.time_ns = newValue }
  }

  /// Bytes that this batch keeps alive; what a queue's budget counts.
  public var weight: Int {
    (buffer?.capacity ?? 0) + recordCapacity * MemoryLayout<flowcep_record>.stride
      + messageCapacity * MemoryLayout<flowcep_message>.stride + 256
  }

  /// Makes room for `count` more records behind `recordCount`.
  @inline(__always)
  public func reserveRecords(_ count: Int) {
    if recordCount + count > recordCapacity { growRecords(recordCount + count) }
  }

  private func growRecords(_ needed: Int) {
    let capacity = max(needed, recordCapacity * 2)
    let larger = UnsafeMutablePointer<flowcep_record>.allocate(capacity: capacity)
    larger.moveInitialize(from: records, count: recordCount)
    records.deallocate()
    records = larger
    recordCapacity = capacity
    raw.pointee.records = UnsafePointer(records)
  }

  /// Adds a message and returns its index. The batch keeps its session alive.
  public func append(_ message: flowcep_message) -> UInt32 {
    let count = Int(raw.pointee.message_count)
    if count == messageCapacity {
      let larger = UnsafeMutablePointer<flowcep_message>.allocate(capacity: messageCapacity * 2)
      larger.moveInitialize(from: messages, count: count)
      messages.deallocate()
      messages = larger
      messageCapacity *= 2
      raw.pointee.messages = UnsafePointer(messages)
    }
    if let session = message.session, count == 0 || messages[count - 1].session != session {
      sessions.append(Session.from(session))
    }
    messages.advanced(by: count).initialize(to: message)
    raw.pointee.message_count = UInt32(count + 1)
    return UInt32(count)
  }

  /// Takes the last message back, to which no record refers.
  public func takeBackMessage() { raw.pointee.message_count -= 1 }

  /// The index of a template in this batch, added where it is new. Call once per set, not per record.
  public func index(of template: Template) -> UInt32 {
    let serial = template.raw.pointee.serial
    for i in stride(from: templates.count - 1, through: 0, by: -1)
    where templatePointers[i]?.pointee.serial == serial { return UInt32(i) }
    if templates.count == templateCapacity {
      let larger = UnsafeMutablePointer<UnsafePointer<flowcep_template>?>.allocate(capacity: templateCapacity * 2)
      larger.moveInitialize(from: templatePointers, count: templates.count)
      templatePointers.deallocate()
      templatePointers = larger
      templateCapacity *= 2
      raw.pointee.templates = UnsafePointer(templatePointers)
    }
    templatePointers.advanced(by: templates.count).initialize(to: UnsafePointer(template.raw))
    templates.append(template)
    raw.pointee.template_count = UInt32(templates.count)
    return UInt32(templates.count - 1)
  }

  /// Makes room for `count` more bytes behind the others, and gives their offset; nil where a batch cannot hold so many.
  /// The bytes may move: pointers into them are void. Only before anybody else sees the batch.
  public func appendBytes(_ count: Int) -> Int? {
    let offset = byteCount
    guard offset + count <= Int(Int32.max) else { return nil }
    if !isKnownUniquelyReferenced(&buffer) || (buffer?.capacity ?? 0) - offset < count {
      let larger = Buffer(capacity: max(offset + count, offset * 2))
      if let buffer { larger.bytes.copyMemory(from: buffer.bytes, byteCount: offset) }
      buffer = larger
      raw.pointee.bytes = UnsafePointer(larger.bytes.assumingMemoryBound(to: UInt8.self))
    }
    byteCount = offset + count
    return offset
  }

  /// The storage of a batch that the host gave out.
  public static func from(_ raw: UnsafePointer<flowcep_batch>) -> BatchStorage {
    Unmanaged<BatchStorage>.fromOpaque(raw.pointee.owner).takeUnretainedValue()
  }

  /// The same records in bytes that nobody else sees: this batch itself where `reference` is the only one to it, else a copy.
  public static func makeWritable(_ reference: inout BatchStorage) -> BatchStorage {
    if isKnownUniquelyReferenced(&reference), reference.ownsBuffer() { return reference }
    return reference.copy(records: reference.view.records, copyingBytes: true)
  }

  private func ownsBuffer() -> Bool { buffer == nil || isKnownUniquelyReferenced(&buffer) }

  /// A batch of other records over the same bytes (or a copy of them), messages and templates.
  public func copy(records chosen: UnsafeBufferPointer<flowcep_record>, copyingBytes: Bool = false) -> BatchStorage {
    var shared = buffer
    if copyingBytes, let buffer {
      let own = Buffer(capacity: byteCount)
      own.bytes.copyMemory(from: buffer.bytes, byteCount: byteCount)
      shared = own
    }
    let other = BatchStorage(
      kind: kind, buffer: shared, byteCount: byteCount, recordCapacity: chosen.count,
      messageCapacity: Int(raw.pointee.message_count))
    for template in templates { _ = other.index(of: template) }
    other.sessions = sessions
    other.messages.initialize(from: messages, count: Int(raw.pointee.message_count))
    other.raw.pointee.message_count = raw.pointee.message_count
    if let start = chosen.baseAddress { other.records.initialize(from: start, count: chosen.count) }
    other.recordCount = chosen.count
    other.raw.pointee.session = raw.pointee.session
    other.timeNanoseconds = timeNanoseconds
    return other
  }
}
