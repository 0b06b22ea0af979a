import Glibc
public import Logging
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

  public func switchTo(_ sink: Sink) {
    if sink == .systemLog { openlog(nil, LOG_PID, LOG_DAEMON) }
    self.sink.store(sink.rawValue, ordering: .relaxed)
  }

  /// A logger of a component: of an instance, or of a part of the collector.
  public func logger(_ component: String) -> Logger {
    Logger(label: component) { LineLogHandler(component: $0, target: self) }
  }

  var level: Logger.Level {
    let levels: [Logger.Level] = [.error, .warning, .info, .debug]
    return levels[max(0, min(3, threshold.load(ordering: .relaxed)))]
  }

  /// One line, whole, in one system call.
  func write(_ level: Logger.Level, _ component: String, _ text: String) {
    let flat = text.contains("\n") ? text.split(separator: "\n").joined(separator: " | ") : text
    if sink.load(ordering: .relaxed) == Sink.systemLog.rawValue {
      let priority = level >= .error ? LOG_ERR : level == .warning ? LOG_WARNING : level >= .info ? LOG_INFO : LOG_DEBUG
      "\(component): \(flat)".withCString { line in
        withVaList([line]) { vsyslog(priority, "%s", $0) }
      }
      return
    }
    var line = "\(Self.now()) \(level.rawValue) \(component): \(flat)\n"
    line.withUTF8 { bytes in _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
  }

  /// `2026-11-23T22:10:14.123Z`.
  private static func now() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
      let text = String(value)
      return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let date = [digits(Int(parts.tm_year) + 1900, 4), digits(Int(parts.tm_mon) + 1, 2), digits(Int(parts.tm_mday), 2)]
    let clock = [digits(Int(parts.tm_hour), 2), digits(Int(parts.tm_min), 2), digits(Int(parts.tm_sec), 2)]
    return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(digits(time.tv_nsec / 1_000_000, 3))Z"
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
