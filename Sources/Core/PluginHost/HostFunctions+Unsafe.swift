import Diagnostics
import Glibc
import PluginABI
import RecordBatch
import Synchronization
import Telemetry

/// The host's functions for messages, option values, clock, counters and lookup.
enum HostFunctions {
  static func fill(_ host: UnsafeMutablePointer<flowcep_host>) {
    fillMessages(host)
    fillValues(host)
    fillClock(host)
    fillCounters(host)
    fillLookup(host)
  }

  private static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }

  private static func fillMessages(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.log = { host, level, text in
      guard let context = InstanceContext.from(host) else { return }
      context.services.log(HostServices.LogLevel(rawValue: level) ?? .info, context.name, HostFunctions.text(text))
    }
    host.pointee.set_error = { host, text in
      let message = HostFunctions.text(text)
      InstanceContext.from(host)?.shared.withLock { $0.error = message }
    }
    host.pointee.report = { host, diagnostic in
      guard let context = InstanceContext.from(host), let diagnostic else { return }
      guard diagnostic.pointee.struct_size == MemoryLayout<flowcep_diagnostic>.size else {
        context.refuse("it reports a diagnostic of \(diagnostic.pointee.struct_size) bytes")
        return
      }
      let made = HostFunctions.diagnostic(diagnostic.pointee)
      context.shared.withLock { $0.reported.append(made) }
    }
  }

  private static func diagnostic(_ raw: flowcep_diagnostic) -> Diagnostic {
    func position(_ line: UInt32, _ column: UInt32) -> SourcePosition? {
      line == 0 ? nil : SourcePosition(line: Int(line), column: max(1, Int(column)))
    }
    let severities: [Diagnostic.Severity] = [.error, .warning, .note]
    return Diagnostic(
      raw.severity < 3 ? severities[Int(raw.severity)] : .error, file: raw.file.map { String(cString: $0) },
      start: position(raw.line, raw.column), end: position(raw.end_line, raw.end_column), message: text(raw.message),
      suggestion: raw.suggestion.map { String(cString: $0) }, excerpt: raw.excerpt.map { String(cString: $0) })
  }

  private static func fillValues(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.value_count = { _, values, option in
      guard let values, let option else { return 0 }
      return ValueBox.from(values).count(String(cString: option))
    }
    host.pointee.value_text = { _, values, option, index in
      guard let values, let option else { return nil }
      return ValueBox.from(values).text(String(cString: option), Int(index))
    }
    host.pointee.value_integer = { _, values, option, index in
      guard let values, let option else { return 0 }
      return ValueBox.from(values).integer(String(cString: option), Int(index))
    }
    host.pointee.value_real = { _, values, option, index in
      guard let values, let option else { return 0 }
      return ValueBox.from(values).real(String(cString: option), Int(index))
    }
    host.pointee.value_group = { _, values, option, index in
      guard let values, let option else { return nil }
      return ValueBox.from(values).group(String(cString: option), Int(index))
    }
    host.pointee.value_place = { _, values, option, index in
      guard let values, let option else { return flowcep_place(file: nil, line: 0, column: 0) }
      return ValueBox.from(values).place(String(cString: option), Int(index))
    }
  }

  private static func fillClock(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.wall_ns = { _ in Clock.wall() }
    host.pointee.monotonic_ns = { _ in Clock.monotonic() }
    host.pointee.stop_ns_left = { host in InstanceContext.from(host)?.services.stop.nanosecondsLeft ?? .max }
    host.pointee.stop_descriptor = { host in InstanceContext.from(host)?.services.stop.descriptor ?? -1 }
  }

  private static func fillCounters(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.counter = { host, name, kind, help in
      guard let context = InstanceContext.from(host), let name else { return nil }
      let counter = context.services.counters.counter(
        context.name, String(cString: name), Counter.Kind(rawValue: kind) ?? .information, help: HostFunctions.text(help))
      // The registry keeps it for as long as the process runs.
      return OpaquePointer(Unmanaged.passUnretained(counter).toOpaque())
    }
    host.pointee.counter_add = { counter, amount in
      guard let counter else { return }
      Unmanaged<Counter>.fromOpaque(UnsafeRawPointer(counter))._withUnsafeGuaranteedRef { $0.add(amount) }
    }
    host.pointee.counter_set = { counter, value in
      guard let counter else { return }
      Unmanaged<Counter>.fromOpaque(UnsafeRawPointer(counter))._withUnsafeGuaranteedRef { $0.set(value) }
    }
  }

  private static func fillLookup(_ host: UnsafeMutablePointer<flowcep_host>) {
    host.pointee.field_index = { _, layout, name in
      guard let layout, let name else { return -1 }
      return Int32(TemplateView(layout).fieldIndex(named: String(cString: name)) ?? -1)
    }
    host.pointee.`extension` = { host, id in
      guard let context = InstanceContext.from(host), let id else { return nil }
      switch String(cString: id) {
      case FLOWCEP_ELEMENTS_EXTENSION: return UnsafeRawPointer(context.services.elements.raw)
      case FLOWCEP_FUNCTIONS_EXTENSION: return context.services.functions(for: context.name).map { UnsafeRawPointer($0.raw) }
      case FLOWCEP_METRICS_EXTENSION: return UnsafeRawPointer(context.services.metrics)
      case FLOWCEP_QUEUE_EXTENSION: return UnsafeRawPointer(context.services.queue)
      default: return nil
      }
    }
  }

  /// The extension `flowcep.metrics/1`; lives as long as the process.
  static func makeMetrics() -> UnsafeMutablePointer<flowcep_metrics> {
    let metrics = UnsafeMutablePointer<flowcep_metrics>.allocate(capacity: 1)
    metrics.initialize(to: flowcep_metrics())
    metrics.pointee.struct_size = UInt32(MemoryLayout<flowcep_metrics>.size)
    metrics.pointee.counter = { host, name, kind, label, value, help in
      guard let context = InstanceContext.from(host), let name, let label, let value else { return nil }
      let counter = context.services.counters.counter(
        context.name, String(cString: name), Counter.Kind(rawValue: kind) ?? .information,
        label: Counter.Label(name: String(cString: label), value: String(cString: value)), help: HostFunctions.text(help))
      return OpaquePointer(Unmanaged.passUnretained(counter).toOpaque())
    }
    return metrics
  }

  /// The extension `flowcep.queue/1`; lives as long as the process.
  static func makeQueue() -> UnsafeMutablePointer<flowcep_queue> {
    let queue = UnsafeMutablePointer<flowcep_queue>.allocate(capacity: 1)
    queue.initialize(to: flowcep_queue())
    queue.pointee.struct_size = UInt32(MemoryLayout<flowcep_queue>.size)
    queue.pointee.pressure = { host in UInt32(clamping: InstanceContext.from(host)?.sink?.pressure ?? 0) }
    return queue
  }
}
