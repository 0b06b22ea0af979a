import Glibc

/// Whoever reads our output has gone: nothing more need be written, and nothing need be said.
struct ReaderGone: Error {}

/// Standard output, in pieces of a good size.
final class ViewOutput {
  private var bytes: [UInt8] = []
  private static let pieceSize = 1 << 16

  func write(_ text: String) throws {
    bytes.append(contentsOf: text.utf8)
    if bytes.count >= Self.pieceSize { try flush() }
  }

  func write(_ more: UnsafeRawBufferPointer) throws {
    bytes.append(contentsOf: more)
    if bytes.count >= Self.pieceSize { try flush() }
  }

  func flush() throws {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress.map { $0 + done }, $0.count - done) }
      if count >= 0 {
        done += count
      } else if errno == EPIPE {
        throw ReaderGone()
      } else if errno != EINTR {
        throw OutputError(description: "cannot write standard output: \(String(cString: strerror(errno)))")
      }
    }
    bytes.removeAll(keepingCapacity: true)
  }
}
