import EventModel
import Testing

@Suite struct AddressSetTests {
  private func set(_ prefixes: String...) -> AddressSet { AddressSet(prefixes.compactMap { AddressPrefix($0) }) }

  @Test func bothFamilies() throws {
    let set = set("10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "10.1.0.0/16", "10.0.0.0/8")
    #expect(set.count == 5)
    func contains(_ text: String) throws -> Bool { set.contains(try #require(Address(text: text))) }
    for inside in ["10.255.0.1", "192.0.2.1", "2001:db8:ffff::", "::1"] { #expect(try contains(inside), "\(inside)") }
    for outside in ["11.0.0.0", "192.0.2.2", "2001:db9::", "::2", "::a00:1"] { #expect(try !contains(outside), "\(outside)") }
  }

  @Test func lengthZeroIsEverythingOfItsFamily() throws {
    let set = set("0.0.0.0/0")
    #expect(set.contains(ip4: 0) && set.contains(ip4: .max))
    #expect(!set.contains(try #require(Address(text: "::"))))
    #expect(!AddressSet().contains(ip4: 0))
  }

  /// Against a list that is searched from end to end.
  @Test func randomPrefixes() throws {
    var random = SystemRandomNumberGenerator()
    let prefixes = (0..<300).compactMap { number in
      let isIP4 = number % 2 == 0
      let address =
        isIP4 ? Address(ip4: .random(in: 0...0xffff, using: &random)) : Address(ip6High: .random(in: 0...255, using: &random), low: 0)
      return AddressPrefix(address, length: .random(in: isIP4 ? 16...32 : 56...128, using: &random))
    }
    let set = AddressSet(prefixes)
    for _ in 0..<2000 {
      let addresses = [
        Address(ip4: .random(in: 0...0xffff, using: &random)),
        Address(ip6High: .random(in: 0...255, using: &random), low: .random(in: 0...3, using: &random)),
      ]
      for address in addresses { #expect(set.contains(address) == prefixes.contains { $0.contains(address) }, "\(address)") }
    }
  }

  @Test func texts() {
    var set = TextSet()
    let entries = (0..<1000).map { "entry \($0)" } + ["", "entry 5"]
    for entry in entries { entry.utf8CString.withUnsafeBytes { set.insert(UnsafeRawBufferPointer(rebasing: $0.dropLast())) } }
    #expect(set.count == 1001)
    #expect(set.contains("entry 999") && set.contains(""))
    #expect(!set.contains("entry 1000") && !set.contains("entry"))
  }

  /// Every text form gives the same address, and what is no address gives none.
  @Test func readingIP6() {
    let forms: [(String, String)] = [
      ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:0DB8::0001", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
      ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
      ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ]
    for (text, canonical) in forms { #expect(Address(text: text)?.value.text == canonical, "\(text)") }
    for text in [
      "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", ":1::", "1:", "::g", "1:2:3:4:5:6:7:1.2.3.4",
      "::1.2.3",
      "::1.2.3.4:5", "1.2.3.4::", "::1::", "1:2:3:4:5:6:7:8::", " ::1", "::+1",
    ] {
      #expect(Address(text: text) == nil, "\(text)")
    }
  }

  @Test func order() throws {
    let texts = ["0.0.0.1", "9.0.0.0", "10.0.0.0", "::", "::ffff:1.2.3.4", "2001:db8::", "ff00::"]
    let addresses = try texts.map { try #require(Address(text: $0)) }
    #expect(addresses.shuffled().sorted() == addresses)
    #expect(Value.orderAddresses(.ip4(1), .string("::")) == -1)
    #expect(Value.orderAddresses(.ip4(1), .string("no address")) == nil)
  }

  /// An address is one key with its text.
  @Test func hashOfText() throws {
    for text in ["10.0.0.1", "2001:db8::1", "::1", "::ffff:1.2.3.4", "fe80::1:2:3:4"] {
      let value = try #require(Address(text: text)).value
      #expect(value == .string(text), "\(text)")
      #expect(value.hashValue == Value.string(text).hashValue, "\(text)")
      #expect(value.keyHash(seed: 7) == Value.string(text).keyHash(seed: 7), "\(text)")
    }
    #expect(try #require(Address(text: "::1")).value != .string("0::1"))
  }
}

/// Look-ups in a list of a million entries look at no more slots than in a small one: both are at most half full.
@Suite struct AddressSetSizeTests {
  @Test func lookUpsDoNotGrowWithTheList() {
    func time(_ count: UInt32) -> Duration {
      var set = AddressSet()
      for number in 0..<count {
        if let prefix = AddressPrefix(Address(ip4: number &* 2_654_435_761), length: 32) { set.insert(prefix) }
      }
      var found = 0
      let taken = ContinuousClock().measure {
        for number in 0..<UInt32(200_000) where set.contains(ip4: (number % (2 * count)) &* 2_654_435_761) { found += 1 }
      }
      #expect(found > 0)
      return taken
    }
    // Memory is slower than a cache; a search that grew with the list would take 100,000 times as long.
    #expect(time(1_000_000) < time(10) * 30)
  }
}
