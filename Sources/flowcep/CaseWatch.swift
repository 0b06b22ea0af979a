import Glibc

/// What tells that a file has changed.
struct FileState: Equatable {
  private let inode: UInt
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int

  /// Nil where there is no such file.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (inode, size) = (UInt(status.st_ino), Int(status.st_size))
    (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
  }
}

/// Waits until something changes that cases depend on. Looks at times and sizes of files: that works on every file system, and for editors
/// that put a new file in the old one's place.
struct CaseWatch {
  /// Files and folders, as the command was given them.
  let cases: [String]
  private static let pause: UInt32 = 200_000

  /// The cases to run again: those of which a file has changed since it was read, and new ones.
  func waitForChange(_ outcomes: [CaseOutcome]) -> [String] {
    while true {
      usleep(Self.pause)
      let all = (try? InputFiles.below(cases.filter { access($0, R_OK) == 0 }, suffix: ".json")) ?? []
      let again = all.filter { path in
        guard let outcome = outcomes.last(where: { $0.path == path }) else { return true }
        return outcome.files.contains { FileState($0.key) != $0.value }
      }
      if !again.isEmpty { return again }
    }
  }
}
