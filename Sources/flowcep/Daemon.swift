import CLinux
import Glibc

/// Running in the background: the program is run anew in a session of its own, before anything has started, and the parent
/// waits until all inputs listen. (A fork would lose the threads that libraries have made.)
enum Daemon {
  private static let readyByte: UInt8 = 0x06

  /// Runs the program anew, with a descriptor that tells it to go on in the background. Returns when it listens (0) or has failed (its exit code); what it says until then
  /// is said here.
  static func launch(arguments: [String]) -> Int32 {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return fail("pipe") }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
    let ready: Int32 = 3
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], ready)
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, flowcep_spawn_session())
    let again = arguments + ["--daemon-ready", "\(ready)"]
    var words = again.map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    var child = pid_t()
    guard posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &words, environ) == 0 else { return fail("posix_spawn") }
    close(ends[1])
    return wait(for: child, ends[0])
  }

  /// In the child: the parent may go. From here on nobody reads standard error.
  static func tellParent(_ descriptor: Int32, keepsStandardError: Bool) {
    if !keepsStandardError { _ = redirectStandardError(to: "/dev/null") }
    var byte = readyByte
    _ = write(descriptor, &byte, 1)
    close(descriptor)
  }

  /// From now on standard error is appended to a file; gives the errno of a failure, or 0.
  static func redirectStandardError(to path: String) -> Int32 {
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
    guard file >= 0 else { return errno }
    dup2(file, STDERR_FILENO)
    close(file)
    return 0
  }

  /// Copies what the child says until it is ready or gone.
  private static func wait(for child: pid_t, _ pipe: Int32) -> Int32 {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(pipe, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      let isReady = buffer[..<count].contains(readyByte)
      let text = buffer[..<count].filter { $0 != readyByte }
      _ = text.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if isReady { return 0 }
    }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    let hasExited = status & 0x7f == 0
    return hasExited ? max(1, (status >> 8) & 0xff) : 1
  }

  private static func fail(_ what: String) -> Int32 {
    writeError("error: \(what): \(String(cString: strerror(errno)))\n")
    return 1
  }
}
