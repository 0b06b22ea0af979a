/// Rows of a batch, ascending. The memory is used again from batch to batch.
public final class RowSelection {
  public private(set) var rows: UnsafeMutablePointer<UInt32>
  public var count = 0
  private var capacity = 256

  public init() { rows = .allocate(capacity: capacity) }
  deinit { rows.deallocate() }

  public var buffer: UnsafeBufferPointer<UInt32> { UnsafeBufferPointer(start: rows, count: count) }

  /// Room for so many rows; what is in it is lost.
  func reserve(_ size: Int) {
    guard size > capacity else { return }
    rows.deallocate()
    capacity = size + size / 2
    rows = .allocate(capacity: capacity)
    count = 0
  }

  public func fill(_ range: Range<Int>) {
    reserve(range.count)
    let (rows, first) = (self.rows, UInt32(range.lowerBound))
    for index in 0..<range.count { rows[index] = first &+ UInt32(truncatingIfNeeded: index) }
    count = range.count
  }

  public func copy(_ other: RowSelection) {
    reserve(other.count)
    rows.update(from: other.rows, count: other.count)
    count = other.count
  }

  func trade(with other: RowSelection) {
    swap(&rows, &other.rows)
    swap(&count, &other.count)
    swap(&capacity, &other.capacity)
  }

  /// One more row, behind the others.
  func append(_ row: UInt32) {
    if count == capacity {
      let larger = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity * 2)
      larger.moveInitialize(from: rows, count: count)
      rows.deallocate()
      (rows, capacity) = (larger, capacity * 2)
    }
    rows[count] = row
    count += 1
  }

  /// Those of the rows for which `test` holds.
  @inlinable
  public func keep(_ test: (Int) -> Bool) {
    let rows = self.rows
    var kept = 0
    for index in 0..<count {
      let row = rows[index]
      rows[kept] = row
      kept += test(Int(row)) ? 1 : 0
    }
    count = kept
  }

  /// The rows that are in this or the other.
  func formUnion(_ other: RowSelection, scratch: RowSelection) {
    scratch.copy(self)
    reserve(scratch.count + other.count)
    let (a, b) = (scratch.buffer, other.buffer)
    var (i, j, size) = (0, 0, 0)
    while i < a.count || j < b.count {
      let next = j == b.count || (i < a.count && a[i] <= b[j]) ? a[i] : b[j]
      if i < a.count, a[i] == next { i += 1 }
      if j < b.count, b[j] == next { j += 1 }
      rows[size] = next
      size += 1
    }
    count = size
  }

  /// The rows of `all` that are not in this.
  func formComplement(of all: RowSelection, scratch: RowSelection) {
    scratch.copy(self)
    reserve(all.count)
    let (mine, every) = (scratch.buffer, all.buffer)
    var (i, size) = (0, 0)
    for row in every {
      if i < mine.count, mine[i] == row {
        i += 1
      } else {
        rows[size] = row
        size += 1
      }
    }
    count = size
  }

  // MARK: Stretches

  /// The first row in the range.
  public func first(in range: Range<Int>) -> Int? {
    let place = lowerBound(range.lowerBound)
    return place < count && Int(rows[place]) < range.upperBound ? Int(rows[place]) : nil
  }

  public func count(in range: Range<Int>) -> Int { lowerBound(range.upperBound) - lowerBound(range.lowerBound) }

  public func rows(in range: Range<Int>) -> UnsafeBufferPointer<UInt32> {
    UnsafeBufferPointer(rebasing: buffer[lowerBound(range.lowerBound)..<lowerBound(range.upperBound)])
  }

  /// The first place whose row is not below `row`.
  private func lowerBound(_ row: Int) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// A set of a batch's rows, a mark for each row. The memory is used again from batch to batch.
final class RowMarks {
  private var marks: UnsafeMutablePointer<Bool>
  private var capacity = 256

  init() { marks = .allocate(capacity: capacity) }
  deinit { marks.deallocate() }

  /// Empties the set, with room for so many rows.
  func clear(_ size: Int) {
    if size > capacity {
      marks.deallocate()
      capacity = size + size / 2
      marks = .allocate(capacity: capacity)
    }
    marks.initialize(repeating: false, count: size)
  }

  func add(_ rows: RowSelection) {
    let marks = self.marks
    for row in rows.buffer { marks[Int(row)] = true }
  }

  func removeMembers(from rows: RowSelection) {
    let marks = self.marks
    rows.keep { !marks[$0] }
  }

  func keepMembers(of rows: RowSelection) {
    let marks = self.marks
    rows.keep { marks[$0] }
  }
}
