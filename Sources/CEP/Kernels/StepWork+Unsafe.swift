internal import EventModel
internal import Plan

/// One step's part of a sequence's present batch: its rows, and what is asked of them as atoms.
final class StepWork {
  typealias Test = (place: WaitingTable.Place, comparison: Comparison, own: Int)

  /// The kept properties, then the others that keys and tests compare.
  private let properties: [Int]
  private let keyIndices: [Int]
  /// `own` is an index of the buffers here.
  private let tests: [Test]
  private(set) var buffers: [AtomBuffer] = []
  private(set) var keys: [AtomBuffer] = []
  private var hashes: UnsafeMutablePointer<UInt64>
  private var capacity = 256
  private var selection: RowSelection?
  /// The present row's place in the selection.
  private(set) var index = 0

  init(kept: [Int], keys: [Int], tests: [Test]) {
    var properties = kept
    func place(_ property: Int) -> Int {
      if let index = properties.firstIndex(of: property) { return index }
      properties.append(property)
      return properties.count - 1
    }
    keyIndices = keys.map { place($0) }
    self.tests = tests.map { ($0.place, $0.comparison, place($0.own)) }
    self.properties = properties
    hashes = .allocate(capacity: capacity)
    allocate()
  }

  deinit {
    for buffer in buffers { buffer.deallocate() }
    hashes.deallocate()
  }

  private func allocate() {
    for buffer in buffers { buffer.deallocate() }
    hashes.deallocate()
    hashes = .allocate(capacity: capacity)
    hashes.initialize(repeating: 0, count: capacity)
    buffers = properties.map { _ in AtomBuffer(capacity: capacity) }
    keys = keyIndices.map { buffers[$0] }
  }

  /// - Parameter table: where the step's events are put, or look for what waits for them.
  func begin(_ selection: RowSelection?, _ batch: EventBatch, _ reader: AtomReader, _ table: WaitingTable) {
    index = 0
    self.selection = selection
    guard let selection, selection.count > 0 else { return }
    if selection.count > capacity {
      capacity = selection.count * 2
      allocate()
    }
    for (property, buffer) in zip(properties, buffers) {
      let column = batch.properties.firstIndex(of: property).map { batch.columns[$0] } ?? .absent
      reader.readExactly(column, selection.buffer, into: buffer)
    }
    table.hash(keys, selection.count, hashes)
  }

  /// The next row that passes the step's filter; nil where none is left.
  @inline(__always)
  var row: UInt32? {
    guard let selection, index < selection.count else { return nil }
    return selection.rows[index]
  }

  /// The key's; 0 where a part of it is null.
  var hash: UInt64 { hashes[index] }

  @inline(__always)
  func advance() { index += 1 }

  /// Whether what waits in a row passes the tests against the present event.
  func passes(_ row: UnsafeMutablePointer<UInt64>) -> Bool {
    for test in tests {
      let own = buffers[test.own][index]
      let other = Atom(kind: UInt8(truncatingIfNeeded: row[test.place.kinds] >> test.place.shift), word: row[test.place.word])
      if !holds(test.comparison, own, other) { return false }
    }
    return true
  }

  private func holds(_ comparison: Comparison, _ a: Atom, _ b: Atom) -> Bool {
    if a.kind == 0 || b.kind == 0 { return false }
    let integer = Atom.Kind.int.rawValue
    if a.kind == integer, b.kind == integer { return comparison.holds(Int64(bitPattern: a.word), Int64(bitPattern: b.word)) }
    return comparison == .notEqual && a != b
  }
}
