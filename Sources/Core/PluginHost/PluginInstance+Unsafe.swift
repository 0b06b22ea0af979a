import CLinux
public import Configuration
public import Diagnostics
import Glibc
import PluginABI
public import RecordBatch
public import Telemetry

/// A plugin reported a failure, or gave nonsense. The message names the instance, its file and the reason.
public struct PluginFailure: Error, Sendable, CustomStringConvertible {
  public var description: String

  init(_ context: InstanceContext, _ action: String, _ reason: String?) {
    description = "\(context.name) (\(context.file)): \(action) failed: \(reason ?? "it gave no reason")"
  }
}

/// One running instance of a plugin. `process`, `poll` and `idle` belong to its stage's thread, everything else to the control
/// thread.
public final class PluginInstance: @unchecked Sendable {
  public let context: InstanceContext
  private let instance: UnsafeMutablePointer<flowcep_instance>
  private var isDestroyed = false

  public var name: InstanceName { context.name }

  private init(_ context: InstanceContext, _ instance: UnsafeMutablePointer<flowcep_instance>) {
    self.context = context
    self.instance = instance
  }

  /// Why an instance could not be made: what the plugin reported, or one error of ours.
  public struct CreateFailure: Error { public var diagnostics: [Diagnostic] }

  /// Makes an instance. Warnings that the plugin reports go to `warnings`.
  public static func create(
    _ library: PluginLibrary, _ use: PluginUse, name: InstanceName, services: HostServices, warnings: inout [Diagnostic]
  ) throws(CreateFailure) -> PluginInstance {
    let context = InstanceContext(
      services: services, name: name, file: library.path, values: use.values, table: use.table.options)
    let raw = context.inside { library.descriptor.pointee.create?(context.host, context.values.opaque) }
    let reported = context.takeReported()
    func failure(_ reason: String?) -> CreateFailure {
      let errors = reported.filter { $0.severity == .error }
      if !errors.isEmpty { return CreateFailure(diagnostics: reported) }
      return CreateFailure(diagnostics: reported + [use.place.diagnostic(.error, PluginFailure(context, "create", reason).description)])
    }
    guard let raw, reported.allSatisfy({ $0.severity != .error }) else { throw failure(context.takeError()) }
    if let fault = fault(of: raw.pointee, use.kind) { throw failure(fault) }
    warnings += reported
    return PluginInstance(context, raw)
  }

  private static func fault(of instance: flowcep_instance, _ kind: PluginKind) -> String? {
    let expected = MemoryLayout<flowcep_instance>.size
    guard instance.struct_size == expected else { return "its instance has \(instance.struct_size) bytes, expected \(expected)" }
    guard instance.destroy != nil else { return "its instance has no destroy" }
    if kind == .input { return instance.poll == nil ? "its instance has no poll" : nil }
    return instance.process == nil ? "its instance has no process" : nil
  }

  /// What the plugin itself has to say about its options; starts nothing.
  public static func validate(_ library: PluginLibrary, _ use: PluginUse, name: InstanceName, services: HostServices) -> [Diagnostic] {
    guard let validate = library.descriptor.pointee.validate else { return [] }
    let context = InstanceContext(
      services: services, name: name, file: library.path, values: use.values, table: use.table.options)
    let status = context.inside { validate(context.host, context.values.opaque) }
    let reported = context.takeReported()
    if status == BatchFunctions.ok || reported.contains(where: { $0.severity == .error }) { return reported }
    let reason = context.takeError() ?? "it gave no reason"
    return reported + [use.place.diagnostic(.error, "\(name): \(reason)")]
  }

  public func start() throws(PluginFailure) {
    guard let start = instance.pointee.start else { return }
    _ = try check(context.inside { start(instance) }, "start")
  }

  /// Hands over a batch, and the caller's reference with it. Returns what an intermediate emitted.
  public func process(_ batch: consuming BatchStorage) throws(PluginFailure) -> [BatchStorage] {
    let raw = UnsafePointer(batch.raw)
    context.current = consume batch
    guard let process = instance.pointee.process else { return [] }
    let status = context.inside { process(instance, raw) }
    let emitted = context.endCall()
    _ = try check(status, "process")
    return emitted
  }

  /// Lets an input receive. False when it will give nothing more.
  public func poll(timeoutMilliseconds: UInt32) throws(PluginFailure) -> Bool {
    guard let poll = instance.pointee.poll else { return false }
    let status = context.inside { poll(instance, timeoutMilliseconds) }
    _ = context.endCall()
    return try check(status, "poll", mayEnd: true) != flowcep_status(FLOWCEP_END)
  }

  /// Waits, for the stage's thread. True once the collector stops.
  public func waitForStop(milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: context.services.stop.descriptor, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&entry, 1, milliseconds) > 0
  }

  /// No batch is waiting. Returns what an intermediate emitted.
  public func idle() throws(PluginFailure) -> [BatchStorage] {
    guard let idle = instance.pointee.idle else { return [] }
    let status = context.inside { idle(instance) }
    let emitted = context.endCall()
    _ = try check(status, "idle")
    return emitted
  }

  public func stop() {
    guard let stop = instance.pointee.stop else { return }
    context.inside { stop(instance) }
  }

  /// Once, after `stop`; no other thread is inside. A message that the plugin leaves there is returned.
  public func destroy() -> PluginFailure? {
    guard !isDestroyed else { return nil }
    isDestroyed = true
    _ = context.takeError()
    context.inside { instance.pointee.destroy?(instance) }
    _ = context.endCall()
    return context.takeError().map { PluginFailure(context, "destroy", $0) }
  }

  private func check(_ status: flowcep_status, _ action: String, mayEnd: Bool = false) throws(PluginFailure) -> flowcep_status {
    switch Int(status) {
    case Int(FLOWCEP_OK), Int(FLOWCEP_STOPPED): return status
    case Int(FLOWCEP_END) where mayEnd: return status
    case Int(FLOWCEP_FAILED): throw PluginFailure(context, action, context.takeError())
    default: throw PluginFailure(context, action, "it returned \(status), which is no status of \(action)")
    }
  }
}

extension InstanceContext {
  /// Calls into the plugin, with its name where a crash would look for it.
  func inside<R>(_ body: () -> R) -> R {
    let previous = flowcep_enter_plugin(label)
    defer { flowcep_leave_plugin(previous) }
    return body()
  }
}
