import Glibc
import OutputKit
import PluginKit

/// Files, a new one for each window of time.
final class FileSink: Sink {
  private let host: Host
  private let counters: SinkCounters
  private let diskFull: Counter
  private let failed: Counter
  private var windows: FileWindows
  private var writeBehind: WriteBehind
  /// A device or a pipe of that name is written to as it is; it has no windows.
  private let device: String?
  private var descriptor: Int32 = -1
  private var path = ""
  /// A failure is said once, until writing succeeds again.
  private var saidFailure = false

  init(_ host: Host, _ options: Options, _ counters: SinkCounters) throws(PluginError) {
    guard let folder = options.text("path") else { throw PluginError("an output of type \"file\" needs a \"path\"") }
    let interval = options.group("dumpInterval")
    (self.host, self.counters) = (host, counters)
    writeBehind = WriteBehind(host)
    device = Self.isDevice(folder) ? folder : nil
    windows = FileWindows(
      folder: folder, prefix: options.text("prefix") ?? "", name: options.text("name"),
      seconds: (interval?.integer("timeWindow") ?? 300_000_000_000) / 1_000_000_000, isAligned: interval?.boolean("timeAlignment") ?? true)
    diskFull = counters.dropped("disk-full", help: "Records that the file system had no room for.")
    failed = counters.dropped("write-failed", help: "Records that could not be written to their file.")
  }

  /// A folder that cannot be written to is told at once.
  func start() throws(PluginError) {
    if let error = openCurrent() { throw PluginError("cannot write to \(path): \(String(cString: strerror(error))); change \"path\"") }
    host.log(.info, "writing to \(path)")
  }

  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) {
    if let error = openCurrent() { return drop(lineEnds.count, error) }
    let (written, error) = LineFile.write(bytes, to: descriptor)
    if device == nil { writeBehind.wrote(written, to: descriptor) }
    if error == 0 {
      counters.delivered.add(lineEnds.count)
      saidFailure = false
      return
    }
    let whole = lineEnds.prefix { $0 <= written }.count
    counters.delivered.add(whole)
    cutPartialLine(written - (whole > 0 ? lineEnds[whole - 1] : 0))
    drop(lineEnds.count - whole, error)
  }

  /// A file is complete when its window ends, not when the next record comes; the next one is made when it is needed.
  func tick() {
    if device == nil, windows.hasEnded(at: Int(host.wallNanoseconds / 1_000_000_000)) { closeCurrent() }
  }

  func stop() { closeCurrent() }

  /// Opens the window's file where it is not open yet; returns the errno of a failure.
  private func openCurrent() -> Int32? {
    let now = Int(host.wallNanoseconds / 1_000_000_000)
    guard descriptor < 0 || (device == nil && windows.hasEnded(at: now)) else { return nil }
    closeCurrent()
    path = device ?? windows.begin(at: now)
    if device == nil, let slash = path.lastIndex(of: "/"), let error = Self.makeFolder(String(path[..<slash])) { return error }
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    return descriptor < 0 ? errno : nil
  }

  private func closeCurrent() {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  /// A full disk takes a part of a line; the file is to hold whole ones.
  private func cutPartialLine(_ count: Int) {
    guard count > 0 else { return }
    let end = lseek(descriptor, 0, SEEK_END)
    if end >= count { ftruncate(descriptor, end - count) }
  }

  private func drop(_ count: Int, _ error: Int32) {
    (error == ENOSPC || error == EDQUOT ? diskFull : failed).add(count)
    if !saidFailure { host.log(.error, "cannot write to \(path): \(String(cString: strerror(error))); trying again") }
    saidFailure = true
  }

  private static func isDevice(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT)
  }

  private static func makeFolder(_ path: String) -> Int32? {
    if path.isEmpty || mkdir(path, 0o755) == 0 || errno == EEXIST { return nil }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/") else { return errno }
    if let error = makeFolder(String(path[..<slash])) { return error }
    return mkdir(path, 0o755) == 0 || errno == EEXIST ? nil : errno
  }
}
