import COpenSSL
import Glibc

/// OpenSSL's errors, for people.
enum LibraryErrors {
  /// The first of the errors that lie in the thread's queue, in a few words; the queue is empty afterwards.
  static func take() -> String? {
    let first = ERR_get_error()
    ERR_clear_error()
    guard first != 0 else { return nil }
    if let text = ERR_reason_error_string(first) { return String(cString: text) }
    var buffer = [CChar](repeating: 0, count: 256)
    ERR_error_string_n(first, &buffer, buffer.count)
    return text(buffer)
  }

  static func text(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// What the system says of the last call.
  static var system: String { String(cString: strerror(errno)) }
}
