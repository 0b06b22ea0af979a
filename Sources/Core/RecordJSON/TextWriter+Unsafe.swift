// Strings: eight bytes at a time as long as none of them needs care.

enum TextWriter {
  /// The high bit of each byte that may need care; of the lowest such byte it is certain.
  @inline(__always) private static func careful(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ ones &* 34
    let backslash = word ^ ones &* 92
    let control = (word &- ones &* 32) & ~word
    let found = control | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash | word
    return found & 0x8080_8080_8080_8080
  }

  /// The inside of a JSON string. At most six bytes are written for each byte read.
  @inline(__always)
  static func text(_ from: UnsafePointer<UInt8>, _ length: Int, _ out: Out, _ tables: Tables, drops: Bool) -> Out {
    var (source, left, end) = (from, length, out)
    if drops { left = trimmed(source, left) }
    while left >= 8 {
      let word = UnsafeRawPointer(source).loadUnaligned(as: UInt64.self)
      let found = careful(UInt64(littleEndian: word))
      end.store(word)
      if found == 0 {
        source += 8
        left -= 8
        end += 8
        continue
      }
      let clean = found.trailingZeroBitCount >> 3
      source += clean
      end += clean
      left -= clean
      let taken = special(source, left, &end, tables, drops: drops)
      source += taken
      left -= taken
    }
    while left > 0 {
      if tables.classes[Int(source[0])] == 0 {
        end[0] = source[0]
        end += 1
        source += 1
        left -= 1
      } else {
        let taken = special(source, left, &end, tables, drops: drops)
        source += taken
        left -= taken
      }
    }
    return end
  }

  /// The length without trailing NULs, which pad strings of fixed length.
  @inline(__always) private static func trimmed(_ from: UnsafePointer<UInt8>, _ length: Int) -> Int {
    var left = length
    while left >= 8, UnsafeRawPointer(from + left - 8).loadUnaligned(as: UInt64.self) == 0 { left -= 8 }
    while left > 0, from[left - 1] == 0 { left -= 1 }
    return left
  }

  /// Writes one character that is not plain ASCII; returns how many bytes it took.
  private static func special(_ from: UnsafePointer<UInt8>, _ left: Int, _ end: inout Out, _ tables: Tables, drops: Bool) -> Int {
    let byte = from[0]
    switch tables.classes[Int(byte)] {
    case 1:
      if drops, byte < 0x20 { return 1 }
      end[0] = 92
      end[1] = tables.shortEscapes[Int(byte)]
      end += 2
      return 1
    case 2:
      if !drops { escape(byte, &end, tables) }
      return 1
    default:
      let length = sequenceLength(from, left)
      if length == 0 {
        escape(byte, &end, tables)
        return 1
      }
      for index in 0..<length { end[index] = from[index] }
      end += length
      return length
    }
  }

  /// A byte that is no UTF-8 is taken for Latin-1, so that no byte is lost.
  private static func escape(_ byte: UInt8, _ end: inout Out, _ tables: Tables) {
    end = ValueWriter.literal("\\u00", end)
    end.store(tables.hex[Int(byte)])
    end += 2
  }

  /// The length of the well-formed UTF-8 sequence of 2 to 4 bytes at `from`, or 0 (Unicode, table 3-7).
  private static func sequenceLength(_ from: UnsafePointer<UInt8>, _ left: Int) -> Int {
    let first = from[0]
    let (length, low, high): (Int, UInt8, UInt8) =
      switch first {
      case 0xc2...0xdf: (2, 0x80, 0xbf)
      case 0xe0: (3, 0xa0, 0xbf)
      case 0xed: (3, 0x80, 0x9f)
      case 0xe1...0xef: (3, 0x80, 0xbf)
      case 0xf0: (4, 0x90, 0xbf)
      case 0xf1...0xf3: (4, 0x80, 0xbf)
      case 0xf4: (4, 0x80, 0x8f)
      default: (0, 0, 0)
      }
    guard length > 0, length <= left, from[1] >= low, from[1] <= high else { return 0 }
    for index in 2..<max(2, length) where from[index] & 0xc0 != 0x80 { return 0 }
    return length
  }
}
