public import EventModel

/// Groups over a sliding window of time, of which no event is kept: of each that is in the window a few words say when it is due to leave,
/// which group it is in, and what the aggregates took from it.
///
/// Batches are taken in ahead of their events' turns. What that gives is the rows that HAVING may let pass, each with its aggregates.
public final class SlidingGroupKernel {
  private let keys: [Int]
  private let aggregates: [AggregateKernel]
  private let checks: [CountCheck]
  private let variables: (String) -> Value
  private let key: HashKey
  private let work: GroupWork
  private var values: [AtomBuffer] = []
  /// A group's state: how many events are in it, then two words for each aggregate.
  private var table: KeyTable
  private var reader: AtomReader
  /// Groups that nothing is in any more.
  private var emptyGroups = 0
  private let window: WordQueue
  /// The aggregates of rows that may pass HAVING, in the order of the rows.
  private var given: [Atom] = []
  private var nextGiven = 0

  private static let stateOffset = 1

  /// - Parameters:
  ///   - seed: the engine's; keys come from the network.
  ///   - variables: a variable's present value.
  public init(_ plan: SlidingPlan, seed: UInt64, variables: @escaping (String) -> Value) {
    keys = plan.keys
    aggregates = plan.aggregates
    checks = plan.checks
    self.variables = variables
    key = HashKey(seed: seed)
    work = GroupWork(keyCount: keys.count)
    values = plan.aggregates.map { _ in AtomBuffer(capacity: GroupAggregator.pieceSize) }
    (table, reader) = Self.noGroups(plan.keys.count, plan.aggregates.count, key)
    window = WordQueue(stride: 2 + plan.aggregates.count)
  }

  deinit { for buffer in values { buffer.deallocate() } }

  private static func noGroups(_ keys: Int, _ aggregates: Int, _ key: HashKey) -> (KeyTable, AtomReader) {
    let words = stateOffset + aggregates * AggregateKernel.stateWords
    return (KeyTable(keyCount: keys, stateWords: words, key: key), AtomReader(texts: TextInterner(key: key)))
  }

  /// Events in the window.
  public var eventCount: Int { window.count }
  private var byteCount: Int { table.byteCount + reader.texts.byteCount + window.byteCount }

  // MARK: Events

  /// Takes rows of a batch in.
  /// - Parameters:
  ///   - rows: of the batch, ascending.
  ///   - candidates: takes those of the rows that may pass HAVING; their aggregates are to be asked for by `nextAggregates`.
  ///   - due: when an event that comes at a time leaves.
  ///   - now: the clock at a row's turn; it does not go back.
  public func add(
    _ batch: EventBatch, _ rows: UnsafeBufferPointer<UInt32>, candidates: RowSelection, due: (Int64) -> Int64, now: (Int) -> Int64
  ) {
    given.removeAll(keepingCapacity: true)
    nextGiven = 0
    candidates.reserve(rows.count)
    candidates.count = 0
    let columns = (keys.map { Optional($0) } + aggregates.map(\.property)).map { property in
      property.flatMap { batch.properties.firstIndex(of: $0) }.map { batch.columns[$0] } ?? .absent
    }
    let bounds = checks.compactMap { $0.bound(variables) }
    var start = 0
    while start < rows.count {
      let piece = UnsafeBufferPointer(rebasing: rows[start..<min(start + GroupAggregator.pieceSize, rows.count)])
      compact()
      read(columns, piece)
      for index in 0..<piece.count {
        let row = Int(piece[index])
        let time = now(row)
        leave(upTo: time)
        let state = enter(index, due(time))
        guard bounds.allSatisfy({ $0.holds(state[Self.stateOffset + $0.aggregate * AggregateKernel.stateWords]) }) else { continue }
        candidates.rows[candidates.count] = UInt32(row)
        candidates.count += 1
        for (number, aggregate) in aggregates.enumerated() {
          given.append(aggregate.atom(state + Self.stateOffset + number * AggregateKernel.stateWords))
        }
      }
      start += piece.count
    }
  }

  /// The aggregates at the turn of the next candidate.
  public func nextAggregates() -> [Value] {
    defer { nextGiven += aggregates.count }
    return given[nextGiven..<min(nextGiven + aggregates.count, given.count)].map { reader.value($0) }
  }

  /// What is due leaves.
  public func leave(upTo time: Int64) {
    while window.count > 0, Int64(bitPattern: window.head[0]) <= time { leaveFirst() }
  }

  /// The first events leave before their time.
  public func leaveFirst(_ count: Int) { for _ in 0..<min(count, window.count) { leaveFirst() } }

  private func read(_ columns: [Column], _ rows: UnsafeBufferPointer<UInt32>) {
    for position in keys.indices { reader.read(columns[position], rows, into: work.keys[position]) }
    let known = table.count
    table.find(work.keys, rows.count, hashes: work.hashes, groups: work.groups)
    emptyGroups += table.count - known
    for (number, aggregate) in aggregates.enumerated() {
      switch aggregate.function {
      case .countAll: break
      case .count:
        let column = columns[keys.count + number]
        for index in 0..<rows.count { values[number].set(index, column.isNull(Int(rows[index])) ? .null : Atom(.bool, 1)) }
      default: reader.read(columns[keys.count + number], rows, into: values[number])
      }
    }
    touch(rows.count)
  }

  /// Brings the states of the groups that events will leave into the caches.
  private func touch(_ count: Int) {
    var sum: UInt64 = 0
    for index in 0..<min(count, window.count) {
      sum &+= table.rows[Int(truncatingIfNeeded: window[index][1] & 0xffff_ffff) * table.stride + table.stateOffset]
    }
    touched &+= sum
  }
  private var touched: UInt64 = 0

  private func state(_ group: Int) -> UnsafeMutablePointer<UInt64> { table.rows + group * table.stride + table.stateOffset }

  private func enter(_ index: Int, _ due: Int64) -> UnsafeMutablePointer<UInt64> {
    let group = work.groups[index]
    let state = state(Int(group))
    if state[0] == 0 { emptyGroups -= 1 }
    state[0] += 1
    let entry = window.append()
    entry[0] = UInt64(bitPattern: due)
    entry[1] = UInt64(group)
    for (number, aggregate) in aggregates.enumerated() {
      let own = state + Self.stateOffset + number * AggregateKernel.stateWords
      if aggregate.function == .countAll {
        own[0] += 1
        continue
      }
      let atom = values[number][index]
      entry[1] |= UInt64(atom.kind) << UInt64(32 + 4 * number)
      entry[2 + number] = atom.word
      if atom.kind != 0 { aggregate.enter(own, atom) }
    }
    return state
  }

  private func leaveFirst() {
    let entry = window.head
    let state = state(Int(truncatingIfNeeded: entry[1] & 0xffff_ffff))
    state[0] -= 1
    if state[0] == 0 { emptyGroups += 1 }
    for (number, aggregate) in aggregates.enumerated() {
      let own = state + Self.stateOffset + number * AggregateKernel.stateWords
      if aggregate.function == .countAll {
        own[0] -= 1
        continue
      }
      let kind = UInt8(truncatingIfNeeded: entry[1] >> UInt64(32 + 4 * number)) & 15
      if kind != 0 { aggregate.leave(own, Atom(kind: kind, word: entry[2 + number])) }
    }
    window.removeFirst()
  }

  // MARK: Room

  /// Where most groups are empty, those that are not move to a table of their own, with the texts of their keys.
  private func compact() {
    guard table.count > 4096, emptyGroups * 3 > table.count * 2 else { return }
    let (oldTable, oldReader) = (table, reader)
    (table, reader) = Self.noGroups(keys.count, aggregates.count, key)
    var places = [UInt32](repeating: 0, count: oldTable.count)
    for group in 0..<oldTable.count {
      let state = oldTable.rows + group * oldTable.stride + oldTable.stateOffset
      if state[0] == 0 { continue }
      let atoms = keys.indices.map { reader.atom(oldTable.keyAtom(group, $0), of: oldReader) }
      places[group] = table.append(atoms, state)
    }
    for index in 0..<window.count {
      let entry = window[index]
      entry[1] = entry[1] & ~0xffff_ffff | UInt64(places[Int(entry[1] & 0xffff_ffff)])
    }
    emptyGroups = 0
  }

  /// The groups, and what is in the window.
  public func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return archive.note(groups: eventCount, bytes: byteCount) }
    reader.texts.exchange(archive)
    table.exchange(archive)
    window.exchange(archive)
    guard archive.isRestoring, archive.failure == nil else { return }
    guard reader.knowsKeys(of: table, keys.count) else { return archive.fail("a group by a text that is not there") }
    for index in 0..<window.count where window[index][1] & 0xffff_ffff >= UInt64(table.count) {
      return archive.fail("an event of a group that is not there")
    }
    emptyGroups = (0..<table.count).count { state($0)[0] == 0 }
  }
}

extension AggregateKernel {
  /// A value that is not null comes.
  fileprivate func enter(_ state: UnsafeMutablePointer<UInt64>, _ atom: Atom) {
    switch function {
    case .sum where type.isInteger: state[1] &+= UInt64(bitPattern: atom.integer)
    case .sum, .average: state[1] = (Double(bitPattern: state[1]) + atom.number).bitPattern
    default: break
    }
    state[0] += 1
  }

  /// A value that is not null leaves. Where it was the last one, so does what inexact sums have left.
  fileprivate func leave(_ state: UnsafeMutablePointer<UInt64>, _ atom: Atom) {
    state[0] -= 1
    if state[0] == 0 {
      state[1] = 0
      return
    }
    switch function {
    case .sum where type.isInteger: state[1] &-= UInt64(bitPattern: atom.integer)
    case .sum, .average: state[1] = (Double(bitPattern: state[1]) - atom.number).bitPattern
    default: break
    }
  }
}

extension Atom {
  /// Of a number.
  fileprivate var number: Double { kind == Kind.double.rawValue ? Double(bitPattern: word) : Double(Int64(bitPattern: word)) }
  fileprivate var integer: Int64 {
    kind == Kind.double.rawValue ? Value.double(Double(bitPattern: word)).integer ?? 0 : Int64(bitPattern: word)
  }
}

/// Entries of some words each: first in, first out.
private final class WordQueue {
  private let stride: Int
  private var words: UnsafeMutablePointer<UInt64>
  private var capacity = 256
  private var first = 0
  private(set) var count = 0

  init(stride: Int) {
    self.stride = stride
    words = .allocate(capacity: capacity * stride)
    words.initialize(repeating: 0, count: capacity * stride)
  }

  deinit { words.deallocate() }

  var byteCount: Int { capacity * stride * 8 }
  var head: UnsafeMutablePointer<UInt64> { self[0] }
  subscript(index: Int) -> UnsafeMutablePointer<UInt64> { words + ((first + index) & (capacity - 1)) * stride }

  /// A place for one more, to be filled.
  func append() -> UnsafeMutablePointer<UInt64> {
    if count == capacity { resize(capacity * 2) }
    count += 1
    return self[count - 1]
  }

  func removeFirst() {
    first = (first + 1) & (capacity - 1)
    count -= 1
    // Much more memory than is needed is given back.
    if capacity > 1 << 14, count < capacity / 16 { resize(capacity / 4) }
  }

  private func resize(_ size: Int) {
    let moved = UnsafeMutablePointer<UInt64>.allocate(capacity: size * stride)
    moved.initialize(repeating: 0, count: size * stride)
    for index in 0..<count { (moved + index * stride).update(from: self[index], count: stride) }
    words.deallocate()
    (words, capacity, first) = (moved, size, 0)
  }

  func exchange(_ archive: StateArchive) {
    var size = count
    archive.count(&size)
    if archive.isRestoring { (first, count) = (0, 0) }
    for index in 0..<size where archive.failure == nil {
      let entry = archive.isSaving ? self[index] : append()
      for word in 0..<stride { archive.word(&entry[word]) }
    }
  }
}
