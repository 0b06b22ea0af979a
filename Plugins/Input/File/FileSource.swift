import Glibc
import PluginABI

/// An open file, and what has been read of its next message.
final class FileSource {
  struct Failure: Error {
    let reason: String
  }

  /// For people.
  let name: String
  /// Of the next message, in bytes from the file's start.
  private(set) var offset = 0
  var session: UnsafePointer<flowcep_session>?
  private let descriptor: Int32
  private let isRegular: Bool
  /// The first bytes of a message whose end has not been read yet; never more than a message is long.
  private var pending: [UInt8] = []

  init(_ path: String) throws(Failure) {
    name = path == "-" ? "<standard input>" : path
    descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure(reason: String(cString: strerror(errno))) }
    var status = stat()
    isRegular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    if isRegular { posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var pendingCount: Int { pending.count }
  /// Nothing more will be read.
  private(set) var hasEnded = false

  /// A pipe or terminal may have nothing yet; a file never makes one wait.
  func waitUntilReadable(orStop stop: Int32, milliseconds: Int) -> Bool {
    if isRegular { return true }
    var waiting = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
    ]
    return Glibc.poll(&waiting, 2, Int32(clamping: milliseconds)) > 0 && waiting[0].revents != 0
  }

  /// The pending bytes and what comes behind them; how many bytes there are now.
  func read(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
    room.copyBytes(from: pending)
    while true {
      let count = Glibc.read(descriptor, room.baseAddress.map { $0 + pending.count }, room.count - pending.count)
      if count >= 0 {
        hasEnded = count == 0
        return pending.count + count
      }
      if errno != EINTR { throw Failure(reason: String(cString: strerror(errno))) }
    }
  }

  /// Goes on behind `count` bytes; the rest waits for the next read.
  func consumed(_ count: Int, keeping rest: UnsafeRawBufferPointer) {
    offset += count
    pending.removeAll(keepingCapacity: true)
    pending.append(contentsOf: rest)
  }
}
