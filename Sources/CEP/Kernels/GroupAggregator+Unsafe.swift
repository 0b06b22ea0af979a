internal import EventModel

/// The groups of one batch window: keys and aggregates, no events.
final class GroupAggregator {
  let keys: [Int]
  let aggregates: [AggregateKernel]
  let table: KeyTable
  let reader: AtomReader
  /// Where each aggregate's state begins in a group's row.
  private let places: [Int]
  /// For each aggregate over distinct values its set.
  private let pairs: [DistinctPairs?]
  /// How many rows it has taken in.
  private(set) var rowCount = 0

  /// Rows are taken in pieces of this many, so that what lies between the steps stays in the nearest cache.
  static let pieceSize = 256

  init(keys: [Int], aggregates: [AggregateKernel], key: HashKey) {
    self.keys = keys
    self.aggregates = aggregates
    table = KeyTable(keyCount: keys.count, stateWords: aggregates.reduce(0) { $0 + $1.neededWords }, key: key)
    var place = table.stateOffset
    places = aggregates.map { aggregate in
      defer { place += aggregate.neededWords }
      return place
    }
    reader = AtomReader(texts: TextInterner(key: key))
    pairs = aggregates.map { $0.function == .countDistinct ? DistinctPairs(key: key) : nil }
  }

  var groupCount: Int { table.count }
  var byteCount: Int { table.byteCount + reader.texts.byteCount + pairs.reduce(0) { $0 + ($1?.byteCount ?? 0) } }

  func exchange(_ archive: StateArchive) {
    archive.integer(&rowCount)
    reader.texts.exchange(archive)
    table.exchange(archive)
    for set in pairs { set?.exchange(archive) }
    if archive.isRestoring, !reader.knowsKeys(of: table, keys.count) { archive.fail("a group by a text that is not there") }
  }

  func removeAll() {
    table.removeAll()
    if reader.texts.count > 0 { reader.texts.removeAll() }
    for set in pairs { set?.removeAll() }
    rowCount = 0
  }

  /// - Parameters:
  ///   - columns: one for each key, then one for each aggregate.
  ///   - work: memory for what lies between the steps.
  func add(_ columns: [Column], _ rows: UnsafeBufferPointer<UInt32>, _ work: GroupWork) {
    rowCount += rows.count
    var start = 0
    while start < rows.count {
      let piece = UnsafeBufferPointer(rebasing: rows[start..<min(start + Self.pieceSize, rows.count)])
      addPiece(columns, piece, work)
      start += piece.count
    }
  }

  private func addPiece(_ columns: [Column], _ rows: UnsafeBufferPointer<UInt32>, _ work: GroupWork) {
    for position in keys.indices { reader.read(columns[position], rows, into: work.keys[position]) }
    table.find(work.keys, rows.count, hashes: work.hashes, groups: work.groups)
    for (number, aggregate) in aggregates.enumerated() {
      let piece = GroupedRows(rows: rows, groups: work.groups, states: table.rows + places[number], stride: table.stride)
      aggregate.add(columns[keys.count + number], piece, reader, work.values, pairs[number])
    }
  }

  func state(_ group: Int, _ aggregate: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(table.rows + group * table.stride + places[aggregate])
  }

  // MARK: Rows of groups

  /// A column for each key of some groups, then one for each aggregate.
  /// - Parameter isEmpty: the aggregates are those of groups that nothing is in.
  func columns(_ groups: [UInt32], isEmpty: Bool = false) -> [Column] {
    keys.indices.map { position in reader.column(groups.count) { table.keyAtom(Int(groups[$0]), position) } }
      + aggregates.indices.map { number in
        isEmpty
          ? reader.column(groups.count) { _ in aggregates[number].empty }
          : reader.column(groups.count) { aggregates[number].atom(state(Int(groups[$0]), number)) }
      }
  }

  /// The groups that are not in another table of the same keys, in order.
  func groups(absentFrom other: GroupAggregator, _ work: GroupWork) -> [UInt32] {
    var absent: [UInt32] = []
    // What number each text has there, where that has been asked.
    var numbers = [UInt64?](repeating: nil, count: reader.texts.count)
    for start in stride(from: 0, to: groupCount, by: Self.pieceSize) {
      let size = min(Self.pieceSize, groupCount - start)
      for position in keys.indices {
        for index in 0..<size { work.keys[position].set(index, atom(start + index, position, as: other, &numbers)) }
      }
      other.table.search(work.keys, size, hashes: work.hashes, groups: work.groups)
      for index in 0..<size where work.groups[index] == KeyTable.none { absent.append(UInt32(start + index)) }
    }
    return absent
  }

  /// A group's key as another table would hold it. A text that is not there has a number that no group has.
  private func atom(_ group: Int, _ position: Int, as other: GroupAggregator, _ numbers: inout [UInt64?]) -> Atom {
    let atom = table.keyAtom(group, position)
    switch Atom.Kind(rawValue: atom.kind) {
    case .text?, .ip6?, .octets?:
      let text = Int(atom.word)
      let number = numbers[text] ?? other.reader.texts.number(of: text, in: reader.texts, inserting: false) ?? .max
      numbers[text] = number
      return Atom(kind: atom.kind, word: number)
    default: return atom
    }
  }
}

/// Memory for the steps of taking rows in.
final class GroupWork {
  let keys: [AtomBuffer]
  let values: AtomBuffer
  let hashes: UnsafeMutablePointer<UInt64>
  let groups: UnsafeMutablePointer<UInt32>

  init(keyCount: Int) {
    let size = GroupAggregator.pieceSize
    keys = (0..<keyCount).map { _ in AtomBuffer(capacity: size) }
    values = AtomBuffer(capacity: size)
    hashes = .allocate(capacity: size)
    groups = .allocate(capacity: size)
  }

  deinit {
    for buffer in keys { buffer.deallocate() }
    values.deallocate()
    hashes.deallocate()
    groups.deallocate()
  }
}
