internal import EventModel

/// A held event: when it is due, and where its values are.
struct HeldEvent: BitwiseCopyable {
  var time: Int64
  /// The segment's number in the table.
  var segment: UInt32
  var row: UInt32

  /// The segment of an event that nobody wants: it has no row.
  static let nowhere = UInt32.max
}

/// The segments of rows, each let go when it takes no more rows and all that it has are released.
struct SegmentTable {
  private struct Entry: BitwiseCopyable {
    var segment: UnsafeMutablePointer<RowSegment>
    var live: Int32 = 0
    var isClosed = false
  }
  private var entries: UnsafeMutablePointer<Entry>
  private var count: UInt32 = 0
  private var capacity = 64
  private var free: [UInt32] = []

  init() { entries = .allocate(capacity: capacity) }

  mutating func deallocate() {
    let unused = Set(free)
    for number in 0..<count where !unused.contains(number) { dispose(number) }
    entries.deallocate()
  }

  private func dispose(_ number: UInt32) {
    let segment = entries[Int(number)].segment
    segment.pointee.deallocate()
    segment.deinitialize(count: 1).deallocate()
  }

  @inline(__always)
  subscript(number: UInt32) -> UnsafeMutablePointer<RowSegment> { entries[Int(number)].segment }

  mutating func make(_ layout: RowLayout) -> UInt32 {
    let segment = UnsafeMutablePointer<RowSegment>.allocate(capacity: 1)
    segment.initialize(to: RowSegment(layout))
    if let number = free.popLast() {
      entries[Int(number)] = Entry(segment: segment)
      return number
    }
    if Int(count) == capacity {
      let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
      larger.moveInitialize(from: entries, count: capacity)
      entries.deallocate()
      (entries, capacity) = (larger, capacity * 2)
    }
    (entries + Int(count)).initialize(to: Entry(segment: segment))
    count += 1
    return count - 1
  }

  /// A new row of the segment.
  @inline(__always)
  func append(_ number: UInt32) -> UInt32 {
    entries[Int(number)].live += 1
    return entries[Int(number)].segment.pointee.append()
  }

  /// The segment takes no more rows.
  mutating func close(_ number: UInt32) {
    entries[Int(number)].isClosed = true
    entries[Int(number)].segment.pointee.noteSize()
    release(number, 0)
  }

  /// Rows are handed out or given up.
  mutating func release(_ number: UInt32, _ rows: Int) {
    if number == HeldEvent.nowhere { return }
    entries[Int(number)].live -= Int32(rows)
    guard entries[Int(number)].live == 0, entries[Int(number)].isClosed else { return }
    dispose(number)
    free.append(number)
  }
}
