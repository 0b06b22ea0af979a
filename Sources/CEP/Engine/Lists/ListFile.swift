internal import Diagnostics
internal import EventModel
internal import Glibc

/// One list's file: what of it is in force, and what has been seen of it since.
final class ListFile {
  let list: MemberList
  let path: String
  /// The file as it was when the contents in force were read.
  private var loaded: FileState?
  /// The file as it was when it was found faulty: said once.
  private var refused: FileState?
  /// The file as it was at the last look, and since when.
  private var seen: FileState?
  private var seenSince: Int64 = 0
  private var isGone = false
  /// A file whose last line has no end may still be written to; it is taken when it has not changed for so long.
  private static let patience: Int64 = 5000

  enum LoadError: Error {
    case unreadable(String)
    case faulty([Diagnostic])
  }

  init(_ list: MemberList, _ path: String) {
    self.list = list
    self.path = path
  }

  var info: ListInfo { ListInfo(name: list.name, file: path, count: list.contents.count) }

  /// Reads the file and puts its contents in force.
  func load() -> Result<Void, LoadError> {
    do throws(LoadError) {
      let (bytes, state) = try FileState.read(path)
      try take(bytes, state)
      return .success(())
    } catch { return .failure(error) }
  }

  private func take(_ bytes: [UInt8], _ state: FileState) throws(LoadError) {
    let (contents, mistakes) = ListText.contents(bytes, file: path, kind: list.kind)
    guard mistakes.isEmpty else { throw .faulty(mistakes) }
    list.contents = contents
    (loaded, refused) = (state, nil)
  }

  /// A look at the file. What has changed is read when two looks have found it the same, so that who writes it can come to an end.
  func check(at now: Int64) -> ListNotice? {
    guard let state = FileState(path) else {
      seen = nil
      if isGone { return nil }
      isGone = true
      return .refused(info, [mistake("the file is gone")])
    }
    isGone = false
    if state == loaded {
      refused = nil
      return nil
    }
    if state == refused { return nil }
    if state != seen {
      (seen, seenSince) = (state, now)
      return nil
    }
    return reload(state, now)
  }

  private func reload(_ state: FileState, _ now: Int64) -> ListNotice? {
    do throws(LoadError) {
      let (bytes, found) = try FileState.read(path)
      if found != state {
        (seen, seenSince) = (found, now)
        return nil
      }
      if bytes.last != UInt8(ascii: "\n"), now - seenSince < Self.patience { return nil }
      try take(bytes, found)
      return .loaded(info)
    } catch {
      refused = state
      switch error {
      case .unreadable(let reason): return .refused(info, [mistake("cannot read it: \(reason)")])
      case .faulty(let mistakes): return .refused(info, mistakes)
      }
    }
  }

  private func mistake(_ message: String) -> Diagnostic { Diagnostic(.error, file: path, message: message) }
}

/// What tells that a file has changed.
struct FileState: Equatable {
  private let device: UInt
  private let inode: UInt
  private let size: Int
  private let modified: [Int]

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    size = Int(status.st_size)
    modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
  }

  /// The bytes of a file, and its state before they were read.
  static func read(_ path: String) throws(ListFile.LoadError) -> ([UInt8], FileState) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no file") }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size) + 1)
    var length = 0
    while true {
      if length == bytes.count { bytes += [UInt8](repeating: 0, count: 65_536) }
      let count = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress?.advanced(by: length), $0.count - length) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
      if count == 0 { break }
      length += count
    }
    bytes.removeLast(bytes.count - length)
    return (bytes, FileState(status))
  }
}
