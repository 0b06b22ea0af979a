internal import EventModel

extension AtomReader {
  /// The column of some atoms, in the plainest shape that holds them. Texts stay where they are.
  @inline(__always)
  func column(_ count: Int, _ atom: (Int) -> Atom) -> Column {
    var kinds: UInt16 = 0
    for index in 0..<count { kinds |= 1 << UInt16(atom(index).kind) }
    func isOnly(_ allowed: Atom.Kind...) -> Bool {
      let mask = allowed.reduce(Self.bit(.null)) { $0 | Self.bit($1) }
      return kinds & ~mask == 0
    }
    func words<T>(_ value: (UInt64) -> T) -> [T] { (0..<count).map { value(atom($0).word) } }
    var storage: Column.Storage?
    if isOnly() {
      storage = .absent
    } else if isOnly(.int) {
      storage = .ints(words { Int64(bitPattern: $0) })
    } else if isOnly(.ip4) {
      storage = .ip4(words { UInt32(truncatingIfNeeded: $0) })
    } else if isOnly(.text) {
      storage = texts.memory.map { memory in
        .utf8(
          memory,
          (0..<count).map { index in
            let atom = atom(index)
            return atom.kind == 0 ? Slice(offset: 0, length: 0) : texts.slice(Int(atom.word))
          })
      }
    } else if isOnly(.double) {
      storage = .doubles(words { Double(bitPattern: $0) })
    } else if isOnly(.bool) {
      storage = .bools(words { $0 != 0 })
    } else if isOnly(.mac) {
      storage = .macs(words { $0 })
    } else if isOnly(.ip4, .ip6) {
      storage = addresses(count, atom)
    }
    guard let storage else { return Column(.values((0..<count).map { value(atom($0)) })) }
    return Column(storage, nulls: kinds & Self.bit(.null) == 0 ? [] : (0..<count).map { atom($0).kind == 0 })
  }

  private static func bit(_ kind: Atom.Kind) -> UInt16 { 1 << UInt16(kind.rawValue) }

  /// Addresses of both families; nil where bytes that were told to be of the sixth are not as many.
  private func addresses(_ count: Int, _ atom: (Int) -> Atom) -> Column.Storage? {
    var addresses: [Address] = []
    addresses.reserveCapacity(count)
    for index in 0..<count {
      let atom = atom(index)
      guard atom.kind == Atom.Kind.ip6.rawValue else {
        addresses.append(Address(ip4: UInt32(truncatingIfNeeded: atom.word)))
        continue
      }
      let bytes = texts[Int(atom.word)]
      guard bytes.count == 16 else { return nil }
      addresses.append(
        Address(
          ip6High: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))))
    }
    return .addresses(addresses)
  }
}
