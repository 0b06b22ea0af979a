internal import EventModel

/// What waits for one step of a sequence, by key: rows of 64-bit words in a ring, in the order in which they came, and a hash table from
/// a key to the last row under it, from which each names the one before. A row whose time is over leaves the ring and nothing else: what
/// points to it sees by its number that it is gone.
final class WaitingTable {
  /// Where a value stands in a row: its kind (a byte of a word), and its word.
  struct Place {
    let kinds: Int
    let shift: UInt64
    let word: Int
  }

  /// When it is due, the number of the row before it under its key (0: none), its age.
  static let header = 3
  /// Due since ever: a row that has been taken out.
  private static let gone = Int64.min

  let stride: Int
  private let keys: [Place]
  private let key: HashKey
  private var rows: UnsafeMutablePointer<UInt64>
  /// A power of two. Row n stands at place n modulo that.
  private var capacity = 64
  /// Rows have numbers from 1; those from `head` to before `next` are in the ring.
  private var head: UInt64 = 1
  private var next: UInt64 = 1
  private(set) var count = 0
  /// The key's hash, and the number of the last row under it; a hash of 0 is a free slot, a row that has left one that can be used again.
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount = 256
  private var usedSlots = 0
  /// Whether rows are due in the order in which they stand: always, unless the clock went back.
  private var isOrdered = true
  private var lastDue = Int64.min
  /// Where they are not: when the first is due.
  private var firstDue = Int64.max
  private var touched: UInt64 = 0

  init(stride: Int, keys: [Place], key: HashKey) {
    self.stride = stride
    self.keys = keys
    self.key = key
    rows = .allocate(capacity: capacity * stride)
    slots = .allocate(capacity: slotCount * 2)
    slots.initialize(repeating: 0, count: slotCount * 2)
  }

  deinit {
    rows.deallocate()
    slots.deallocate()
  }

  var byteCount: Int { capacity * stride * 8 + slotCount * 16 }

  func row(_ number: UInt64) -> UnsafeMutablePointer<UInt64> { rows + Int(number & UInt64(capacity - 1)) * stride }
  private func due(_ number: UInt64) -> Int64 { Int64(bitPattern: row(number)[0]) }
  func isThere(_ number: UInt64) -> Bool { due(number) != Self.gone }
  var numbers: Range<UInt64> { head..<next }

  /// When the last of them is due.
  var lastDueOfAll: Int64? { numbers.lazy.filter { self.isThere($0) }.map { self.due($0) }.max() }

  // MARK: In

  /// A new row, to be filled and then linked.
  func append(due: Int64, age: UInt64) -> UnsafeMutablePointer<UInt64> {
    if next - head == UInt64(capacity) { rebuild(capacity: count * 2 < capacity ? capacity : capacity * 2) }
    if due < lastDue { isOrdered = false }
    (lastDue, firstDue) = (due, min(firstDue, due))
    let row = row(next)
    row[0] = UInt64(bitPattern: due)
    row[1] = 0
    row[2] = age
    next += 1
    count += 1
    return row
  }

  /// Puts the row that was appended last under its key, whose hash is given.
  func link(_ hash: UInt64) { link(next - 1, hash) }

  private func link(_ number: UInt64, _ hash: UInt64) {
    if usedSlots * 2 >= slotCount { sweepSlots() }
    let mask = slotCount - 1
    var slot = Int(hash >> 32) & mask
    var free: Int?
    while slots[2 * slot] != 0 {
      let last = slots[2 * slot + 1]
      if last < head {
        free = free ?? slot
      } else if slots[2 * slot] == hash, isSameKey(row(last), row(number)) {
        row(number)[1] = last
        slots[2 * slot + 1] = number
        return
      }
      slot = (slot + 1) & mask
    }
    if free == nil { usedSlots += 1 }
    slots[2 * (free ?? slot)] = hash
    slots[2 * (free ?? slot) + 1] = number
  }

  private func isSameKey(_ a: UnsafeMutablePointer<UInt64>, _ b: UnsafeMutablePointer<UInt64>) -> Bool {
    for place in keys where a[place.word] != b[place.word] || (a[place.kinds] ^ b[place.kinds]) >> place.shift & 0xff != 0 { return false }
    return true
  }

  /// The hash of a row's key, never 0; nil where a part of it is null, which equals nothing.
  func hash(_ row: UnsafeMutablePointer<UInt64>) -> UInt64? {
    var hash = key.second
    for place in keys {
      let kind = row[place.kinds] >> place.shift & 0xff
      if kind == 0 { return nil }
      hash = key.mix(hash &+ kind, row[place.word])
    }
    return max(hash, 1)
  }

  /// The hashes of keys, one for each index; 0 where a part is null.
  func hash(_ atoms: [AtomBuffer], _ size: Int, _ hashes: UnsafeMutablePointer<UInt64>) {
    for index in 0..<size { hashes[index] = key.second }
    for buffer in atoms {
      for index in 0..<size { hashes[index] = key.mix(hashes[index] &+ UInt64(buffer.kinds[index]), buffer.words[index]) }
    }
    for index in 0..<size { hashes[index] = max(hashes[index], 1) }
    for buffer in atoms { for index in 0..<size where buffer.kinds[index] == 0 { hashes[index] = 0 } }
    guard slotCount > 1 << 13 else { return }
    // Brings the slots into the caches: reads that do not wait for one another.
    var sum: UInt64 = 0
    for index in 0..<size { sum &+= slots[2 * (Int(hashes[index] >> 32) & (slotCount - 1))] }
    touched &+= sum
  }

  // MARK: Out

  /// Lets those go that are due.
  @inline(__always)
  func expire(_ now: Int64) {
    if !isOrdered { expireAnywhere(now) }
    while head < next, due(head) <= now {
      if due(head) != Self.gone { count -= 1 }
      head += 1
    }
  }

  private func expireAnywhere(_ now: Int64) {
    guard now >= firstDue else { return }
    (isOrdered, lastDue, firstDue) = (true, .min, .max)
    for number in numbers where isThere(number) {
      let due = due(number)
      if due <= now {
        remove(number)
      } else {
        if due < lastDue { isOrdered = false }
        (lastDue, firstDue) = (due, min(firstDue, due))
      }
    }
  }

  /// Takes a row out that no key leads to any more, or that shall be found as gone.
  func remove(_ number: UInt64) {
    row(number)[0] = UInt64(bitPattern: Self.gone)
    count -= 1
  }

  /// Takes the row that was appended last, and has not been linked, back.
  func removeLast() {
    next -= 1
    count -= 1
  }

  /// Takes the rows under a key for which `passes` holds away from it, in the order in which they came; they are still to be removed.
  func take(
    _ hash: UInt64, _ atoms: [AtomBuffer], _ index: Int, into found: inout [UInt64], _ passes: (UnsafeMutablePointer<UInt64>) -> Bool
  ) {
    found.removeAll(keepingCapacity: true)
    guard let slot = slot(hash, atoms, index) else { return }
    var number = slots[2 * slot + 1]
    var lastKept: UInt64 = 0
    slots[2 * slot + 1] = 0
    while number >= head {
      let row = row(number)
      let before = row[1]
      if isThere(number) {
        if passes(row) {
          found.append(number)
        } else {
          if lastKept == 0 { slots[2 * slot + 1] = number } else { self.row(lastKept)[1] = number }
          lastKept = number
        }
      }
      number = before
    }
    if lastKept != 0 { self.row(lastKept)[1] = 0 }
    found.reverse()
  }

  private func slot(_ hash: UInt64, _ atoms: [AtomBuffer], _ index: Int) -> Int? {
    let mask = slotCount - 1
    var slot = Int(hash >> 32) & mask
    while slots[2 * slot] != 0 {
      if slots[2 * slot] == hash, slots[2 * slot + 1] >= head, hasKey(row(slots[2 * slot + 1]), atoms, index) { return slot }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private func hasKey(_ row: UnsafeMutablePointer<UInt64>, _ atoms: [AtomBuffer], _ index: Int) -> Bool {
    for (place, buffer) in zip(keys, atoms) {
      if row[place.word] != buffer.words[index] || row[place.kinds] >> place.shift & 0xff != UInt64(buffer.kinds[index]) { return false }
    }
    return true
  }

  // MARK: Room

  /// Forgets the keys under which nothing waits any more, with more room where there are many others.
  private func sweepSlots() {
    var used = 0
    for slot in 0..<slotCount where slots[2 * slot] != 0 && slots[2 * slot + 1] >= head { used += 1 }
    let (old, oldCount) = (slots, slotCount)
    slotCount = 256
    while slotCount < used * 8 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount * 2)
    slots.initialize(repeating: 0, count: slotCount * 2)
    usedSlots = used
    let mask = slotCount - 1
    for index in 0..<oldCount where old[2 * index] != 0 && old[2 * index + 1] >= head {
      var slot = Int(old[2 * index] >> 32) & mask
      while slots[2 * slot] != 0 { slot = (slot + 1) & mask }
      slots[2 * slot] = old[2 * index]
      slots[2 * slot + 1] = old[2 * index + 1]
    }
    old.deallocate()
  }

  /// Much more memory than is needed is given back.
  func shrink() {
    var size = 64
    while size < count * 2 { size *= 2 }
    if capacity > 4096, size < capacity / 16 { rebuild(capacity: size) }
  }

  /// All memory that is not needed is given back.
  func fit() {
    var size = 64
    while size < count { size *= 2 }
    rebuild(capacity: size)
  }

  /// Moves the rows that are there into a ring of another size, without gaps, and finds their keys anew.
  func rebuild(capacity size: Int? = nil) {
    let (old, oldCapacity, oldNumbers) = (rows, capacity, numbers)
    if let size { capacity = size }
    rows = .allocate(capacity: capacity * stride)
    slots.deallocate()
    slotCount = 256
    while slotCount < count * 8 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount * 2)
    slots.initialize(repeating: 0, count: slotCount * 2)
    (head, next, usedSlots) = (1, 1, 0)
    for number in oldNumbers {
      let source = old + Int(number & UInt64(oldCapacity - 1)) * stride
      if Int64(bitPattern: source[0]) == Self.gone { continue }
      let target = row(next)
      target.update(from: source, count: stride)
      target[1] = 0
      next += 1
      if let hash = hash(target) { link(next - 1, hash) }
    }
    old.deallocate()
  }

  func removeAll() {
    for number in numbers where isThere(number) { remove(number) }
    (isOrdered, lastDue, firstDue) = (true, .min, .max)
    rebuild(capacity: 64)
  }
}
