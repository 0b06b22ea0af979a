public import Configuration
import Diagnostics
import Glibc
public import PluginABI
public import RecordBatch
import Synchronization
public import Telemetry

/// Where what an instance gives away goes. Called on the instance's thread.
public protocol InstanceSink: AnyObject {
  /// Packets of an input, in `used` bytes of a buffer.
  func take(_ packets: UnsafeBufferPointer<flowcep_packet>, in buffer: Buffer, used: Int) -> flowcep_status
  func opened(_ session: Session)
  func closed(_ session: Session, reason: String?)
  /// A batch for an exporting process.
  func take(_ batch: BatchStorage, for process: String) -> flowcep_status
  /// How full the queue before the instance is, in thousandths, where what finds it full is lost.
  var pressure: Int { get }
}

/// The host's side of one instance: the struct of functions that the plugin gets, and everything that it has been lent.
public final class InstanceContext: @unchecked Sendable {
  public let services: HostServices
  public let name: InstanceName
  public let file: String
  let host: UnsafeMutablePointer<flowcep_host>
  let values: ValueBox
  /// For the last line of a crash.
  let label: UnsafePointer<CChar>
  /// Set before the instance starts.
  public weak var sink: (any InstanceSink)?

  /// What any thread may touch.
  struct Shared {
    var error: String?
    var reported: [Diagnostic] = []
    /// A plugin that goes on doing what it must not is not said at every batch.
    var silentUntil: UInt64 = 0
    var retained: [UInt: (batch: BatchStorage, count: Int)] = [:]
  }
  let shared = Mutex(Shared())

  // What the instance's own thread touches (or [main] while there is none).
  var current: BatchStorage?
  /// The header of a batch that may be written to, as it must still be when it is emitted.
  var writable: (batch: BatchStorage, header: flowcep_batch)?
  var temporaries: [BatchStorage] = []
  var emitted: [BatchStorage] = []
  var templates: [UInt: Template] = [:]
  var sessions: [UInt: Session] = [:]
  var buffers: Set<UInt> = []
  var lastSession: (raw: UnsafePointer<flowcep_session>, session: Session)?

  public init(services: HostServices, name: InstanceName, file: String, values: OptionValues, table: [OptionRow]) {
    self.services = services
    self.name = name
    self.file = file
    self.values = ValueBox(values, table)
    // Lives on: a signal handler may read it at any time.
    label = UnsafePointer(strdup("\(name), \(file)"))
    host = .allocate(capacity: 1)
    host.initialize(to: flowcep_host())
    host.pointee.struct_size = UInt32(MemoryLayout<flowcep_host>.size)
    host.pointee.abi_version = UInt32(FLOWCEP_ABI_VERSION)
    host.pointee.instance_name = UnsafePointer(strdup(name.name))
    host.pointee.host_data = Unmanaged.passUnretained(self).toOpaque()
    HostFunctions.fill(host)
    BatchFunctions.fill(host)
  }

  deinit {
    free(UnsafeMutablePointer(mutating: host.pointee.instance_name))
    host.deallocate()
  }

  static func from(_ host: UnsafePointer<flowcep_host>?) -> InstanceContext? {
    guard let data = host?.pointee.host_data else { return nil }
    return Unmanaged<InstanceContext>.fromOpaque(data).takeUnretainedValue()
  }

  /// The message that the plugin left, taken.
  func takeError() -> String? {
    shared.withLock { shared in
      defer { shared.error = nil }
      return shared.error
    }
  }

  func takeReported() -> [Diagnostic] {
    shared.withLock { shared in
      defer { shared.reported = [] }
      return shared.reported
    }
  }

  /// A plugin did what the contract forbids: said in the log (every 10 s at most), and left as the reason of the failure.
  public func refuse(_ reason: String) {
    let now = Clock.monotonic()
    let isSaid = shared.withLock { shared in
      shared.error = reason
      guard now >= shared.silentUntil else { return false }
      shared.silentUntil = now + 10_000_000_000
      return true
    }
    if isSaid { services.log(.error, name, "\(file): \(reason)") }
  }

  /// The storage of a batch that this instance was given and may still refer to; nil for any other pointer.
  func owned(_ raw: UnsafePointer<flowcep_batch>?) -> BatchStorage? {
    guard let raw else { return nil }
    if let current, current.raw == raw { return current }
    if let found = temporaries.last(where: { $0.raw == raw }) { return found }
    return shared.withLock { $0.retained[UInt(bitPattern: raw)]?.batch }
  }

  /// Ends what lives until process or poll returns, and gives what was emitted.
  func endCall() -> [BatchStorage] {
    current = nil
    writable = nil
    if !temporaries.isEmpty { temporaries.removeAll(keepingCapacity: true) }
    guard !emitted.isEmpty else { return [] }
    defer { emitted = [] }
    return emitted
  }
}
