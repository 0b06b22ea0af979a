/// Reads numbers out of a packet's bytes; what lies outside reads as 0.
struct Reader {
  private let bytes: UnsafeRawBufferPointer
  /// Whether the bytes are the file's own, rather than what was put together from fragments.
  let isFile: Bool

  init(_ bytes: UnsafeRawBufferPointer, isFile: Bool = true) {
    (self.bytes, self.isFile) = (bytes, isFile)
  }

  var count: Int { bytes.count }

  func byte(_ place: Int) -> UInt8 { bytes.indices.contains(place) ? bytes[place] : 0 }

  func half(_ place: Int, littleEndian: Bool = false) -> UInt16 {
    guard place >= 0, place + 2 <= bytes.count else { return 0 }
    let value = bytes.loadUnaligned(fromByteOffset: place, as: UInt16.self)
    return littleEndian ? UInt16(littleEndian: value) : UInt16(bigEndian: value)
  }

  func word(_ place: Int, littleEndian: Bool = false) -> UInt32 {
    guard place >= 0, place + 4 <= bytes.count else { return 0 }
    let value = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
    return littleEndian ? UInt32(littleEndian: value) : UInt32(bigEndian: value)
  }

  func array(_ range: Range<Int>) -> [UInt8] {
    range.lowerBound >= 0 && range.upperBound <= bytes.count ? Array(bytes[range]) : []
  }
}
