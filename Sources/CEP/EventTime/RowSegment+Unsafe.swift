internal import EventModel

/// Rows of one layout, with the bytes of their texts.
struct RowSegment {
  let layout: RowLayout
  private(set) var rows: UnsafeMutableRawPointer
  private(set) var count = 0
  private var capacity: Int
  private(set) var text: UnsafeMutableRawPointer
  private var textCount = 0
  private var textCapacity: Int
  /// Values that are no plain memory; a row has a number in here.
  private(set) var values: [Value] = []
  /// The fields of which some row has a null, one bit each; those from the 64th on share the last.
  var nullFields: UInt64 = 0

  /// Bytes behind the last row that a step of eight bytes may touch.
  private static let slack = 8

  init(_ layout: RowLayout) {
    self.layout = layout
    capacity = layout.expectedRows
    textCapacity = layout.expectedText
    rows = .allocate(byteCount: capacity * layout.stride + Self.slack, alignment: 8)
    text = .allocate(byteCount: textCapacity, alignment: 8)
  }

  func deallocate() {
    rows.deallocate()
    text.deallocate()
  }

  /// The segments of neighbouring times are of like size: what this one has come to is what the next ones begin with.
  func noteSize() {
    layout.expectedRows = max(16, count + count / 8)
    layout.expectedText = max(64, textCount + textCount / 8)
  }

  /// Room for one more row, of which nothing is set yet.
  @inline(__always)
  mutating func append() -> UInt32 {
    if count == capacity { grow() }
    count += 1
    return UInt32(count - 1)
  }

  @inline(__always)
  func row(_ number: UInt32) -> UnsafeMutableRawPointer { rows + Int(number) * layout.stride }

  private mutating func grow() {
    capacity *= 2
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity * layout.stride + Self.slack, alignment: 8)
    larger.copyMemory(from: rows, byteCount: count * layout.stride)
    rows.deallocate()
    rows = larger
  }

  /// Keeps the bytes; the word says where they are and how many.
  mutating func keep(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    if textCount + bytes.count > textCapacity {
      textCapacity = max(textCapacity * 2, textCount + bytes.count)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: textCapacity, alignment: 8)
      larger.copyMemory(from: text, byteCount: textCount)
      text.deallocate()
      text = larger
    }
    if let base = bytes.baseAddress { (text + textCount).copyMemory(from: base, byteCount: bytes.count) }
    defer { textCount += bytes.count }
    return UInt64(textCount) | UInt64(bytes.count) << 32
  }

  mutating func keep(_ value: Value) -> UInt32 {
    values.append(value)
    return UInt32(values.count - 1)
  }

  func bytes(_ word: UInt64) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text + Int(word & 0xffff_ffff), count: Int(word >> 32))
  }
}
