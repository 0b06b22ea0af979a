internal import EventModel

/// Texts and octets, each once, in one arena, numbered from 0 in order of appearance.
final class TextInterner {
  /// Where a text lies in the arena, and what kind of bytes it is.
  private struct Entry: BitwiseCopyable {
    var start: Int
    var length: UInt32
    var kind: UInt8
  }

  private let key: HashKey
  private var arena: UnsafeMutableRawPointer
  private var arenaSize = 0
  private var arenaCapacity = 1 << 12
  private var entries: UnsafeMutablePointer<Entry>
  private var entryCapacity = 1 << 6
  private(set) var count = 0
  /// The hash, then the text's number plus one; 0 is free.
  private var slots: UnsafeMutablePointer<UInt64>
  private var slotCount = 1 << 8
  /// Takes what reading ahead has read, so that the reads are not optimised away.
  private var touched: UInt64 = 0

  init(key: HashKey) {
    self.key = key
    arena = .allocate(byteCount: arenaCapacity, alignment: 8)
    entries = .allocate(capacity: entryCapacity)
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
  }

  deinit {
    arena.deallocate()
    entries.deallocate()
    slots.deallocate()
  }

  var byteCount: Int { arenaCapacity + slotCount * 8 + entryCapacity * MemoryLayout<Entry>.stride }

  subscript(number: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: arena + entries[number].start, count: Int(entries[number].length))
  }

  /// Forgets all; the memory stays for as many again, unless much more is there than was needed.
  func removeAll() {
    if slotCount > 1 << 14, count < slotCount / 32 {
      slots.deallocate()
      slotCount = 1 << 8
      while slotCount < count * 4 { slotCount *= 2 }
      slots = .allocate(capacity: slotCount)
      slots.initialize(repeating: 0, count: slotCount)
      entries.deallocate()
      entryCapacity = slotCount / 2
      entries = .allocate(capacity: entryCapacity)
      arena.deallocate()
      arenaCapacity = max(1 << 12, arenaSize * 2)
      arena = .allocate(byteCount: arenaCapacity, alignment: 8)
    } else if count > 0 {
      slots.update(repeating: 0, count: slotCount)
    }
    (arenaSize, count) = (0, 0)
  }

  func hash(_ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind) -> UInt32 {
    var hash = key.mix(UInt64(kind.rawValue), UInt64(bytes.count))
    guard let base = bytes.baseAddress else { return UInt32(truncatingIfNeeded: hash) }
    var offset = 0
    while offset + 8 <= bytes.count {
      hash = key.mix(hash, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    if offset < bytes.count {
      var last: UInt64 = 0
      while offset < bytes.count {
        last = last << 8 | UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
        offset += 1
      }
      hash = key.mix(hash, last)
    }
    return UInt32(truncatingIfNeeded: hash >> 16)
  }

  /// Brings the slots of texts with these hashes into the caches: reads that do not wait for one another.
  func readAhead(_ hashes: UnsafeBufferPointer<UInt64>) {
    guard slotCount > 1 << 12 else { return }
    let (mask, slots) = (slotCount - 1, self.slots)
    var sum: UInt64 = 0
    for hash in hashes { sum &+= slots[Int(truncatingIfNeeded: hash) & mask] }
    touched &+= sum
  }

  /// All texts in order, so that each has its number again.
  func exchange(_ archive: StateArchive) {
    var texts = archive.isSaving ? (0..<count).map { (kind: entries[$0].kind, bytes: Array(self[$0])) } : []
    archive.array(&texts, blank: (kind: 0, bytes: [])) { text in
      archive.integer(&text.kind)
      archive.octets(&text.bytes)
    }
    guard archive.isRestoring else { return }
    removeAll()
    for text in texts {
      let number = text.bytes.withUnsafeBytes { bytes in Atom.Kind(rawValue: text.kind).flatMap { self.number(of: bytes, $0) } }
      if number.map({ Int($0) + 1 }) != count || count == 0 { return archive.fail("a text that stands twice") }
    }
  }

  /// The text's number; nil if it is not there and shall not be put in.
  func number(of bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind, inserting: Bool = true) -> UInt64? {
    number(of: bytes, kind, hash: hash(bytes, kind), inserting: inserting)
  }

  /// - Parameter hash: the text's, by `hash`.
  func number(of bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind, hash: UInt32, inserting: Bool = true) -> UInt64? {
    if (count + 1) * 2 > slotCount { grow() }
    let mask = slotCount - 1
    var slot = Int(hash) & mask
    while slots[slot] != 0 {
      if slots[slot] >> 32 == UInt64(hash) {
        let number = Int(slots[slot] & 0xffff_ffff) - 1
        if isSame(entries[number], bytes, kind) { return UInt64(number) }
      }
      slot = (slot + 1) & mask
    }
    guard inserting else { return nil }
    append(bytes, kind)
    slots[slot] = UInt64(hash) << 32 | UInt64(count)
    return UInt64(count - 1)
  }

  @inline(__always)
  private func isSame(_ entry: Entry, _ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind) -> Bool {
    guard Int(entry.length) == bytes.count, entry.kind == kind.rawValue else { return false }
    guard let base = bytes.baseAddress else { return true }
    let own = UnsafeRawPointer(arena + entry.start)
    var offset = 0
    while offset + 8 <= bytes.count {
      if own.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) {
        return false
      }
      offset += 8
    }
    while offset < bytes.count {
      if own.load(fromByteOffset: offset, as: UInt8.self) != base.load(fromByteOffset: offset, as: UInt8.self) { return false }
      offset += 1
    }
    return true
  }

  private func append(_ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind) {
    if arenaSize + bytes.count > arenaCapacity {
      arenaCapacity = max(arenaCapacity * 2, arenaSize + bytes.count)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity, alignment: 8)
      larger.copyMemory(from: arena, byteCount: arenaSize)
      arena.deallocate()
      arena = larger
    }
    if count == entryCapacity {
      let larger = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity * 2)
      larger.moveInitialize(from: entries, count: count)
      entries.deallocate()
      (entries, entryCapacity) = (larger, entryCapacity * 2)
    }
    if let base = bytes.baseAddress { (arena + arenaSize).copyMemory(from: base, byteCount: bytes.count) }
    (entries + count).initialize(to: Entry(start: arenaSize, length: UInt32(truncatingIfNeeded: bytes.count), kind: kind.rawValue))
    arenaSize += bytes.count
    count += 1
  }

  private func grow() {
    let (old, oldCount) = (slots, slotCount)
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    let mask = slotCount - 1
    for index in 0..<oldCount where old[index] != 0 {
      var slot = Int(old[index] >> 32) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = old[index]
    }
    old.deallocate()
  }
}
