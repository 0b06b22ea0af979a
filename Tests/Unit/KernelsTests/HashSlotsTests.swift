import Testing

@testable import Kernels

/// Slots grow in the memory that they have: whatever was put in before is found afterwards from its hash alone.
@Suite struct HashSlotsTests {
  /// Whether an entry is found before the first free slot.
  private func holds(_ slots: HashSlots, _ entry: UInt64) -> Bool {
    var slot = Int(entry >> 32) & (slots.count - 1)
    while slots.words[slot] != 0 {
      if slots.words[slot] == entry { return true }
      slot = (slot + 1) & (slots.count - 1)
    }
    return false
  }

  private func check(_ hashes: [UInt64], steps: [Int]) {
    var slots = HashSlots()
    defer { slots.deallocate() }
    var entries: [UInt64] = []
    for (step, end) in steps.enumerated() {
      slots.reserve(for: end)
      for number in entries.count..<end {
        entries.append(hashes[number] << 32 | UInt64(number + 1))
        slots.insert(entries[number])
      }
      #expect(entries.filter { !holds(slots, $0) } == [], "after step \(step)")
      #expect((0..<slots.count).filter { slots.words[$0] != 0 }.count == entries.count)
    }
  }

  @Test("random hashes, with room for twice and for many times as many")
  func random() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let hashes = (0..<4096).map { _ in UInt64(UInt32.random(in: .min ... .max, using: &random)) }
      check(hashes, steps: [128, 256, 512, 4096])
      check(hashes, steps: [100, 4000])
    }
  }

  @Test("hashes that crowd at the end of the slots, so that entries go on at the beginning, before growth and after it")
  func crowded() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      // Of the last or first few of 256, 512 or 1,024 slots.
      let hashes = (0..<1024).map { _ in
        let slot = [255, 511, 1023, 0, 256].randomElement(using: &random)! + .random(in: -3...3, using: &random)
        return UInt64((slot + 1024) & 1023) | UInt64(UInt32.random(in: 0..<64, using: &random)) << 10
      }
      check(hashes, steps: [60, 128, 200, 256, 512, 1024])
      check(hashes, steps: [128, 1024])
    }
  }

  @Test("an emptied table has all its slots free, one made for many has them from the start")
  func emptied() {
    var slots = HashSlots(for: 1000)
    defer { slots.deallocate() }
    #expect(slots.count == 2048)
    slots.reserve(for: 1024)
    #expect(slots.count == 2048)
    slots.reserve(for: 1025)
    #expect(slots.count == 4096)
    slots.insert(5 << 32 | 1)
    #expect(holds(slots, 5 << 32 | 1))
    slots.removeAll()
    #expect((0..<slots.count).allSatisfy { slots.words[$0] == 0 })
  }
}
