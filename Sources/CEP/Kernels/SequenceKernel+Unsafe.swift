public import EventModel
internal import Plan

/// Keyed sequences over columns: events that wait for the next step stand in a table by key, as words, and a batch gives its matches.
///
/// What is waited for depends on the events and the clock alone, so a whole batch is gone through ahead of the statement that makes rows of
/// the matches. A match is numbered in the order of its last event, and for one event in the order in which its sequences began to wait.
public final class SequenceKernel {
  private let steps: [SequencePlan.Step]
  private let key: HashKey
  /// What waits for the step of that number; none for the first.
  private var waiting: [WaitingTable]
  /// For each step where the kept properties of its event stand in rows, and its time.
  private let places: [[WaitingTable.Place]]
  private let timeWords: [Int]
  /// The words of a row that waits for the step of that number.
  private let strides: [Int]
  private var work: [StepWork]
  private var reader: AtomReader
  private var age: UInt64 = 0
  private var found: [UInt64] = []
  private let result = RowSelection()
  private var matchRows: [UInt32] = []
  private var matches: [UInt64] = []
  private var nextMatch = 0
  /// How many events the last batch had that began a sequence or took one on.
  public private(set) var eventsTaken = 0

  /// - Parameter seed: the engine's; keys come from the network.
  public init(_ plan: SequencePlan, seed: UInt64) {
    steps = plan.steps
    key = HashKey(seed: seed)
    reader = AtomReader(texts: TextInterner(key: key))
    var (size, strides, places, timeWords): (Int, [Int], [[WaitingTable.Place]], [Int]) = (WaitingTable.header, [], [], [])
    for step in steps {
      strides.append(size)
      let first = size + 1
      let values = first + (step.kept.count + 7) / 8
      timeWords.append(size)
      places.append(step.kept.indices.map { WaitingTable.Place(kinds: first + $0 / 8, shift: UInt64($0 % 8 * 8), word: values + $0) })
      size = values + step.kept.count
    }
    (self.strides, self.places, self.timeWords) = (strides, places, timeWords)
    let key = self.key
    let all = steps
    func place(_ earlier: SequencePlan.Earlier) -> WaitingTable.Place {
      guard let index = all[earlier.step].kept.firstIndex(of: earlier.property) else { preconditionFailure("a key that is not kept") }
      return places[earlier.step][index]
    }
    waiting = steps.indices.map { WaitingTable(stride: strides[$0], keys: all[$0].keys.map { place($0.earlier) }, key: key) }
    // The first step's events are put under the second's key; the others look for their own.
    work = steps.indices.map { number in
      StepWork(
        kept: all[number].kept, keys: number == 0 ? all[1].keys.map(\.earlier.property) : all[number].keys.map(\.own),
        tests: all[number].tests.map { (place: place($0.earlier), comparison: $0.comparison, own: $0.own) })
    }
  }

  /// How many events wait.
  public var waitingCount: Int { waiting.reduce(0) { $0 + $1.count } }
  public var byteCount: Int { waiting.reduce(reader.texts.byteCount) { $0 + $1.byteCount } }
  /// When the last of what waits is given up.
  public var lastDue: Int64? { zip(steps, waiting).compactMap { $0.span == nil ? nil : $1.lastDueOfAll }.max() }

  /// Lets go what is due at a time: before the clock goes back behind it.
  public func expire(_ now: Int64) { for table in waiting { table.expire(now) } }

  /// Takes a batch in.
  ///
  /// - Parameters:
  ///   - selections: for each step the rows that pass its filter; nil for a step of another type.
  ///   - now: the clock before the first row.
  ///   - times: the events' times, where these set the clock, which does not go back.
  /// - Returns: the rows that end sequences.
  public func scan(_ batch: EventBatch, _ selections: [RowSelection?], now: Int64, times: [Int64]) -> RowSelection {
    (result.count, eventsTaken, nextMatch) = (0, 0, 0)
    result.reserve(batch.valueCount)
    matchRows.removeAll(keepingCapacity: true)
    matches.removeAll(keepingCapacity: true)
    forgetTexts()
    for step in steps.indices { work[step].begin(selections[step], batch, reader, waiting[max(step, 1)]) }
    var (now, passed) = (now, 0)
    while let row = nextRow() {
      let event = batch.event(ofValue: Int(row))
      while passed <= event, passed < times.count {
        now = max(now, times[passed])
        passed += 1
      }
      let time = batch.times.isEmpty ? now : batch.times[event]
      var isTaken = false
      // The last step first: what one event takes on to a step does not end by it.
      for step in steps.indices.reversed() where work[step].row == row {
        if step == 0 { begin(time, now) } else if !takeOn(step, row, time, now) { continue }
        isTaken = true
      }
      if isTaken { eventsTaken += 1 }
      for step in steps.indices where work[step].row == row { work[step].advance() }
    }
    for table in waiting { table.shrink() }
    return result
  }

  private func nextRow() -> UInt32? {
    var next: UInt32?
    for step in work { if let row = step.row { next = min(next ?? row, row) } }
    return next
  }

  private func begin(_ time: Int64, _ now: Int64) {
    let hash = work[0].hash
    let table = waiting[1]
    table.expire(now)
    if hash == 0 { return }
    let row = table.append(due: due(1, now), age: takeAge())
    fill(row, 0, time)
    table.link(hash)
  }

  /// Takes what waits for the row on to the next step, or makes matches of it. False where nothing waits.
  private func takeOn(_ step: Int, _ row: UInt32, _ time: Int64, _ now: Int64) -> Bool {
    let (table, own) = (waiting[step], work[step])
    table.expire(now)
    if own.hash == 0 { return false }
    table.take(own.hash, own.keys, own.index, into: &found) { own.passes($0) }
    if found.isEmpty { return false }
    for number in found {
      if step == steps.count - 1 { note(table.row(number), row) } else { move(table.row(number), to: step + 1, time, now) }
      table.remove(number)
    }
    return true
  }

  private func move(_ source: UnsafeMutablePointer<UInt64>, to step: Int, _ time: Int64, _ now: Int64) {
    let table = waiting[step]
    table.expire(now)
    let row = table.append(due: due(step, now), age: takeAge())
    (row + WaitingTable.header).update(from: source + WaitingTable.header, count: strides[step - 1] - WaitingTable.header)
    fill(row, step - 1, time)
    // Null equals nothing: it would wait for ever.
    if let hash = table.hash(row) { table.link(hash) } else { table.removeLast() }
  }

  private func note(_ row: UnsafeMutablePointer<UInt64>, _ number: UInt32) {
    if result.count == 0 || result.rows[result.count - 1] != number {
      result.rows[result.count] = number
      result.count += 1
    }
    matchRows.append(number)
    matches.append(contentsOf: UnsafeBufferPointer(start: row, count: strides[steps.count - 1]))
  }

  /// Writes what is kept of the step's present event into a row.
  private func fill(_ row: UnsafeMutablePointer<UInt64>, _ step: Int, _ time: Int64) {
    row[timeWords[step]] = UInt64(bitPattern: time)
    let own = work[step]
    for (number, place) in places[step].enumerated() {
      if place.shift == 0 { row[place.kinds] = 0 }
      let atom = own.buffers[number][own.index]
      row[place.kinds] |= UInt64(atom.kind) << place.shift
      row[place.word] = atom.word
    }
  }

  private func due(_ step: Int, _ now: Int64) -> Int64 { steps[step].span.map { min(now + $0, 1 << 60) } ?? .max }

  private func takeAge() -> UInt64 {
    age &+= 1
    return age
  }

  // MARK: Matches

  /// The numbers of the matches of the next row that has any.
  public func takeMatches() -> Range<Int> {
    let first = nextMatch
    while nextMatch < matchRows.count, matchRows[nextMatch] == matchRows[first] { nextMatch += 1 }
    return first..<nextMatch
  }

  /// A kept property of a match's event, by the place among its step's kept ones.
  public func value(_ match: Int, step: Int, kept: Int) -> Value { value(matches, match * strides[steps.count - 1], places[step][kept]) }

  public func time(_ match: Int, step: Int) -> Int64 { Int64(bitPattern: matches[match * strides[steps.count - 1] + timeWords[step]]) }

  private func value(_ words: [UInt64], _ start: Int, _ place: WaitingTable.Place) -> Value {
    reader.value(Atom(kind: UInt8(truncatingIfNeeded: words[start + place.kinds] >> place.shift), word: words[start + place.word]))
  }

  // MARK: State

  /// Gives up so many of what waits, the oldest first.
  public func giveUp(_ count: Int) {
    var all: [(age: UInt64, step: Int, number: UInt64)] = []
    for (step, table) in waiting.enumerated() {
      for number in table.numbers where table.isThere(number) { all.append((table.row(number)[2], step, number)) }
    }
    all.sort { $0.age < $1.age }
    for item in all.prefix(count) { waiting[item.step].remove(item.number) }
    for table in waiting { table.fit() }
    forgetTexts(always: true)
  }

  public func exchange(_ archive: StateArchive) {
    if archive.isMeasuring { return archive.note(groups: waitingCount, bytes: byteCount) }
    archive.place(&age)
    if archive.isRestoring { for table in waiting { table.removeAll() } }
    for step in steps.indices.dropFirst() {
      let table = waiting[step]
      var numbers = table.numbers.filter { table.isThere($0) }
      archive.array(&numbers, blank: 0) { number in exchange(archive.isSaving ? table.row(number) : nil, step, archive) }
    }
  }

  /// A row to be saved; nil for one to be restored.
  private func exchange(_ old: UnsafeMutablePointer<UInt64>?, _ step: Int, _ archive: StateArchive) {
    var due = old.map { Int64(bitPattern: $0[0]) } ?? 0
    var own = old.map { $0[2] } ?? 0
    archive.integer(&due)
    archive.place(&own)
    var words = old.map { Array(UnsafeBufferPointer(start: $0, count: strides[step])) } ?? Array(repeating: 0, count: strides[step])
    for earlier in 0..<step {
      archive.word(&words[timeWords[earlier]])
      for place in places[earlier] {
        var value = old == nil ? .null : value(words, 0, place)
        archive.value(&value)
        let atom = reader.exactAtom(value)
        if old == nil { (words[place.kinds], words[place.word]) = (words[place.kinds] | UInt64(atom.kind) << place.shift, atom.word) }
      }
    }
    guard old == nil, archive.failure == nil, due != .min else { return }
    let table = waiting[step]
    let row = table.append(due: due, age: own)
    for index in WaitingTable.header..<strides[step] { row[index] = words[index] }
    if let hash = table.hash(row) { table.link(hash) } else { table.removeLast() }
  }

  /// Texts that nothing refers to any more go, once they may be most of all.
  private func forgetTexts(always: Bool = false) {
    let held = zip(waiting, places.indices).reduce(0) { sum, item in sum + item.0.count * places[..<item.1].reduce(0) { $0 + $1.count } }
    guard reader.texts.count > (always ? 0 : 1 << 14 + held * 4) else { return }
    let new = AtomReader(texts: TextInterner(key: key))
    for (step, table) in waiting.enumerated() {
      for number in table.numbers where table.isThere(number) {
        let row = table.row(number)
        for place in places[..<step].joined() {
          let kind = Atom.Kind(rawValue: UInt8(truncatingIfNeeded: row[place.kinds] >> place.shift))
          guard let kind, kind == .text || kind == .ip6 || kind == .octets else { continue }
          row[place.word] = new.texts.number(of: reader.texts[Int(row[place.word])], kind) ?? 0
        }
      }
      table.rebuild()
    }
    reader = new
  }
}
