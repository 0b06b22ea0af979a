internal import EventModel

/// Which values a group has seen: one flat set of (group, value) for all groups.
final class DistinctPairs {
  private let key: HashKey
  /// Group plus one in the lower half, the value's kind in the upper; then the value's word. 0 is free.
  private var slots: UnsafeMutablePointer<(UInt64, UInt64)>
  private var slotCount = 256
  private(set) var count = 0

  init(key: HashKey) {
    self.key = key
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: (0, 0), count: slotCount)
  }

  deinit { slots.deallocate() }

  var byteCount: Int { slotCount * 16 }

  func removeAll() {
    if slotCount > 1 << 14, count < slotCount / 16 {
      slots.deallocate()
      slotCount = 256
      while slotCount < count * 2 { slotCount *= 2 }
      slots = .allocate(capacity: slotCount)
      slots.initialize(repeating: (0, 0), count: slotCount)
    } else if count > 0 {
      slots.update(repeating: (0, 0), count: slotCount)
    }
    count = 0
  }

  func exchange(_ archive: StateArchive) {
    var pairs = archive.isSaving ? (0..<slotCount).filter { slots[$0].0 != 0 }.map { slots[$0] } : []
    archive.array(&pairs, blank: (0, 0)) { pair in
      archive.word(&pair.0)
      archive.word(&pair.1)
    }
    guard archive.isRestoring else { return }
    removeAll()
    reserve(pairs.count)
    for (group, word) in pairs where group & 0xffff_ffff != 0 {
      _ = insert(UInt32(group & 0xffff_ffff) - 1, Atom(kind: UInt8(truncatingIfNeeded: group >> 32), word: word))
    }
  }

  func reserve(_ more: Int) {
    guard (count + more) * 2 > slotCount else { return }
    let (old, oldCount) = (slots, slotCount)
    while slotCount < (count + more) * 2 { slotCount *= 2 }
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: (0, 0), count: slotCount)
    for index in 0..<oldCount where old[index].0 != 0 {
      var slot = Int(truncatingIfNeeded: key.mix(old[index].0, old[index].1)) & (slotCount - 1)
      while slots[slot].0 != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = old[index]
    }
    old.deallocate()
  }

  /// Whether the value is new to the group. Room has been reserved.
  @inline(__always)
  func insert(_ group: UInt32, _ atom: Atom) -> Bool {
    let pair = UInt64(group) + 1 | UInt64(atom.kind) << 32
    let mask = slotCount - 1
    var slot = Int(truncatingIfNeeded: key.mix(pair, atom.word)) & mask
    while slots[slot].0 != 0 {
      if slots[slot].0 == pair, slots[slot].1 == atom.word { return false }
      slot = (slot + 1) & mask
    }
    slots[slot] = (pair, atom.word)
    count += 1
    return true
  }
}
