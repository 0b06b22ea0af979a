// Writers of single values. Each writes at `out`, may write up to 16 bytes past what it returns (the writer keeps that much slack),
// and returns the place behind its text.

typealias Out = UnsafeMutablePointer<UInt8>

extension Out {
  @inline(__always) func store<T: BitwiseCopyable>(_ value: T) { UnsafeMutableRawPointer(self).storeBytes(of: value, as: T.self) }
}

extension UnsafePointer where Pointee == UInt8 {
  @inline(__always) func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
    T(bigEndian: UnsafeRawPointer(self).loadUnaligned(as: T.self))
  }

  /// An unsigned big-endian number of 1 to 8 bytes.
  @inline(__always) func loadUnsigned(_ length: Int) -> UInt64 {
    if length == 8 { return load(UInt64.self) }
    var value: UInt64 = 0
    for index in 0..<length { value = value << 8 | UInt64(self[index]) }
    return value
  }
}

enum ValueWriter {
  /// Eight decimal digits of a number below 10⁸, the first in the lowest byte, as values 0 to 9.
  @inline(__always) static func eightDigits(_ value: UInt32) -> UInt64 {
    // Each step splits all parts at once: `low << n | high`, where low is what remains beside high, is one multiplication and a difference.
    let high = UInt64(value / 10_000)
    let pairs = UInt64(value) << 32 &- high &* (10_000 << 32 - 1)
    let hundreds = (pairs &* 10_486) >> 20 & 0x7f_0000_007f
    let fours = pairs << 16 &- hundreds &* (100 << 16 - 1)
    let tens = (fours &* 103) >> 10 & 0x000f_000f_000f_000f
    return fours << 8 &- tens &* (10 << 8 - 1)
  }

  private static var zeros: UInt64 { @inline(__always) get { 0x3030_3030_3030_3030 } }

  /// How many digits a number below 10⁸ has: known sooner than the digits, so that what is written behind them need not wait for them.
  @inline(__always) private static func length(_ value: UInt32) -> Int {
    func step(_ bound: UInt32) -> Int { value >= bound ? 1 : 0 }
    return 1 &+ step(10) &+ step(100) &+ step(1000) &+ step(10_000) &+ step(100_000) &+ step(1_000_000) &+ step(10_000_000)
  }

  @inline(__always) static func leading(_ value: UInt32, _ out: Out) -> Out {
    let length = length(value)
    out.store((eightDigits(value) | zeros) >> UInt64((8 &- length) << 3))
    return out + length
  }

  @inline(__always) static func full(_ value: UInt32, _ out: Out) -> Out {
    out.store(eightDigits(value) | zeros)
    return out + 8
  }

  @inline(__always) static func decimal(_ value: UInt64, _ out: Out) -> Out {
    if value < 100_000_000 { return leading(UInt32(truncatingIfNeeded: value), out) }
    let high = value / 100_000_000
    let low = UInt32(truncatingIfNeeded: value &- high &* 100_000_000)
    if high < 100_000_000 { return full(low, leading(UInt32(truncatingIfNeeded: high), out)) }
    let top = high / 100_000_000
    let middle = UInt32(truncatingIfNeeded: high &- top &* 100_000_000)
    return full(low, full(middle, leading(UInt32(truncatingIfNeeded: top), out)))
  }

  /// The same in five digits.
  @inline(__always) static func decimal(_ value: UInt16, _ out: Out) -> Out {
    let number = UInt32(value)
    let high = number / 10_000
    let low = number &- high &* 10_000
    let hundreds = (low &* 5243) >> 19
    let fours = low << 16 &- hundreds &* (100 << 16 - 1)
    let tens = (fours &* 103) >> 10 & 0x000f_000f
    let digits = UInt64(fours << 8 &- tens &* (10 << 8 - 1)) << 8 | UInt64(high)
    let length = length(number)
    out.store((digits | zeros) >> UInt64((5 &- length) << 3))
    return out + length
  }

  @inline(__always) static func signed(_ value: Int64, _ out: Out) -> Out {
    guard value < 0 else { return decimal(UInt64(value), out) }
    out[0] = 45
    return decimal(value.magnitude, out + 1)
  }

  /// A number of exactly `count` digits, at most 8, with leading zeros.
  @inline(__always) static func padded(_ value: UInt32, _ count: Int, _ out: Out) -> Out {
    out.store((eightDigits(value) | zeros) >> UInt64((8 &- count) << 3))
    return out + count
  }

  /// A number below 100, in two digits.
  @inline(__always) static func pair(_ value: UInt32, _ out: Out) -> Out {
    let tens = (value &* 103) >> 10
    out.store(UInt16(truncatingIfNeeded: tens | (value &- tens &* 10) << 8 | 0x3030))
    return out + 2
  }

  /// The shortest text that reads back as the same number; null where JSON has no word for it.
  static func real(_ text: String, isFinite: Bool, _ out: Out) -> Out {
    guard isFinite else { return literal("null", out) }
    var end = out
    for byte in text.utf8 {
      end[0] = byte
      end += 1
    }
    return end
  }

  @inline(__always) static func literal(_ text: StaticString, _ out: Out) -> Out {
    out.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    return out + text.utf8CodeUnitCount
  }

  /// A number of one byte, and a dot behind what it returns.
  @inline(__always) static func octet(_ value: UInt8, _ out: Out, _ tables: Tables) -> Out {
    out.store(tables.octets[Int(value)])
    return out + Int(tables.octetLengths[Int(value)]) - 1
  }

  @inline(__always) static func ipv4(_ from: UnsafePointer<UInt8>, _ out: Out, _ tables: Tables) -> Out {
    var end = out
    for index in 0..<4 {
      end = octet(from[index], end, tables) + 1
    }
    return end - 1
  }

  @inline(__always) static func mac(_ from: UnsafePointer<UInt8>, _ out: Out, _ tables: Tables) -> Out {
    for index in 0..<6 {
      (out + index * 3).store(tables.hex[Int(from[index])])
      out[index * 3 + 2] = 58
    }
    return out + 17
  }

  static func hex(_ from: UnsafePointer<UInt8>, _ length: Int, _ out: Out, _ tables: Tables) -> Out {
    var end = literal("0x", out)
    for index in 0..<length {
      end.store(tables.hex[Int(from[index])])
      end += 2
    }
    return end
  }

  /// RFC 5952, and dotted as inet_ntop does where the upper 96 bits say "IPv4".
  static func ipv6(_ from: UnsafePointer<UInt8>, _ out: Out, _ tables: Tables) -> Out {
    var zeros = 0
    for group in 0..<8 { zeros |= (from[group * 2] | from[group * 2 + 1] == 0 ? 1 : 0) << group }
    let run = tables.zeroRuns[zeros]
    let (first, length) = (Int(run & 15), Int(run >> 4))
    if first == 0, length == 6 || length == 5 && from[10] & from[11] == 0xff { return dotted(from, length, out, tables) }
    var end = out
    for group in 0..<first { end = hexGroup(from + group * 2, end, tables) }
    // The last group's colon is one too many, where no "::" follows or stands there.
    if length == 0 { return end - 1 }
    if first == 0 {
      end[0] = 58
      end += 1
    }
    end[0] = 58
    end += 1
    if first + length == 8 { return end }
    for group in first + length..<8 { end = hexGroup(from + group * 2, end, tables) }
    return end - 1
  }

  private static func dotted(_ from: UnsafePointer<UInt8>, _ zeros: Int, _ out: Out, _ tables: Tables) -> Out {
    var end = literal("::", out)
    for group in zeros..<6 { end = hexGroup(from + group * 2, end, tables) }
    return ipv4(from + 12, end, tables)
  }

  /// A group without its leading zeros, and a colon.
  @inline(__always) private static func hexGroup(_ from: UnsafePointer<UInt8>, _ out: Out, _ tables: Tables) -> Out {
    let value = from.load(UInt16.self)
    let text = UInt64(tables.hex[Int(value >> 8)]) | UInt64(tables.hex[Int(value & 255)]) << 16 | 58 << 32
    let zeros = (value | 1).leadingZeroBitCount >> 2
    out.store(text >> UInt64(zeros << 3))
    return out + 5 - zeros
  }
}
