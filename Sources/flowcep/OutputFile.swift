import Glibc

/// Why a file could not be written, with the reason that the system gave.
struct OutputError: Error, CustomStringConvertible {
  let description: String
}

/// A file being written, or standard output for the name `-`.
struct OutputFile: ~Copyable {
  private let descriptor: Int32
  private let name: String

  init(path: String) throws {
    name = path == "-" ? "standard output" : path
    descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw OutputError(description: "cannot write \(path): \(String(cString: strerror(errno)))") }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw OutputError(description: "cannot write \(name): \(String(cString: strerror(errno)))")
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { try write(UnsafeRawBufferPointer($0)) }
  }

  deinit {
    if descriptor != STDOUT_FILENO { close(descriptor) }
  }
}
