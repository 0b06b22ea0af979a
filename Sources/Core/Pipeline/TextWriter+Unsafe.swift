import Glibc
import Threads

/// Replaces a file by a newer text again and again, on a thread of its own: a disk may take its time. Of texts that come while one
/// is being written, the last counts.
final class TextWriter: @unchecked Sendable {
  struct Failure: Error { var reason: String }

  private let path: String
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var next: (@Sendable () -> String)?
  private var ends = false
  private var result: Result<Void, Failure>?
  private var thread: NamedThread?

  init(path: String) {
    self.path = path
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  private func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// How the first write went; nil until then.
  var firstResult: Result<Void, Failure>? { locked { result } }

  /// - Parameter text: makes the text, on the writer's thread.
  func write(_ text: @escaping @Sendable () -> String) {
    locked {
      next = text
      pthread_cond_signal(changed)
    }
    guard thread == nil else { return }
    let thread = NamedThread()
    self.thread = thread
    if thread.start("templates", { [self] in run() }) != 0 {
      locked { result = result ?? .failure(Failure(reason: "no thread to be had")) }
    }
  }

  /// Waits until the last text is written. Nothing is written afterwards.
  func finish() {
    locked {
      ends = true
      pthread_cond_signal(changed)
    }
    thread?.join()
  }

  private func run() {
    while let text = nextText() {
      let made = replace(by: text())
      locked { result = result ?? made }
    }
  }

  private func nextText() -> (@Sendable () -> String)? {
    locked {
      while next == nil, !ends { pthread_cond_wait(changed, mutex) }
      defer { next = nil }
      return next
    }
  }

  /// Where a text is until it is safe on the disk.
  static func beside(_ path: String) -> String { path + ".new" }

  /// Beside it first, then in its place: whoever reads it sees the old file or the new one, also after a loss of power.
  private func replace(by text: String) -> Result<Void, Failure> {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    makeFolder(folder)
    let beside = Self.beside(path)
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return failure() }
    defer { close(descriptor) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR { return failure() }
      bytes = bytes.dropFirst(max(0, count))
    }
    guard fsync(descriptor) == 0, rename(beside, path) == 0 else { return failure() }
    let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
    return .success(())
  }

  private func failure() -> Result<Void, Failure> { .failure(Failure(reason: String(cString: strerror(errno)))) }

  private func makeFolder(_ folder: String) {
    guard folder.count > 1, access(folder, F_OK) != 0 else { return }
    if let slash = folder.lastIndex(of: "/"), slash != folder.startIndex { makeFolder(String(folder[..<slash])) }
    mkdir(folder, 0o750)
  }
}
