internal import EventModel

/// Memory of texts. Columns that were made of them keep it alive.
final class TextArena {
  let base: UnsafeMutableRawPointer
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    base = .allocate(byteCount: capacity, alignment: 8)
  }

  deinit { base.deallocate() }
}

/// Texts and octets, each once, in one arena, numbered from 0 in order of appearance.
final class TextInterner {
  /// Where a text lies in the arena, and what kind of bytes it is.
  private struct Entry: BitwiseCopyable {
    private let place: UInt64
    let length: UInt32
    let hash: UInt32

    init(start: Int, length: Int, kind: Atom.Kind, hash: UInt32) {
      place = UInt64(start) << 8 | UInt64(kind.rawValue)
      self.length = UInt32(truncatingIfNeeded: length)
      self.hash = hash
    }

    var start: Int { Int(place >> 8) }
    var kind: UInt8 { UInt8(truncatingIfNeeded: place) }
  }

  private let key: HashKey
  private var arena = TextArena(capacity: 1 << 12)
  private var base: UnsafeMutableRawPointer
  private var arenaSize = 0
  private var entries: UnsafeMutablePointer<Entry>
  private var entryCapacity = 1 << 6
  private(set) var count = 0
  /// The hash, and the text's number plus one.
  private var slots = HashSlots()
  /// Takes what reading ahead has read, so that the reads are not optimised away.
  private var touched: UInt64 = 0

  init(key: HashKey) {
    self.key = key
    base = arena.base
    entries = .allocate(capacity: entryCapacity)
  }

  deinit {
    entries.deallocate()
    slots.deallocate()
  }

  var byteCount: Int { arena.capacity + slots.count * 8 + entryCapacity * MemoryLayout<Entry>.stride }

  subscript(number: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + entries[number].start, count: Int(entries[number].length))
  }

  /// All texts' bytes, for columns; nil where there are more than a slice can name.
  var memory: SliceMemory? {
    arenaSize > Int(Int32.max) ? nil : SliceMemory(UnsafeRawBufferPointer(start: base, count: arenaSize), owner: arena)
  }

  /// Where a text lies in ``memory``.
  func slice(_ number: Int) -> Slice {
    Slice(offset: Int32(truncatingIfNeeded: entries[number].start), length: Int32(truncatingIfNeeded: entries[number].length))
  }

  /// The number that a text of another has here; nil where it is not there and shall not be put in.
  func number(of text: Int, in other: TextInterner, inserting: Bool) -> UInt64? {
    let entry = other.entries[text]
    guard let kind = Atom.Kind(rawValue: entry.kind) else { return nil }
    return number(of: other[text], kind, hash: entry.hash, inserting: inserting)
  }

  /// Forgets all; the memory stays for as many again, unless much more is there than was needed.
  func removeAll() {
    if slots.count > 1 << 14, count < slots.count / 32 {
      slots.deallocate()
      slots = HashSlots(for: count * 2)
      entries.deallocate()
      entryCapacity = slots.count / 2
      entries = .allocate(capacity: entryCapacity)
      setArena(TextArena(capacity: max(1 << 12, arenaSize * 2)))
    } else if count > 0 {
      slots.removeAll()
      // Columns may have a hold on it.
      if !isKnownUniquelyReferenced(&arena) { setArena(TextArena(capacity: arena.capacity)) }
    }
    (arenaSize, count) = (0, 0)
  }

  private func setArena(_ arena: TextArena) {
    self.arena = arena
    base = arena.base
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
      if offset > 0 {
        last = base.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
      } else {
        for byte in bytes { last = last << 8 | UInt64(byte) }
      }
      hash = key.mix(hash, last)
    }
    return UInt32(truncatingIfNeeded: hash >> 16)
  }

  /// Brings the slots of texts with these hashes into the caches: reads that do not wait for one another.
  func readAhead(_ hashes: UnsafeBufferPointer<UInt64>) {
    guard slots.count > 1 << 12 else { return }
    let (mask, slots) = (slots.count - 1, slots.words)
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
    slots.reserve(for: count + 1)
    let (words, mask) = (slots.words, slots.count - 1)
    var slot = Int(hash) & mask
    while words[slot] != 0 {
      if words[slot] >> 32 == UInt64(hash) {
        let number = Int(words[slot] & 0xffff_ffff) - 1
        if isSame(entries[number], bytes, kind) { return UInt64(number) }
      }
      slot = (slot + 1) & mask
    }
    guard inserting else { return nil }
    append(bytes, kind, hash)
    words[slot] = UInt64(hash) << 32 | UInt64(count)
    return UInt64(count - 1)
  }

  @inline(__always)
  private func isSame(_ entry: Entry, _ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind) -> Bool {
    guard Int(entry.length) == bytes.count, entry.kind == kind.rawValue else { return false }
    guard let base = bytes.baseAddress else { return true }
    let own = UnsafeRawPointer(self.base + entry.start)
    var offset = 0
    while offset + 8 <= bytes.count {
      if own.loadUnaligned(fromByteOffset: offset, as: UInt64.self) != base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) {
        return false
      }
      offset += 8
    }
    if offset > 0 {
      let last = bytes.count - 8
      return own.loadUnaligned(fromByteOffset: last, as: UInt64.self) == base.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
    while offset < bytes.count {
      if own.load(fromByteOffset: offset, as: UInt8.self) != base.load(fromByteOffset: offset, as: UInt8.self) { return false }
      offset += 1
    }
    return true
  }

  private func append(_ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind, _ hash: UInt32) {
    if arenaSize + bytes.count > arena.capacity {
      let larger = TextArena(capacity: max(arena.capacity * 2, arenaSize + bytes.count))
      larger.base.copyMemory(from: base, byteCount: arenaSize)
      setArena(larger)
    }
    if count == entryCapacity {
      let larger = UnsafeMutablePointer<Entry>.allocate(capacity: entryCapacity * 2)
      larger.moveInitialize(from: entries, count: count)
      entries.deallocate()
      (entries, entryCapacity) = (larger, entryCapacity * 2)
    }
    if let source = bytes.baseAddress { (base + arenaSize).copyMemory(from: source, byteCount: bytes.count) }
    (entries + count).initialize(to: Entry(start: arenaSize, length: bytes.count, kind: kind, hash: hash))
    arenaSize += bytes.count
    count += 1
  }
}
