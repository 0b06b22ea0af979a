internal import Glibc

/// Where lines end.
public enum LineEnds {
  /// How many bytes there are before the next line end; nil where there is none.
  public static func length(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress, let end = memchr(base + start, 10, bytes.count - start) else { return nil }
    return UnsafeRawPointer(end) - UnsafeRawPointer(base + start)
  }
}
