import CLinux
import Configuration
import Glibc
import Synchronization
import Threads

/// Where `flowcep status` asks: a socket in the file system that only its owner may open.
///
/// A client sends one word in a line, and gets an answer until the end of the stream. One client at a time, each for a few
/// seconds at most.
final class ControlSocket: @unchecked Sendable {
  struct Failure: Error { var reason: String }

  let path: String
  private let descriptor: Int32
  private let wake = flowcep_event_descriptor()
  private let thread = NamedThread()
  private let answer: @Sendable (String) -> String

  private static let patienceSeconds = 3
  private static let longestQuestion = 64

  /// - Parameter answer: gets the question, on the socket's own thread.
  init(path: String, answer: @escaping @Sendable (String) -> String) throws(Failure) {
    self.path = path
    self.answer = answer
    descriptor = try Self.listen(at: path)
  }

  deinit {
    close(descriptor)
    close(wake)
  }

  func start() -> Bool { thread.start("control") { [unowned self] in run() } == 0 }

  /// Ends the thread that `start` began, and takes the socket away.
  func stop() {
    var one: UInt64 = 1
    _ = write(wake, &one, 8)
    thread.join()
    unlink(path)
  }

  private func run() {
    while true {
      var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0)]
      poll(&waiting, 2, -1)
      if waiting[1].revents != 0 { return }
      let client = accept(descriptor, nil, nil)
      if client >= 0 {
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        serve(client)
        close(client)
      } else if errno == EMFILE || errno == ENFILE {
        // Nothing to do but to wait for descriptors.
        poll(&waiting[1], 1, 1000)
      }
    }
  }

  private func serve(_ client: Int32) {
    var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    var question = [UInt8](repeating: 0, count: Self.longestQuestion)
    let count = recv(client, &question, question.count, 0)
    guard count > 0, question[count - 1] == UInt8(ascii: "\n") else { return }
    _ = Self.send(answer(String(decoding: question[..<(count - 1)], as: UTF8.self)), to: client)
  }

  private static func send(_ text: String, to descriptor: Int32) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  // MARK: Addresses

  private static func with<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) throws(Failure) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard path.utf8.count <= room else { throw Failure(reason: "\(path): a socket's path has at most \(room) bytes") }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private static func listen(at path: String) throws(Failure) -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    var keeps = false
    defer { if !keeps { close(descriptor) } }
    func bindNow() throws(Failure) -> Int32 {
      let before = umask(0o177)
      defer { umask(before) }
      return try with(path) { bind(descriptor, $0, $1) == 0 ? 0 : errno }
    }
    var status = try bindNow()
    // What a collector left that was killed gives way; one that answers does not.
    if status == EADDRINUSE, try !isAnswered(path), unlink(path) == 0 { status = try bindNow() }
    guard status == 0 else {
      let why = status == EADDRINUSE ? "another collector answers there" : String(cString: strerror(status))
      throw Failure(reason: "\(path): \(why)")
    }
    guard Glibc.listen(descriptor, 8) == 0 else { throw Failure(reason: "\(path): \(String(cString: strerror(errno)))") }
    keeps = true
    return descriptor
  }

  private static func isAnswered(_ path: String) throws(Failure) -> Bool {
    let probe = try connected(path)
    if let probe { close(probe) }
    return probe != nil
  }

  /// A connection; nil where nobody listens.
  private static func connected(_ path: String) throws(Failure) -> Int32? {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    let status = try with(path) { connect(descriptor, $0, $1) == 0 ? 0 : errno }
    if status == 0 { return descriptor }
    close(descriptor)
    if status == ECONNREFUSED || status == ENOENT { return nil }
    throw Failure(reason: "\(path): \(String(cString: strerror(status)))")
  }

  // MARK: The client

  /// Asks a collector; nil where none listens there.
  static func ask(_ question: String, at path: String) throws(Failure) -> String? {
    guard let descriptor = try connected(path) else { return nil }
    defer { close(descriptor) }
    guard send(question + "\n", to: descriptor) else { throw Failure(reason: "\(path): \(String(cString: strerror(errno)))") }
    var answer: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      answer += piece[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }

  // MARK: The standard place

  /// The folder for sockets that nobody has named, made where it is not there: only its owner may write to it.
  static func standardFolder() throws(Failure) -> String {
    let folder = StandardFolders.runtime
    if mkdir(folder, 0o750) != 0, errno != EEXIST { throw Failure(reason: "\(folder): \(String(cString: strerror(errno)))") }
    var status = stat()
    guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() || geteuid() == 0,
      status.st_mode & 0o022 == 0
    else { throw Failure(reason: "\(folder): it is another user's, or others may write to it") }
    // What was left by collectors that were killed, or that could not take it away any more.
    for name in FileSearch.entries(of: folder) where name.hasSuffix(".sock") {
      if let pid = Int32(name.dropLast(5)), kill(pid, 0) != 0, errno == ESRCH { unlink(folder + "/" + name) }
    }
    return folder
  }
}

/// Asking running collectors, for the command.
public enum CollectorControl {
  public struct Failure: Error {
    public var reason: String
  }

  /// The sockets of all collectors of this user that run, where their configurations name none.
  public static func running() -> [String] {
    FileSearch.entries(of: StandardFolders.runtime).filter { $0.hasSuffix(".sock") }.map { StandardFolders.runtime + "/" + $0 }
      .filter { path in
        guard let answer = try? ControlSocket.ask("alive", at: path) else {
          unlink(path)
          return false
        }
        return !answer.isEmpty
      }
  }

  /// Of a collector with that process number.
  public static func socket(ofProcess pid: Int32) -> String { "\(StandardFolders.runtime)/\(pid).sock" }

  /// - Parameter question: `json`, `text`.
  public static func ask(_ question: String, at path: String) throws(Failure) -> String {
    do throws(ControlSocket.Failure) {
      if let answer = try ControlSocket.ask(question, at: path), !answer.isEmpty { return answer }
    } catch {
      throw Failure(reason: error.reason)
    }
    throw Failure(reason: "\(path): no collector answers there")
  }
}
