extension JSONReader {
  /// The first byte from an index on that ends what is plain in a string: a quote, a backslash or a control character; else the end.
  func endOfPlain(_ start: Int) -> Int {
    var index = start
    let raw = UnsafeRawBufferPointer(bytes)
    let ones: UInt64 = 0x0101_0101_0101_0101
    while index + 8 <= raw.count {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      // The highest bit of each byte that is zero after the quote, or the backslash, has been taken out of it, or is below a space.
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5c)
      let found = (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((word &- ones &* 0x20) & ~word)) & (ones &* 0x80)
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < raw.count, raw[index] != 0x22, raw[index] != 0x5c, raw[index] >= 0x20 { index += 1 }
    return index
  }
}
