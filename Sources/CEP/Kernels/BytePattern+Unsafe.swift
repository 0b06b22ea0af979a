/// A LIKE pattern over UTF-8: `%` stands for any characters (also line ends), `_` for one.
public struct BytePattern {
  private enum Token { case any, one, text([UInt8]) }
  private enum Shape { case exact([UInt8]), contains([UInt8]), starts([UInt8]), ends([UInt8]), general }
  private var tokens: [Token] = []
  private var shape = Shape.general

  /// - Parameter escape: the character that takes the meaning of the one behind it; nil for a backslash.
  public init(_ pattern: String, escape: String?) {
    var text: [UInt8] = []
    var isEscaped = false
    let escape = escape ?? "\\"
    func flush(_ tokens: inout [Token]) {
      if !text.isEmpty { tokens.append(.text(text)) }
      text = []
    }
    for scalar in pattern.unicodeScalars {
      if !isEscaped, String(scalar) == escape {
        isEscaped = true
      } else if !isEscaped, scalar == "%" || scalar == "_" {
        flush(&tokens)
        tokens.append(scalar == "%" ? .any : .one)
      } else {
        text += Array(String(scalar).utf8)
        isEscaped = false
      }
    }
    flush(&tokens)
    switch tokens.count {
    case 0: shape = .exact([])
    case 1: if case .text(let text) = tokens[0] { shape = .exact(text) }
    case 2:
      if case .any = tokens[0], case .text(let text) = tokens[1] { shape = .ends(text) }
      if case .text(let text) = tokens[0], case .any = tokens[1] { shape = .starts(text) }
    case 3: if case .any = tokens[0], case .text(let text) = tokens[1], case .any = tokens[2] { shape = .contains(text) }
    default: break
    }
  }

  public func matches(_ text: inout String) -> Bool { text.withUTF8 { matches(UnsafeRawBufferPointer($0)) } }

  func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch shape {
    case .exact(let text): bytes.count == text.count && bytes.starts(with: text)
    case .starts(let text): bytes.count >= text.count && bytes.starts(with: text)
    case .ends(let text):
      bytes.count >= text.count && UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - text.count)...]).elementsEqual(text)
    case .contains(let text): bytes.count >= text.count && Self.contains(bytes, text)
    case .general: general(bytes)
    }
  }

  /// Looks for the first and the last byte, at eight places at once where there are as many, before it looks at those between.
  private static func contains(_ bytes: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
    guard let first = text.first, let last = text.last, let base = bytes.baseAddress else { return text.isEmpty }
    let (span, places) = (text.count - 1, bytes.count - text.count + 1)
    let (firsts, lasts) = (Self.ones &* UInt64(first), Self.ones &* UInt64(last))
    return text.withUnsafeBytes { text in
      func isAt(_ place: Int) -> Bool {
        for index in 0...span where base.load(fromByteOffset: place + index, as: UInt8.self) != text[index] { return false }
        return true
      }
      func word(_ place: Int) -> UInt64 { UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self)) }
      func isAtOneOfEight(_ place: Int) -> Bool {
        let unequal = (word(place) ^ firsts) | (word(place + span) ^ lasts)
        // The highest bit of each byte that is zero; behind the first such byte others may have it too.
        var found = (unequal &- Self.ones) & ~unequal & (Self.ones << 7)
        while found != 0 {
          if isAt(place + found.trailingZeroBitCount / 8) { return true }
          found &= found &- 1
        }
        return false
      }
      var place = 0
      while place + 8 <= places {
        if isAtOneOfEight(place) { return true }
        place += 8
      }
      if place > 0 { return place < places && isAtOneOfEight(places - 8) }
      while place < places {
        if isAt(place) { return true }
        place += 1
      }
      return false
    }
  }

  /// A one in each byte.
  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// Greedy with one point to go back to, which suffices since `%` takes anything.
  private func general(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var (position, token) = (0, 0)
    var retry: (position: Int, token: Int)?
    while true {
      if token < tokens.count, case .any = tokens[token] {
        token += 1
        retry = (position, token)
        if token == tokens.count { return true }
        continue
      }
      if token == tokens.count, position == bytes.count { return true }
      if token < tokens.count, let next = step(bytes, position, tokens[token]) {
        (position, token) = (next, token + 1)
        continue
      }
      guard let point = retry, point.position < bytes.count else { return false }
      retry = (point.position + 1, point.token)
      (position, token) = (point.position + 1, point.token)
    }
  }

  private func step(_ bytes: UnsafeRawBufferPointer, _ position: Int, _ token: Token) -> Int? {
    switch token {
    case .any: return position
    case .one:
      guard position < bytes.count else { return nil }
      var next = position + 1
      while next < bytes.count, bytes[next] & 0xc0 == 0x80 { next += 1 }
      return next
    case .text(let text):
      guard position + text.count <= bytes.count else { return nil }
      for index in 0..<text.count where bytes[position + index] != text[index] { return nil }
      return position + text.count
    }
  }
}
