import Glibc
import OutputKit
import PluginKit

/// Standard output.
final class PrintSink: Sink {
  private let host: Host
  private let counters: SinkCounters
  private let failed: Counter
  private var saidFailure = false

  init(_ host: Host, _ counters: SinkCounters) {
    (self.host, self.counters) = (host, counters)
    failed = counters.dropped("write-failed", help: "Records that standard output did not take.")
  }

  func start() throws(PluginError) {}

  func send(_ bytes: UnsafeRawBufferPointer, lineEnds: UnsafeBufferPointer<Int>) {
    let (written, error) = LineFile.write(bytes, to: STDOUT_FILENO)
    let whole = lineEnds.prefix { $0 <= written }.count
    counters.delivered.add(whole)
    guard error != 0 else { return }
    failed.add(lineEnds.count - whole)
    if !saidFailure { host.log(.error, "cannot write to standard output: \(String(cString: strerror(error)))") }
    saidFailure = true
  }
}

/// Writing lines to a descriptor.
enum LineFile {
  /// Writes as much as it can; waits where a descriptor does not block by itself.
  ///
  /// - Returns: bytes written, and the errno that ended it (0: everything is written).
  static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> (written: Int, error: Int32) {
    guard let start = bytes.baseAddress else { return (0, 0) }
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, start + written, bytes.count - written)
      if count >= 0 {
        written += count
      } else if errno == EAGAIN {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, 1000)
      } else if errno != EINTR {
        return (written, errno)
      }
    }
    return (written, 0)
  }
}
