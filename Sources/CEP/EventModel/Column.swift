/// An IPv4 or IPv6 address in a column.
public struct Address: Hashable, Sendable, BitwiseCopyable {
  /// The first and the last eight bytes, in host order; an IPv4 address stands in the lower half of `low`.
  public var high: UInt64
  public var low: UInt64
  public var isIP4: Bool

  @inlinable public init(ip4: UInt32) {
    high = 0
    low = UInt64(ip4)
    isIP4 = true
  }

  @inlinable public init(ip6High: UInt64, low: UInt64) {
    high = ip6High
    self.low = low
    isIP4 = false
  }

  @inlinable public var value: Value {
    if isIP4 { return .ip4(UInt32(truncatingIfNeeded: low)) }
    let bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64($0))) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64($0))) }
    return .octets(Octets(.ip6, bytes))
  }
}

/// A piece of a batch's memory.
public struct Slice: Sendable, BitwiseCopyable {
  public var offset: Int32
  public var length: Int32
  @inlinable public init(offset: Int32, length: Int32) {
    self.offset = offset
    self.length = length
  }
}

/// Memory that slices point into, kept alive by an owner.
public final class SliceMemory: @unchecked Sendable {
  public let bytes: UnsafeRawBufferPointer
  private let owner: AnyObject?

  /// - Parameter owner: what keeps `bytes` valid and unchanged for as long as this object lives.
  public init(_ bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.bytes = bytes
    self.owner = owner
  }

  /// A copy of the bytes.
  public init(copying source: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(source.count, 1), alignment: 8)
    copy.copyBytes(from: source)
    bytes = UnsafeRawBufferPointer(rebasing: copy[..<source.count])
    owner = nil
  }

  /// Memory of a size, filled by `fill`.
  public init(byteCount: Int, fill: (UnsafeMutableRawPointer) -> Void) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 8)
    fill(memory)
    bytes = UnsafeRawBufferPointer(start: memory, count: byteCount)
    owner = nil
  }

  deinit {
    if owner == nil { bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0).deallocate() } }
  }

  /// The bytes of a slice; empty where it lies outside.
  @inlinable public subscript(slice: Slice) -> UnsafeRawBufferPointer {
    let start = Int(slice.offset)
    let end = start + Int(slice.length)
    guard start >= 0, slice.length >= 0, end <= bytes.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
  }
}

/// One property's values over a batch, in the shape in which they came.
///
/// The shape says how values are held, not what was declared: a column declared as string may hold addresses, which become
/// text only where text is asked for.
public struct Column: Sendable {
  public enum Storage: Sendable {
    /// Every value is null.
    case absent
    case bools([Bool])
    case ints([Int64])
    case doubles([Double])
    case strings([String])
    case ip4([UInt32])
    case addresses([Address])
    case macs([UInt64])
    /// UTF-8 text (invalid bytes are replaced when it becomes a string).
    case utf8(SliceMemory, [Slice])
    case octets(SliceMemory, [Slice])
    case values([Value])
  }

  public var storage: Storage
  /// One per row, true where the value is null; empty where none is.
  public var nulls: [Bool]

  @inlinable public init(_ storage: Storage, nulls: [Bool] = []) {
    self.storage = storage
    self.nulls = nulls
  }

  public static var absent: Column { Column(.absent) }

  @inlinable public func isNull(_ row: Int) -> Bool {
    if !nulls.isEmpty { return nulls[row] }
    switch storage {
    case .absent: return true
    case .values(let values): return values[row].isNull
    default: return false
    }
  }

  /// The value in a row.
  @inlinable public subscript(row: Int) -> Value {
    if !nulls.isEmpty, nulls[row] { return .null }
    switch storage {
    case .absent: return .null
    case .bools(let values): return .bool(values[row])
    case .ints(let values): return .int(values[row])
    case .doubles(let values): return .double(values[row])
    case .strings(let values): return .string(values[row])
    case .ip4(let values): return .ip4(values[row])
    case .addresses(let values): return values[row].value
    case .macs(let values): return .mac(values[row])
    case .utf8(let memory, let slices): return .string(String(decoding: memory[slices[row]], as: UTF8.self))
    case .octets(let memory, let slices): return .octets(Octets(.octets, Array(memory[slices[row]])))
    case .values(let values): return values[row]
    }
  }
}
