/// An unsigned integer of 0 to 8 bytes in network order, as reduced-length encoding gives it (RFC 7011 §6.2).
/// Of more than 8 bytes, the last 8 count.
@inlinable @inline(__always)
public func readUnsigned(_ place: UnsafeRawPointer, _ length: Int) -> UInt64 {
  switch length {
  case 1: return UInt64(place.load(as: UInt8.self))
  case 2: return UInt64(UInt16(bigEndian: place.loadUnaligned(as: UInt16.self)))
  case 4: return UInt64(UInt32(bigEndian: place.loadUnaligned(as: UInt32.self)))
  case 8: return UInt64(bigEndian: place.loadUnaligned(as: UInt64.self))
  default:
    var value: UInt64 = 0
    for i in 0..<length { value = value << 8 | UInt64(place.load(fromByteOffset: i, as: UInt8.self)) }
    return value
  }
}

/// A signed integer of 0 to 8 bytes in network order, sign-extended.
@inlinable @inline(__always)
public func readSigned(_ place: UnsafeRawPointer, _ length: Int) -> Int64 {
  guard length > 0 else { return 0 }
  let shift = UInt64(max(0, 8 - length) * 8)
  return Int64(bitPattern: readUnsigned(place, length) << shift) >> Int64(shift)
}

/// A float32 or float64 by its length; nil for any other length.
@inlinable
public func readFloat(_ place: UnsafeRawPointer, _ length: Int) -> Double? {
  switch length {
  case 4: return Double(Float(bitPattern: UInt32(readUnsigned(place, 4))))
  case 8: return Double(bitPattern: readUnsigned(place, 8))
  default: return nil
  }
}

/// Writes the low `length` bytes of a value in network order.
@inlinable @inline(__always)
public func writeUnsigned(_ value: UInt64, to place: UnsafeMutableRawPointer, _ length: Int) {
  switch length {
  case 1: place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
  case 2: place.storeBytes(of: UInt16(truncatingIfNeeded: value).bigEndian, as: UInt16.self)
  case 4: place.storeBytes(of: UInt32(truncatingIfNeeded: value).bigEndian, as: UInt32.self)
  case 8: place.storeBytes(of: value.bigEndian, as: UInt64.self)
  default:
    for i in 0..<length {
      place.storeBytes(of: UInt8(truncatingIfNeeded: value >> UInt64((length - 1 - i) * 8)), toByteOffset: i, as: UInt8.self)
    }
  }
}

/// Seconds between the NTP epoch (1900) and the Unix epoch (1970).
public let ntpEpochOffset: UInt64 = 2_208_988_800

/// Milliseconds since 1970 of a dateTimeMicroseconds or dateTimeNanoseconds value (NTP format, era 0), rounded down.
@inlinable
public func millisecondsSince1970(ntp: UInt64) -> Int64 {
  let seconds = Int64(ntp >> 32) - 2_208_988_800
  let milliseconds = Int64(((ntp & 0xffff_ffff) &* 1000) >> 32)
  return seconds * 1000 + milliseconds
}
