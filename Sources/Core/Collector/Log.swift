import CLinux
import Glibc
public import Logging
import PluginHost
import Synchronization

/// Where log lines go: standard error, or the system's log.
public final class LogTarget: Sendable {
  public enum Sink: Int, Sendable { case standardError, systemLog }

  private let sink = Atomic<Int>(Sink.standardError.rawValue)
  private let threshold: Atomic<Int>

  /// - Parameter verbosity: 0 errors, 1 warnings, 2 information, 3 debugging.
  public init(verbosity: Int) {
    threshold = Atomic(verbosity)
  }

  /// From now on lines go to the system's log, and so does the last one of a crash.
  ///
  /// - Returns: why nobody reads it, or nil.
  public func switchToSystemLog() -> String? {
    // Tests have a log of their own.
    let path = getenv("FLOWCEP_SYSTEM_LOG").map { String(cString: $0) } ?? "/dev/log"
    let status = flowcep_open_system_log(path)
    sink.store(Sink.systemLog.rawValue, ordering: .relaxed)
    return status == 0 ? nil : "\(path): \(String(cString: strerror(status)))"
  }

  /// A logger of a component: of an instance, or of a part of the collector.
  public func logger(_ component: String) -> Logger {
    Logger(label: component) { LineLogHandler(component: $0, target: self) }
  }

  public func warn(_ component: String, _ text: String) { logger(component).warning("\(text)") }

  var level: Logger.Level {
    let levels: [Logger.Level] = [.error, .warning, .info, .debug]
    return levels[max(0, min(3, threshold.load(ordering: .relaxed)))]
  }

  /// One line, whole, in one system call.
  func write(_ level: Logger.Level, _ component: String, _ text: String) {
    let flat = text.contains("\n") ? text.split(separator: "\n").joined(separator: " | ") : text
    if sink.load(ordering: .relaxed) == Sink.systemLog.rawValue {
      let priority = level >= .error ? LOG_ERR : level == .warning ? LOG_WARNING : level >= .info ? LOG_INFO : LOG_DEBUG
      _ = flowcep_system_log(priority, "\(component): \(flat)")
      return
    }
    var line = "\(TimeText.utc(Clock.wall())) \(level.rawValue) \(component): \(flat)\n"
    line.withUTF8 { bytes in flowcep_write_error(bytes.baseAddress, bytes.count) }
  }
}

/// swift-log's handler for `LogTarget`: time, level, component, message.
struct LineLogHandler: LogHandler {
  let component: String
  let target: LogTarget
  var metadata: Logger.Metadata = [:]
  private var ownLevel: Logger.Level?

  init(component: String, target: LogTarget) {
    self.component = component
    self.target = target
  }

  var logLevel: Logger.Level {
    get { ownLevel ?? target.level }
    set { ownLevel = newValue }
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    target.write(event.level, component, "\(event.message)")
  }
}
