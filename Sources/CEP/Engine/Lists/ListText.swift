internal import Diagnostics
internal import EventModel

/// The text of a list's file: an entry a line, blank lines, comments.
///
/// In a list of addresses a comment begins with `#` or `;` anywhere; an entry is an address or a prefix. In a list of strings a line that
/// begins with `#` is a comment; any other line is an entry, without the white space around it.
enum ListText {
  /// Of more faulty lines only the number is told.
  private static let mostReported = 20
  private static let longestLine = 4096

  static func contents(_ bytes: [UInt8], file: String, kind: MemberList.Kind) -> (MemberList.Contents, [Diagnostic]) {
    var mistakes: [Diagnostic] = []
    var faulty = 0
    var (addresses, texts) = (AddressSet(), TextSet())
    bytes.withUnsafeBufferPointer { bytes in
      var (start, number) = (bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0, 0)
      while start < bytes.count {
        number += 1
        let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
        let line = bytes[start..<end]
        start = end + 1
        let entry = trimmed(kind == .addresses ? line.prefix { $0 != 35 && $0 != 59 } : line.first == 35 ? line.prefix(0) : line)
        if entry.isEmpty { continue }
        let text = UnsafeBufferPointer(rebasing: entry)
        let fault: String? =
          switch kind {
          case .addresses: insert(text, into: &addresses)
          case .texts: insert(text, into: &texts)
          }
        guard let fault else { continue }
        faulty += 1
        if faulty <= mostReported {
          mistakes.append(mistake(fault, file, number, entry.startIndex - line.startIndex, line.prefix(200), entry.prefix(200).count))
        }
      }
    }
    if faulty > mostReported {
      mistakes.append(Diagnostic(.error, file: file, message: "\(faulty - mostReported) more lines are faulty"))
    }
    return (kind == .addresses ? .addresses(addresses) : .texts(texts), mistakes)
  }

  private static func trimmed(_ line: Swift.Slice<UnsafeBufferPointer<UInt8>>) -> Swift.Slice<UnsafeBufferPointer<UInt8>> {
    var line = line.drop { $0 <= 32 }
    while let last = line.last, last <= 32 { line = line.dropLast() }
    return line
  }

  /// What is wrong with an entry, nil where nothing is.
  private static func insert(_ text: UnsafeBufferPointer<UInt8>, into set: inout AddressSet) -> String? {
    guard let prefix = AddressPrefix(text) else {
      return "\"\(String(decoding: text.prefix(60), as: UTF8.self))\" is no address and no prefix"
    }
    set.insert(prefix)
    return nil
  }

  private static func insert(_ text: UnsafeBufferPointer<UInt8>, into set: inout TextSet) -> String? {
    guard text.count <= longestLine else { return "a line of \(text.count) bytes; the longest may have \(longestLine)" }
    guard String(validating: text, as: UTF8.self) != nil else { return "the line is no UTF-8 text" }
    set.insert(UnsafeRawBufferPointer(text))
    return nil
  }

  private static func mistake(
    _ message: String, _ file: String, _ line: Int, _ column: Int, _ excerpt: Swift.Slice<UnsafeBufferPointer<UInt8>>, _ width: Int
  ) -> Diagnostic {
    Diagnostic(
      .error, file: file, start: SourcePosition(line: line, column: column + 1),
      end: SourcePosition(line: line, column: column + 1 + width),
      message: message, excerpt: String(decoding: excerpt, as: UTF8.self).filter { $0 != "\r" })
  }
}
