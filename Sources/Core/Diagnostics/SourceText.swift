/// A text that a user wrote (a configuration, an EPL module) and the name under which errors speak of it.
public struct SourceText: Sendable {
  /// The file's path as the user gave it, or a description such as `<standard input>`.
  public let name: String
  public let text: String
  /// UTF-8 offset of the first byte of each line.
  private let lineStarts: [Int]
  /// Every character is a byte, so that a column need not be counted.
  private let isASCII: Bool

  /// A longer line is no help to anybody, and a file may be one line.
  private static let longestLine = 4096

  public init(name: String, text: String) {
    self.name = name
    self.text = text
    var starts = [0]
    var bits: UInt8 = 0
    for (offset, byte) in text.utf8.enumerated() {
      bits |= byte
      if byte == UInt8(ascii: "\n") { starts.append(offset + 1) }
    }
    lineStarts = starts
    isASCII = bits < 0x80
  }

  /// The place of a UTF-8 offset; offsets past the end give the end.
  public func position(at offset: Int) -> SourcePosition {
    let offset = max(0, min(offset, text.utf8.count))
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    if isASCII { return SourcePosition(line: low + 1, column: offset - lineStarts[low] + 1) }
    let start = text.utf8.index(text.utf8.startIndex, offsetBy: lineStarts[low])
    let end = text.utf8.index(start, offsetBy: offset - lineStarts[low])
    let column = text[start..<end].count + 1
    return SourcePosition(line: low + 1, column: column)
  }

  /// The text of a line (from 1) without its line end; empty where there is no such line, or none that can be shown.
  public func line(_ number: Int) -> String {
    guard number >= 1, number <= lineStarts.count else { return "" }
    let start = text.utf8.index(text.utf8.startIndex, offsetBy: lineStarts[number - 1])
    let end =
      number < lineStarts.count
      ? text.utf8.index(text.utf8.startIndex, offsetBy: lineStarts[number] - 1) : text.utf8.endIndex
    guard text.utf8.distance(from: start, to: end) <= Self.longestLine else { return "" }
    return String(text[start..<end]).filter { $0 != "\r" && $0 != "\r\n" }
  }
}

/// Line and column, both from 1; a column counts characters.
public struct SourcePosition: Hashable, Comparable, Sendable {
  public var line: Int
  public var column: Int

  public init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  public static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// A half-open range of UTF-8 offsets into a `SourceText`.
public struct SourceRange: Hashable, Sendable {
  public var start: Int
  public var end: Int

  public init(_ start: Int, _ end: Int) {
    self.start = start
    self.end = max(start, end)
  }

  /// The smallest range that covers both.
  public func joined(with other: SourceRange) -> SourceRange { SourceRange(min(start, other.start), max(end, other.end)) }
}
