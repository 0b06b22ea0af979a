import Glibc

/// What one run of a program took.
struct Measurement {
  /// User and system time, in seconds.
  var cpuSeconds: Double
  var wallSeconds: Double
  var peakMegabytes: Double

  /// Runs a program to its end with standard output to /dev/null.
  ///
  /// - Throws: ``BenchmarkError`` where it cannot be started or fails.
  static func run(_ arguments: [String]) throws(BenchmarkError) -> Measurement {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    let words = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let start = ContinuousClock.now
    let status = posix_spawn(&child, arguments[0], &actions, nil, words, environ)
    guard status == 0 else { throw BenchmarkError("cannot run \(arguments[0]): \(String(cString: strerror(status)))") }
    var ended: Int32 = 0
    var usage = rusage()
    while wait4(child, &ended, 0, &usage) < 0, errno == EINTR {}
    guard ended == 0 else { throw BenchmarkError("\(arguments.joined(separator: " ")) failed (status \(ended))") }
    let wall = start.duration(to: .now) / .seconds(1)
    return Measurement(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), wallSeconds: wall, peakMegabytes: Double(usage.ru_maxrss) / 1024)
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// Why nothing could be measured.
struct BenchmarkError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
