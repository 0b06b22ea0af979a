internal import EventModel

/// The groups of one batch window: keys and aggregates, no events.
final class GroupAggregator {
  let keys: [Int]
  let aggregates: [AggregateKernel]
  let table: KeyTable
  let reader: AtomReader
  /// For each aggregate over distinct values its set.
  private let pairs: [DistinctPairs?]
  /// How many rows it has taken in.
  private(set) var rowCount = 0

  /// Rows are taken in pieces of this many, so that what lies between the steps stays in the nearest cache.
  static let pieceSize = 512

  init(keys: [Int], aggregates: [AggregateKernel], key: HashKey) {
    self.keys = keys
    self.aggregates = aggregates
    table = KeyTable(keyCount: keys.count, stateWords: aggregates.count * AggregateKernel.stateWords, key: key)
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
    if archive.isRestoring, !keysAreKnown { archive.fail("a group by a text that is not there") }
  }

  private var keysAreKnown: Bool {
    (0..<groupCount).allSatisfy { group in
      keys.indices.allSatisfy { position in
        let atom = table.keyAtom(group, position)
        switch Atom.Kind(rawValue: atom.kind) {
        case .text?, .ip6?, .octets?: return atom.word < UInt64(reader.texts.count)
        case nil: return false
        default: return true
        }
      }
    }
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
      let offset = table.stateOffset + number * AggregateKernel.stateWords
      let piece = GroupedRows(rows: rows, groups: work.groups, states: table.rows + offset, stride: table.stride)
      aggregate.add(columns[keys.count + number], piece, reader, work.values, pairs[number])
    }
  }

  func state(_ group: Int, _ aggregate: Int) -> UnsafePointer<UInt64> {
    UnsafePointer(table.rows + group * table.stride + table.stateOffset + aggregate * AggregateKernel.stateWords)
  }

  func keyValue(_ group: Int, _ position: Int) -> Value { reader.value(table.keyAtom(group, position)) }
  func value(_ group: Int, _ aggregate: Int) -> Value { aggregates[aggregate].value(state(group, aggregate), reader) }

  /// Whether another table's group is in this one too.
  func contains(_ group: Int, of other: GroupAggregator) -> Bool {
    var atoms: [Atom] = []
    for position in keys.indices {
      var atom = other.table.keyAtom(group, position)
      switch Atom.Kind(rawValue: atom.kind) {
      case .text?, .ip6?, .octets?:
        guard let kind = Atom.Kind(rawValue: atom.kind),
          let number = reader.texts.number(of: other.reader.texts[Int(atom.word)], kind, inserting: false)
        else { return false }
        atom.word = number
      default: break
      }
      atoms.append(atom)
    }
    return table.group(of: atoms) != nil
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
