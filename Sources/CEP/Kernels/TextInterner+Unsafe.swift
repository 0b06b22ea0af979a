internal import EventModel

/// Texts and octets, each once, in one arena, numbered from 0 in order of appearance.
final class TextInterner {
  private let key: HashKey
  private var arena: UnsafeMutableRawPointer
  private var arenaSize = 0
  private var arenaCapacity = 1 << 12
  /// Where text n ends; it begins where n - 1 ends.
  private var ends: [Int] = []
  private var kinds: [UInt8] = []
  private var hashes: [UInt32] = []
  private var slots: UnsafeMutablePointer<UInt32>
  private var slotCount = 1 << 8

  init(key: HashKey) {
    self.key = key
    arena = .allocate(byteCount: arenaCapacity, alignment: 8)
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
  }

  deinit {
    arena.deallocate()
    slots.deallocate()
  }

  var count: Int { ends.count }
  var byteCount: Int { arenaCapacity + slotCount * 4 + ends.capacity * 13 }

  subscript(number: Int) -> UnsafeRawBufferPointer {
    let start = number == 0 ? 0 : ends[number - 1]
    return UnsafeRawBufferPointer(start: arena + start, count: ends[number] - start)
  }

  /// Forgets all; the memory stays for as many again.
  func removeAll() {
    arenaSize = 0
    ends.removeAll(keepingCapacity: ends.capacity < 1 << 20)
    kinds.removeAll(keepingCapacity: ends.capacity < 1 << 20)
    hashes.removeAll(keepingCapacity: ends.capacity < 1 << 20)
    slots.update(repeating: 0, count: slotCount)
  }

  private func hash(_ bytes: UnsafeRawBufferPointer, _ kind: UInt8) -> UInt32 {
    var hash = key.mix(UInt64(kind), UInt64(bytes.count))
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

  /// The text's number; nil if it is not there and shall not be put in.
  func number(of bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind, inserting: Bool = true) -> UInt64? {
    if (ends.count + 1) * 2 > slotCount { grow() }
    let hash = hash(bytes, kind.rawValue)
    var slot = Int(hash) & (slotCount - 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash, kinds[number] == kind.rawValue, same(self[number], bytes) { return UInt64(number) }
      slot = (slot + 1) & (slotCount - 1)
    }
    guard inserting else { return nil }
    append(bytes)
    kinds.append(kind.rawValue)
    hashes.append(hash)
    slots[slot] = UInt32(ends.count)
    return UInt64(ends.count - 1)
  }

  private func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool { a.count == b.count && a.elementsEqual(b) }

  private func append(_ bytes: UnsafeRawBufferPointer) {
    if arenaSize + bytes.count > arenaCapacity {
      arenaCapacity = max(arenaCapacity * 2, arenaSize + bytes.count)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: arenaCapacity, alignment: 8)
      larger.copyMemory(from: arena, byteCount: arenaSize)
      arena.deallocate()
      arena = larger
    }
    if let base = bytes.baseAddress { (arena + arenaSize).copyMemory(from: base, byteCount: bytes.count) }
    arenaSize += bytes.count
    ends.append(arenaSize)
  }

  private func grow() {
    slots.deallocate()
    slotCount *= 2
    slots = .allocate(capacity: slotCount)
    slots.initialize(repeating: 0, count: slotCount)
    for (number, hash) in hashes.enumerated() {
      var slot = Int(hash) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }
}
