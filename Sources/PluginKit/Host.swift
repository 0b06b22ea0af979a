public import PluginABI
public import RecordBatch

/// What the host offers to one instance. A value; may be kept and used until the instance is destroyed.
public struct Host: @unchecked Sendable {
  public enum Level: Int32, Sendable { case error = 0, warning, info, debug }

  public let raw: UnsafePointer<flowcep_host>

  public init(_ raw: UnsafePointer<flowcep_host>) { self.raw = raw }

  /// As in the configuration, for messages.
  public var instanceName: String { raw.pointee.instance_name.map { String(cString: $0) } ?? "" }

  // MARK: Messages

  public func log(_ level: Level, _ text: String) { raw.pointee.log(raw, level.rawValue, text) }

  /// A mistake in what the user wrote. From validate and create.
  public func report(
    error message: String, file: String? = nil, line: Int = 0, column: Int = 0, suggestion: String? = nil, excerpt: String? = nil,
    severity: UInt32 = UInt32(FLOWCEP_SEVERITY_ERROR), endLine: Int = 0, endColumn: Int = 0
  ) {
    withOptionalCString(file) { file in
      withOptionalCString(suggestion) { suggestion in
        withOptionalCString(excerpt) { excerpt in
          message.withCString { message in
            var diagnostic = flowcep_diagnostic(
              struct_size: UInt32(MemoryLayout<flowcep_diagnostic>.size), severity: severity, file: file, line: UInt32(line),
              column: UInt32(column), end_line: UInt32(endLine), end_column: UInt32(endColumn), message: message,
              suggestion: suggestion, excerpt: excerpt)
            raw.pointee.report(raw, &diagnostic)
          }
        }
      }
    }
  }

  // MARK: Clock

  /// Nanoseconds since 1970.
  public var wallNanoseconds: UInt64 { raw.pointee.wall_ns(raw) }
  public var monotonicNanoseconds: UInt64 { raw.pointee.monotonic_ns(raw) }
  /// Nanoseconds left for draining once the collector is stopping; nil while it is not.
  public var stopNanosecondsLeft: UInt64? {
    let left = raw.pointee.stop_ns_left(raw)
    return left == .max ? nil : left
  }
  /// Becomes readable when the collector stops. Never read from it.
  public var stopDescriptor: Int32 { raw.pointee.stop_descriptor(raw) }

  // MARK: Counters

  /// The reason is the name: "peer-away".
  public func droppedCounter(_ reason: String, help: String) -> Counter { counter(reason, UInt32(FLOWCEP_COUNT_DROPPED), help) }
  public func deliveredCounter() -> Counter {
    counter("delivered", UInt32(FLOWCEP_COUNT_DELIVERED), "Records that reached their destination.")
  }
  public func lostCounter(_ reason: String, help: String) -> Counter { counter(reason, UInt32(FLOWCEP_COUNT_LOST), help) }
  public func informationCounter(_ name: String, help: String) -> Counter {
    counter(name, UInt32(FLOWCEP_COUNT_INFORMATION), help)
  }

  /// A number that goes up and down, by `set`.
  public func gauge(_ name: String, help: String) -> Counter { counter(name, UInt32(FLOWCEP_COUNT_GAUGE), help) }

  /// A counter of a part of the instance that a label names (`statement`, `PortScan`); of the whole where the host is older.
  ///
  /// - Parameter kind: `FLOWCEP_COUNT_…`
  public func counter(_ name: String, kind: UInt32, label: String, value: String, help: String) -> Counter {
    guard let raw = raw.pointee.extension(self.raw, FLOWCEP_METRICS_EXTENSION) else { return counter(name, kind, help) }
    let make = raw.assumingMemoryBound(to: flowcep_metrics.self).pointee.counter
    return Counter(make?(self.raw, name, kind, label, value, help), add: self.raw.pointee.counter_add, set: self.raw.pointee.counter_set)
  }

  /// - Parameter kind: `FLOWCEP_COUNT_…`
  public func counter(_ name: String, kind: UInt32, help: String) -> Counter { counter(name, kind, help) }

  private func counter(_ name: String, _ kind: UInt32, _ help: String) -> Counter {
    Counter(raw.pointee.counter(raw, name, kind, help), add: raw.pointee.counter_add, set: raw.pointee.counter_set)
  }

  // MARK: Queue

  /// The queue before this output; nil where the host is older. To be asked for once.
  public var queue: OutputQueue? { OutputQueue(raw) }

  // MARK: Inputs

  /// - Parameter name: for people: "127.0.0.1:40312".
  public func openSession(_ description: flowcep_session, name: String) throws(PluginError) -> UnsafePointer<flowcep_session> {
    let session = name.withCString { name in
      var description = description
      description.name = name
      return raw.pointee.session_open(raw, &description)
    }
    guard let session else { throw PluginError("the host refused the session of \(name)") }
    return session
  }

  /// - Parameter reason: nil for an orderly end.
  public func closeSession(_ session: UnsafePointer<flowcep_session>, reason: String? = nil) {
    withOptionalCString(reason) { raw.pointee.session_close(raw, session, $0) }
  }

  /// Memory to receive into; nil when the collector stops. Ends with `emit` or `release`.
  public func newBuffer(capacity: Int) -> flowcep_buffer? {
    let buffer = raw.pointee.buffer_new(raw, capacity)
    return buffer.bytes == nil ? nil : buffer
  }

  public func release(_ buffer: flowcep_buffer) { raw.pointee.buffer_release(raw, buffer) }

  /// Hands a buffer over with the messages in it; it is the host's from then on. False when the collector stops.
  public func emit(_ buffer: flowcep_buffer, packets: UnsafeBufferPointer<flowcep_packet>) throws(PluginError) -> Bool {
    switch raw.pointee.emit_packets(raw, buffer, packets.baseAddress, packets.count) {
    case FLOWCEP_OK_STATUS: return true
    case FLOWCEP_STOPPED_STATUS: return false
    default: throw PluginError("the host took no packets")
    }
  }

  // MARK: Intermediates and outputs

  /// Passes a batch of records on to what comes next.
  public func emit(_ batch: Batch) throws(PluginError) { try check(raw.pointee.emit(raw, batch.raw), "the next stage took no batch") }

  /// Passes a batch on to an exporting process that the configuration names.
  public func emit(_ batch: Batch, to process: String) throws(PluginError) {
    try check(raw.pointee.emit_to(raw, process, batch.raw), "exporting process \"\(process)\" took no batch")
  }

  /// The batch with bytes that may be changed; lives until process returns.
  public func makeWritable(_ batch: Batch) throws(PluginError) -> Batch {
    guard let writable = raw.pointee.make_writable(raw, batch.raw) else { throw PluginError("no writable batch to be had") }
    return Batch(writable)
  }

  /// The batch with other records; lives until process returns.
  public func with(_ records: UnsafeBufferPointer<flowcep_record>, in batch: Batch) throws(PluginError) -> Batch {
    guard let other = raw.pointee.with_records(raw, batch.raw, records.baseAddress, records.count) else {
      throw PluginError("the host refused the records")
    }
    return Batch(other)
  }

  /// A template of one's own, which lives until it is released and as long as a batch refers to it.
  public func newTemplate(_ description: inout flowcep_template) throws(PluginError) -> TemplateView {
    guard let layout = raw.pointee.template_new(raw, &description) else { throw PluginError("the host refused the template") }
    return TemplateView(layout)
  }

  public func release(_ template: TemplateView) { raw.pointee.template_release(raw, template.raw) }

  /// A batch of records of one's own, copied out of the description; lives until process or poll returns.
  public func newBatch(_ description: inout flowcep_batch) throws(PluginError) -> Batch {
    guard let batch = raw.pointee.batch_new(raw, &description) else { throw PluginError("the host refused the batch") }
    return Batch(batch)
  }

  /// Keeps a batch beyond the call that gave it.
  public func retain(_ batch: Batch) { raw.pointee.batch_retain(raw, batch.raw) }
  public func release(_ batch: Batch) { raw.pointee.batch_release(raw, batch.raw) }

  private func check(_ status: flowcep_status, _ message: String) throws(PluginError) {
    // A collector that stops has counted the batch; the plugin goes on to its own end.
    if status != FLOWCEP_OK_STATUS && status != FLOWCEP_STOPPED_STATUS { throw PluginError(message) }
  }
}

/// A counter of an instance; the host adds up and reports.
public struct Counter: @unchecked Sendable {
  private let raw: OpaquePointer?
  private let addFunction: @convention(c) (OpaquePointer?, UInt64) -> Void
  private let setFunction: @convention(c) (OpaquePointer?, UInt64) -> Void

  init(
    _ raw: OpaquePointer?, add: @escaping @convention(c) (OpaquePointer?, UInt64) -> Void,
    set: @escaping @convention(c) (OpaquePointer?, UInt64) -> Void
  ) {
    self.raw = raw
    addFunction = add
    setFunction = set
  }

  public func add(_ amount: Int) { if amount > 0 { addFunction(raw, UInt64(amount)) } }
  public func set(_ value: UInt64) { setFunction(raw, value) }
}

/// The queue before an output.
public struct OutputQueue: @unchecked Sendable {
  private let host: UnsafePointer<flowcep_host>
  private let pressureFunction: @convention(c) (UnsafePointer<flowcep_host>?) -> UInt32

  init?(_ host: UnsafePointer<flowcep_host>) {
    let raw = host.pointee.extension(host, FLOWCEP_QUEUE_EXTENSION)
    guard let function = raw?.assumingMemoryBound(to: flowcep_queue.self).pointee.pressure else { return nil }
    (self.host, pressureFunction) = (host, function)
  }

  /// How much of its room is taken, in thousandths, where records that find it full are lost; 0 where whoever sends them can wait.
  /// From the instance's own thread.
  public var pressure: Int { Int(pressureFunction(host)) }
}

/// What went wrong, in words for the operator: what was found, what was expected, no full stop.
public struct PluginError: Error, Sendable {
  public let message: String
  public init(_ message: String) { self.message = message }
}

let FLOWCEP_OK_STATUS = flowcep_status(FLOWCEP_OK)
let FLOWCEP_STOPPED_STATUS = flowcep_status(FLOWCEP_STOPPED)

func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
  if let text { text.withCString { body($0) } } else { body(nil) }
}
