internal import EventModel

/// Groups by key, numbered in order of first appearance: open addressing over numbers, and a row of 64-bit words for each group, the key's
/// kinds and words first, then room for the aggregates' state.
final class KeyTable {
  let keyCount: Int
  /// Words in a group's row.
  let stride: Int
  private let key: HashKey
  private(set) var count = 0
  private(set) var rows: UnsafeMutablePointer<UInt64>
  private var memory: TableMemory
  private var capacity = 64
  /// The upper half of the hash, and the group's number plus one.
  private var slots = HashSlots()
  /// Takes what reading ahead has read, so that the reads are not optimised away.
  private var touched: UInt64 = 0

  /// - Parameter stateWords: the words of the aggregates' states.
  init(keyCount: Int, stateWords: Int, key: HashKey) {
    self.keyCount = keyCount
    self.key = key
    stride = 1 + keyCount + stateWords
    memory = TableMemory(capacity: capacity * stride)
    rows = memory.words
  }

  deinit {
    memory.deallocate()
    slots.deallocate()
  }

  var byteCount: Int { (capacity * stride + slots.count) * 8 }
  /// Where the aggregates' states begin in a row.
  var stateOffset: Int { 1 + keyCount }

  func keyAtom(_ group: Int, _ position: Int) -> Atom {
    let row = rows + group * stride
    return Atom(kind: UInt8(truncatingIfNeeded: row[0] >> UInt64(8 * position)), word: row[1 + position])
  }

  /// Forgets all groups. Much more memory than was needed is given back.
  func removeAll() {
    if capacity > 4096, count < capacity / 16 {
      memory.deallocate()
      slots.deallocate()
      capacity = max(64, count * 2)
      memory = TableMemory(capacity: capacity * stride)
      rows = memory.words
      slots = HashSlots(for: capacity)
    } else if count > 0 {
      slots.removeAll()
    }
    count = 0
  }

  /// The group of each key, made where it is not there; a new group's state is zero.
  /// - Parameters:
  ///   - atoms: for each key column its values.
  ///   - groups: takes the groups' numbers.
  func find(_ atoms: [AtomBuffer], _ size: Int, hashes: UnsafeMutablePointer<UInt64>, groups: UnsafeMutablePointer<UInt32>) {
    reserve(count + size)
    hash(atoms, size, hashes)
    approach(hashes, size, starts: groups)
    switch keyCount {
    case 1:
      let first = atoms[0]
      for index in 0..<size {
        let (tag, a) = (UInt64(first.kinds[index]), first.words[index])
        groups[index] = lookUp(hashes[index], from: groups[index]) { row in
          row[0] == tag && row[1] == a
        } make: { row in
          row[0] = tag
          row[1] = a
        }
      }
    case 2:
      let (first, second) = (atoms[0], atoms[1])
      for index in 0..<size {
        let tag = UInt64(first.kinds[index]) | UInt64(second.kinds[index]) << 8
        let (a, b) = (first.words[index], second.words[index])
        groups[index] = lookUp(hashes[index], from: groups[index]) { row in
          row[0] == tag && row[1] == a && row[2] == b
        } make: { row in
          row[0] = tag
          row[1] = a
          row[2] = b
        }
      }
    case 3:
      let (first, second, third) = (atoms[0], atoms[1], atoms[2])
      for index in 0..<size {
        let tag = UInt64(first.kinds[index]) | UInt64(second.kinds[index]) << 8 | UInt64(third.kinds[index]) << 16
        let (a, b, c) = (first.words[index], second.words[index], third.words[index])
        groups[index] = lookUp(hashes[index], from: groups[index]) { row in
          row[0] == tag && row[1] == a && row[2] == b && row[3] == c
        } make: { row in
          row[0] = tag
          row[1] = a
          row[2] = b
          row[3] = c
        }
      }
    default:
      for index in 0..<size { groups[index] = lookUp(hashes[index], from: groups[index], atoms, index) }
    }
  }

  private func lookUp(_ hash: UInt64, from start: UInt32, _ atoms: [AtomBuffer], _ index: Int) -> UInt32 {
    var tags: UInt64 = 0
    for position in 0..<keyCount { tags |= UInt64(atoms[position].kinds[index]) << UInt64(8 * position) }
    return lookUp(hash, from: start) { row in
      guard row[0] == tags else { return false }
      for position in 0..<keyCount where row[1 + position] != atoms[position].words[index] { return false }
      return true
    } make: { row in
      row[0] = tags
      for position in 0..<keyCount { row[1 + position] = atoms[position].words[index] }
    }
  }

  /// - Parameter start: a slot before which the key is not.
  @inline(__always)
  private func lookUp(
    _ hash: UInt64, from start: UInt32, _ isSame: (UnsafeMutablePointer<UInt64>) -> Bool, make: (UnsafeMutablePointer<UInt64>) -> Void
  ) -> UInt32 {
    let words = slots.words
    var slot = Int(start)
    while true {
      let entry = words[slot]
      if entry == 0 { break }
      if entry >> 32 == hash >> 32 {
        let group = Int(entry & 0xffff_ffff) - 1
        if isSame(rows + group * stride) { return UInt32(truncatingIfNeeded: group) }
      }
      slot = (slot + 1) & (slots.count - 1)
    }
    let group = count
    words[slot] = (hash & 0xffff_ffff_0000_0000) | UInt64(group + 1)
    let row = rows + group * stride
    make(row)
    for word in stateOffset..<stride { row[word] = 0 }
    count = group + 1
    return UInt32(truncatingIfNeeded: group)
  }

  /// A group that is not there yet, with its state.
  func append(_ atoms: [Atom], _ state: UnsafePointer<UInt64>) -> UInt32 {
    reserve(count + 1)
    let row = rows + count * stride
    var tags: UInt64 = 0
    for (position, atom) in atoms.enumerated() {
      tags |= UInt64(atom.kind) << UInt64(8 * position)
      (row + 1 + position).initialize(to: atom.word)
    }
    row.initialize(to: tags)
    (row + stateOffset).initialize(from: state, count: stride - stateOffset)
    place(count)
    count += 1
    return UInt32(count - 1)
  }

  /// What stands for the group of a key that is not there.
  static let none = UInt32.max

  /// The group of each key, where it is there.
  /// - Parameter groups: takes the groups' numbers, or `none`.
  func search(_ atoms: [AtomBuffer], _ size: Int, hashes: UnsafeMutablePointer<UInt64>, groups: UnsafeMutablePointer<UInt32>) {
    hash(atoms, size, hashes)
    approach(hashes, size, starts: groups)
    let (words, mask) = (slots.words, slots.count - 1)
    for index in 0..<size {
      var slot = Int(groups[index])
      groups[index] = Self.none
      while words[slot] != 0 {
        let group = Int(words[slot] & 0xffff_ffff) - 1
        if words[slot] >> 32 == hashes[index] >> 32, holds(group, atoms, index) {
          groups[index] = UInt32(group)
          break
        }
        slot = (slot + 1) & mask
      }
    }
  }

  private func holds(_ group: Int, _ atoms: [AtomBuffer], _ index: Int) -> Bool {
    let row = rows + group * stride
    for position in 0..<keyCount {
      if row[1 + position] != atoms[position].words[index] { return false }
      if UInt8(truncatingIfNeeded: row[0] >> UInt64(8 * position)) != atoms[position].kinds[index] { return false }
    }
    return true
  }

  private func hash(_ atoms: [AtomBuffer], _ size: Int, _ hashes: UnsafeMutablePointer<UInt64>) {
    let key = self.key
    guard let first = atoms.first else { return hashes.update(repeating: key.second, count: size) }
    for index in 0..<size { hashes[index] = key.mix(key.second &+ UInt64(first.kinds[index]), first.words[index]) }
    for buffer in atoms.dropFirst() {
      let (kinds, words) = (buffer.kinds, buffer.words)
      for index in 0..<size { hashes[index] = key.mix(hashes[index] &+ UInt64(kinds[index]), words[index]) }
    }
  }

  /// Finds for each hash the first slot that is free or has it, and brings the row that it names into the caches: first all slots, then all
  /// rows, with reads that do not wait for one another.
  private func approach(_ hashes: UnsafeMutablePointer<UInt64>, _ size: Int, starts: UnsafeMutablePointer<UInt32>) {
    let (mask, slots, rows, stride) = (slots.count - 1, slots.words, self.rows, self.stride)
    var sum: UInt64 = 0
    if mask > 1 << 12 { for index in 0..<size { sum &+= slots[Int(hashes[index] >> 32) & mask] } }
    for index in 0..<size {
      let tag = hashes[index] >> 32
      var slot = Int(tag) & mask
      var entry = slots[slot]
      while entry != 0, entry >> 32 != tag {
        slot = (slot + 1) & mask
        entry = slots[slot]
      }
      starts[index] = UInt32(truncatingIfNeeded: slot)
      // A row may lie in two lines of the cache. Where there is none, one that is there already is read: no branch follows the traffic.
      let row = rows + max(Int(entry & 0xffff_ffff) - 1, 0) * stride
      sum &+= row[0] &+ row[stride - 1]
    }
    touched &+= sum
  }

  /// The rows as they are; their places are found anew, for the key of hashing is another after a restart.
  func exchange(_ archive: StateArchive) {
    var size = count
    archive.count(&size)
    if archive.isRestoring {
      removeAll()
      reserve(size)
    }
    for index in 0..<(size * stride) where archive.failure == nil {
      var word = archive.isSaving ? rows[index] : 0
      archive.word(&word)
      if archive.isRestoring { (rows + index).initialize(to: word) }
    }
    guard archive.isRestoring, archive.failure == nil else { return }
    for group in 0..<size { place(group) }
    count = size
  }

  private func place(_ group: Int) {
    var hash = key.second
    for position in 0..<keyCount {
      let atom = keyAtom(group, position)
      hash = key.mix(hash &+ UInt64(atom.kind), atom.word)
    }
    slots.insert((hash & 0xffff_ffff_0000_0000) | UInt64(group + 1))
  }

  private func reserve(_ size: Int) {
    if size > capacity {
      while capacity < size { capacity *= 2 }
      memory.grow(to: capacity * stride, keeping: count * stride)
      rows = memory.words
    }
    slots.reserve(for: size)
  }
}
