import Diagnostics

/// Finds where the start tags and texts of a document stand, in document order.
///
/// libxml2 says whether the document is well-formed and what is in it, but gives lines only. In a well-formed document a `<`
/// outside comments, CDATA and processing instructions always begins a tag, so that the n-th start tag here is libxml2's n-th.
struct TagScanner {
  struct Tag {
    /// `<name`.
    var start: SourceRange
    /// The first stretch of text inside, trimmed; nil where there is none.
    var content: SourceRange?
    var attributeCount = 0
  }

  private let bytes: [UInt8]
  private var at = 0
  private var tags: [Tag] = []
  private var open: [Int] = []

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// The start tags, in document order.
  mutating func scan() -> [Tag] {
    while at < bytes.count {
      if bytes[at] != UInt8(ascii: "<") {
        readText()
      } else if skip("<!--", until: "-->") || skip("<?", until: "?>") || skip("<!DOCTYPE", until: ">") {
        continue
      } else if begins("<![CDATA[") {
        readCharacterData()
      } else if begins("</") {
        _ = skip("</", until: ">")
        _ = open.popLast()
      } else {
        readStartTag()
      }
    }
    return tags
  }

  private mutating func readStartTag() {
    let start = at
    at += 1
    while at < bytes.count, !isSpace(bytes[at]), bytes[at] != UInt8(ascii: ">"), bytes[at] != UInt8(ascii: "/") { at += 1 }
    tags.append(Tag(start: SourceRange(start, at), content: nil))
    var quote: UInt8?
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if let q = quote {
        if byte == q { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: "=") {
        tags[tags.count - 1].attributeCount += 1
      } else if byte == UInt8(ascii: ">") {
        if bytes[at - 2] != UInt8(ascii: "/") { open.append(tags.count - 1) }
        return
      }
    }
  }

  private mutating func readText() {
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
    record(start, at)
  }

  private mutating func readCharacterData() {
    let start = at + 9
    _ = skip("<![CDATA[", until: "]]>")
    record(start, max(start, at - 3))
  }

  private mutating func record(_ from: Int, _ to: Int) {
    var (first, last) = (from, min(to, bytes.count))
    while first < last, isSpace(bytes[first]) { first += 1 }
    while last > first, isSpace(bytes[last - 1]) { last -= 1 }
    guard first < last, let current = open.last, tags[current].content == nil else { return }
    tags[current].content = SourceRange(first, last)
  }

  private func begins(_ word: StaticString) -> Bool {
    word.withUTF8Buffer { word in
      guard at + word.count <= bytes.count else { return false }
      for i in 0..<word.count where word[i] != bytes[at + i] { return false }
      return true
    }
  }

  private mutating func skip(_ word: StaticString, until end: StaticString) -> Bool {
    guard begins(word) else { return false }
    at += word.utf8CodeUnitCount
    while at < bytes.count, !begins(end) { at += 1 }
    at = min(bytes.count, at + end.utf8CodeUnitCount)
    return true
  }

  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }
}
