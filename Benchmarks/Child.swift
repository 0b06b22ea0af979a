import Foundation
import Glibc

/// A process of a benchmark: started, listened to, waited for. What it took is the kernel's account of it alone.
final class Child: @unchecked Sendable {
  struct Usage {
    var cpuNanoseconds = 0
    var wallNanoseconds = 0
    var peakKiB = 0
  }

  let pid: pid_t
  private let arguments: [String]
  private let began = Child.monotonicNanoseconds()
  private let lock = NSCondition()
  private var lines: [String] = []
  private var hasEnded = false
  private var stdin: Int32

  /// The first of `arguments` is the program's path, or a name that PATH knows.
  ///
  /// - Parameter listeningTo: the descriptor whose lines are kept, 1 or 2; the other one goes to `/dev/null` (1) or where ours goes (2).
  init(_ arguments: [String], listeningTo output: Int32 = 2) throws {
    self.arguments = arguments
    var (input, pipe): ([Int32], [Int32]) = ([0, 0], [0, 0])
    guard Glibc.pipe(&input) == 0, Glibc.pipe(&pipe) == 0 else { throw BenchError("no pipe: \(String(cString: strerror(errno)))") }
    for end in input + pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input[0], 0)
    if output != 1 { posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) }
    posix_spawn_file_actions_adddup2(&actions, pipe[1], output)
    var raw: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { raw.forEach { free($0) } }
    var pid: pid_t = 0
    let status = posix_spawnp(&pid, arguments[0], &actions, nil, &raw, environ)
    close(input[0])
    close(pipe[1])
    guard status == 0 else { throw BenchError("cannot start \(arguments[0]): \(String(cString: strerror(status)))") }
    self.pid = pid
    stdin = input[1]
    let descriptor = pipe[0]
    Thread.detachNewThread { [self] in read(descriptor) }
  }

  /// Not by a FILE: who waits for a line holds its lock, for which a flush of all files would wait in turn.
  private func read(_ descriptor: Int32) {
    var (rest, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
    while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 {
      rest += buffer[..<count]
      let parts = rest.split(separator: 10, omittingEmptySubsequences: false)
      rest = parts.last.map { Array($0) } ?? []
      lock.withLock {
        lines += parts.dropLast().map { String(decoding: $0, as: UTF8.self) }
        lock.broadcast()
      }
    }
    close(descriptor)
    lock.withLock {
      if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
      hasEnded = true
      lock.broadcast()
    }
  }

  /// The next line with that text in it; those before it are forgotten.
  func line(with text: String) throws -> String {
    lock.lock()
    defer { lock.unlock() }
    while true {
      if let place = lines.firstIndex(where: { $0.contains(text) }) {
        let line = lines[place]
        lines.removeFirst(place + 1)
        return line
      }
      if hasEnded { throw BenchError("\(arguments.joined(separator: " ")) ended and never said \"\(text)\": \(lines.suffix(3))") }
      lock.wait()
    }
  }

  func send(_ signal: Int32) { kill(pid, signal) }

  /// Says that nothing more will come on its standard input.
  func endInput() {
    if stdin >= 0 { close(stdin) }
    stdin = -1
  }

  /// Waits for its end.
  @discardableResult
  func wait() throws -> Usage {
    var (status, usage): (Int32, rusage) = (0, rusage())
    while wait4(pid, &status, 0, &usage) != pid {
      guard errno == EINTR else { throw BenchError("\(arguments[0]) is gone") }
    }
    let wall = Child.monotonicNanoseconds() - began
    endInput()
    lock.withLock { while !hasEnded { lock.wait() } }
    guard status == 0 else { throw BenchError("\(arguments.joined(separator: " ")) failed: \(lastLines)") }
    func nanoseconds(_ time: timeval) -> Int { time.tv_sec * 1_000_000_000 + Int(time.tv_usec) * 1000 }
    return Usage(
      cpuNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime), wallNanoseconds: wall, peakKiB: usage.ru_maxrss)
  }

  /// What it has said last.
  var lastLines: [String] { lock.withLock { Array(lines.suffix(8)) } }

  /// The CPU time of a process that runs, of all its threads, by the scheduler's account; and how often one of them went to sleep.
  func load() -> (cpuNanoseconds: Int, switches: Int) {
    let folder = "/proc/\(pid)/task"
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    func contents(_ file: String) -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
    return threads.reduce(into: (0, 0)) { sum, thread in
      sum.0 += Int(contents("\(folder)/\(thread)/schedstat").split(separator: " ").first ?? "") ?? 0
      let line = contents("\(folder)/\(thread)/status").split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }
      sum.1 += Int(line?.split(whereSeparator: \.isWhitespace).last ?? "") ?? 0
    }
  }

  static func monotonicNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
