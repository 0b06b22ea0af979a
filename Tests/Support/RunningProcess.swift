import Foundation
public import Glibc

/// A program that runs beside a test: its output is gathered as it comes, and everything that is waited for has a deadline.
/// Killed when the test lets go of it.
public final class RunningProcess: @unchecked Sendable {
  public struct Timeout: Error, CustomStringConvertible { public var description: String }
  public struct CannotStart: Error { public var reason: String }

  public let pid: pid_t
  private let name: String
  private let input: Int32
  private let lock = NSCondition()
  private var output: [UInt8] = []
  private var error: [UInt8] = []
  private var openStreams = 2
  private var isInputOpen = true
  private var exitCode: Int32?

  /// - Parameter environment: what is changed in this process's own.
  public init(_ executable: String, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
    name = (executable as NSString).lastPathComponent
    var pipes = [[Int32]](repeating: [0, 0], count: 3)
    for i in pipes.indices {
      guard pipe(&pipes[i]) == 0 else { throw CannotStart(reason: String(cString: strerror(errno))) }
      for end in pipes[i] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, pipes[0][0], 0)
    posix_spawn_file_actions_adddup2(&actions, pipes[1][1], 1)
    posix_spawn_file_actions_adddup2(&actions, pipes[2][1], 2)
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
    var words = ([executable] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup($0) } + [nil]
    defer { (words + settings).forEach { free($0) } }
    var child = pid_t()
    let status = posix_spawnp(&child, executable, &actions, nil, &words, &settings)
    for end in [pipes[0][0], pipes[1][1], pipes[2][1]] { close(end) }
    guard status == 0 else { throw CannotStart(reason: "\(executable): \(String(cString: strerror(status)))") }
    pid = child
    input = pipes[0][1]
    gather(pipes[1][0]) { [weak self] in self?.output += $0 }
    gather(pipes[2][0]) { [weak self] in self?.error += $0 }
    reap()
  }

  deinit {
    closeInput()
    lock.lock()
    let runs = exitCode == nil
    lock.unlock()
    if runs { kill(pid, SIGKILL) }
  }

  private func gather(_ descriptor: Int32, _ add: @escaping @Sendable ([UInt8]) -> Void) {
    let lock = self.lock
    Thread.detachNewThread { [weak self] in
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        lock.lock()
        if count > 0 { add(Array(chunk[..<count])) } else { self?.openStreams -= 1 }
        lock.broadcast()
        lock.unlock()
        if count <= 0 { break }
      }
      close(descriptor)
    }
  }

  private func reap() {
    let (lock, pid) = (self.lock, self.pid)
    Thread.detachNewThread { [weak self] in
      var status: Int32 = 0
      while waitpid(pid, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7f
      lock.lock()
      self?.exitCode = signal == 0 ? (status >> 8) & 0xff : 128 + signal
      lock.broadcast()
      lock.unlock()
    }
  }

  // MARK: What it says

  public var outputText: String { locked { String(decoding: output, as: UTF8.self) } }
  public var outputBytes: [UInt8] { locked { output } }
  public var errorText: String { locked { String(decoding: error, as: UTF8.self) } }
  public var errorLines: [String] { errorText.split(separator: "\n").map(String.init) }

  private func locked<R>(_ body: () -> R) -> R {
    lock.lock()
    defer { lock.unlock() }
    return body()
  }

  /// The first whole line of standard error that contains the text, as soon as it is there.
  @discardableResult
  public func waitForErrorLine(_ text: String, seconds: Double = 30) throws -> String {
    try wait("standard error to say \"\(text)\"", seconds) { Self.line(self.error, text) }
  }

  /// The first whole line of standard output that contains the text.
  @discardableResult
  public func waitForOutputLine(_ text: String, seconds: Double = 30) throws -> String {
    try wait("standard output to say \"\(text)\"", seconds) { Self.line(self.output, text) }
  }

  private static func line(_ bytes: [UInt8], _ text: String) -> String? {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
    return lines.lazy.map { String(decoding: $0, as: UTF8.self) }.first { $0.contains(text) }
  }

  /// The exit code, 128 + n where signal n ended it; all output has been gathered by then.
  @discardableResult
  public func waitForExit(seconds: Double = 60) throws -> Int32 {
    try wait("the end", seconds) { self.openStreams == 0 ? self.exitCode : nil }
  }

  private func wait<R>(_ what: String, _ seconds: Double, _ look: () -> R?) throws -> R {
    let deadline = Date(timeIntervalSinceNow: seconds)
    lock.lock()
    defer { lock.unlock() }
    while true {
      if let found = look() { return found }
      let isOver = exitCode != nil && openStreams == 0
      if isOver || !lock.wait(until: deadline) {
        throw Timeout(
          description: """
            \(name): \(isOver ? "ended" : "\(seconds) s passed") while waiting for \(what); \
            exit code \(exitCode.map { "\($0)" } ?? "none yet"), standard error:
            \(String(decoding: error.suffix(8192), as: UTF8.self))
            """)
      }
    }
  }

  // MARK: What it is told

  public func signal(_ number: Int32) { kill(pid, number) }

  public func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var at = 0
      while at < buffer.count {
        let count = Glibc.write(input, buffer.baseAddress?.advanced(by: at), buffer.count - at)
        if count < 0, errno == EINTR { continue }
        if count <= 0 { return }
        at += count
      }
    }
  }

  public func closeInput() {
    lock.lock()
    defer { lock.unlock() }
    if isInputOpen { close(input) }
    isInputOpen = false
  }
}
