/// What members the lines have had, as they were written (`"name": `), each with what is to be done with it, and which of them came after
/// which: lines of one exporter follow one another's order, so the next member is mostly known before it is read.
final class MemberMemo {
  private struct Entry: BitwiseCopyable {
    var length: Int32
    var node: Int32
    var place: NameTree.Place
    /// The entry that last came after this one; -1 for none.
    var next: Int32
  }

  /// Longer members, and members of too many kinds, are read anew each time.
  private static let longest = 64
  private static let most = 128
  private static let slotCount = 512

  private let texts: UnsafeMutableRawPointer
  /// The first is none of a line's: what comes after it begins the line.
  private let entries: UnsafeMutablePointer<Entry>
  private var count = 1
  /// From a text's hash to its entry; -1 is free.
  private let slots: UnsafeMutablePointer<Int32>
  /// The present line's last member; -1 for one that is not here.
  private var last = 0

  init() {
    texts = .allocate(byteCount: Self.longest * Self.most, alignment: 8)
    entries = .allocate(capacity: Self.most)
    entries.initialize(to: Entry(length: 0, node: -1, place: .none, next: -1))
    slots = .allocate(capacity: Self.slotCount)
    slots.initialize(repeating: -1, count: Self.slotCount)
  }

  deinit {
    texts.deallocate()
    entries.deallocate()
    slots.deallocate()
  }

  func beginLine() { last = 0 }

  /// The member that is expected, where it is what stands at a place of an object: its length as written, and what it is.
  @inline(__always)
  func expected(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, under node: Int) -> (length: Int, place: NameTree.Place)? {
    guard last >= 0 else { return nil }
    let next = Int(entries[last].next)
    guard next >= 0 else { return nil }
    let entry = entries[next]
    let length = Int(entry.length)
    guard entry.node == node, position + length <= bytes.count, let base = bytes.baseAddress,
      Self.isSame(texts + next * Self.longest, UnsafeRawPointer(base + position), length)
    else { return nil }
    last = next
    return (length, entry.place)
  }

  /// A member that was not expected, for the next time.
  func note(_ text: UnsafeBufferPointer<UInt8>, under node: Int, _ place: NameTree.Place) {
    let before = last
    last = number(text, Int32(node), place)
    if before >= 0, last >= 0 { entries[before].next = Int32(last) }
  }

  private func number(_ text: UnsafeBufferPointer<UInt8>, _ node: Int32, _ place: NameTree.Place) -> Int {
    guard text.count <= Self.longest, let base = text.baseAddress else { return -1 }
    var slot = (NameTree.hash(text) &+ Int(node)) & (Self.slotCount - 1)
    while slots[slot] >= 0 {
      let entry = entries[Int(slots[slot])]
      if entry.length == text.count, entry.node == node, Self.isSame(texts + Int(slots[slot]) * Self.longest, base, text.count) {
        return Int(slots[slot])
      }
      slot = (slot + 1) & (Self.slotCount - 1)
    }
    guard count < Self.most else { return -1 }
    (texts + count * Self.longest).copyMemory(from: base, byteCount: text.count)
    (entries + count).initialize(to: Entry(length: Int32(text.count), node: node, place: place, next: -1))
    slots[slot] = Int32(count)
    count += 1
    return count - 1
  }

  @inline(__always)
  private static func isSame(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Bool {
    var offset = 0
    while offset + 8 <= count {
      let (x, y) = (a.loadUnaligned(fromByteOffset: offset, as: UInt64.self), b.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      if x != y { return false }
      offset += 8
    }
    while offset < count {
      if a.load(fromByteOffset: offset, as: UInt8.self) != b.load(fromByteOffset: offset, as: UInt8.self) { return false }
      offset += 1
    }
    return true
  }
}
