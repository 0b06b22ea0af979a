internal import EventModel

/// Values of a column's rows as atoms, in memory that is used again.
struct AtomBuffer {
  let kinds: UnsafeMutablePointer<UInt8>
  let words: UnsafeMutablePointer<UInt64>

  init(capacity: Int) {
    kinds = .allocate(capacity: capacity)
    words = .allocate(capacity: capacity)
    kinds.initialize(repeating: 0, count: capacity)
    words.initialize(repeating: 0, count: capacity)
  }

  func deallocate() {
    kinds.deallocate()
    words.deallocate()
  }

  @inline(__always)
  subscript(index: Int) -> Atom { Atom(kind: kinds[index], word: words[index]) }

  @inline(__always)
  func set(_ index: Int, _ atom: Atom) {
    kinds[index] = atom.kind
    words[index] = atom.word
  }
}

/// Turns columns into atoms and atoms into values.
struct AtomReader {
  let texts: TextInterner

  /// Reads the column's values in the rows given.
  func read(_ column: Column, _ rows: UnsafeBufferPointer<UInt32>, into target: AtomBuffer) {
    switch column.storage {
    case .absent: fill(rows, target) { _ in .null }
    case .ints(let values): fill(values, column.nulls, rows, target, .int) { UInt64(bitPattern: $0) }
    case .doubles(let values): fill(values, column.nulls, rows, target, .double) { ($0 == 0 ? 0 : $0).bitPattern }
    case .bools(let values): fill(values, column.nulls, rows, target, .bool) { $0 ? 1 : 0 }
    case .ip4(let values): fill(values, column.nulls, rows, target, .ip4) { UInt64($0) }
    case .macs(let values): fill(values, column.nulls, rows, target, .mac) { $0 }
    case .addresses(let values): fill(rows, target) { column.isNull($0) ? .null : atom(values[$0]) }
    case .utf8(let memory, let slices): read(memory, slices, column.nulls, rows, target)
    case .octets(let memory, let slices): fill(rows, target) { column.isNull($0) ? .null : atom(memory[slices[$0]], .octets) }
    case .strings(let values): fill(rows, target) { column.isNull($0) ? .null : atom(values[$0]) }
    case .values: fill(rows, target) { atom(column[$0]) }
    }
  }

  /// Texts: hashes first, in the place of the words, so that their slots can be read ahead.
  private func read(
    _ memory: SliceMemory, _ slices: [Slice], _ nulls: [Bool], _ rows: UnsafeBufferPointer<UInt32>, _ target: AtomBuffer
  ) {
    slices.withUnsafeBufferPointer { slices in
      for index in 0..<rows.count {
        let row = Int(rows[index])
        target.kinds[index] = nulls.isEmpty || !nulls[row] ? Atom.Kind.text.rawValue : 0
        target.words[index] = target.kinds[index] == 0 ? 0 : UInt64(texts.hash(memory[slices[row]], .text))
      }
      texts.readAhead(UnsafeBufferPointer(start: target.words, count: rows.count))
      for index in 0..<rows.count where target.kinds[index] != 0 {
        let bytes = memory[slices[Int(rows[index])]]
        let hash = UInt32(truncatingIfNeeded: target.words[index])
        let atom = address(in: bytes) ?? Atom(.text, texts.number(of: bytes, .text, hash: hash) ?? 0)
        target.kinds[index] = atom.kind
        target.words[index] = atom.word
      }
    }
  }

  @inline(__always)
  private func fill(_ rows: UnsafeBufferPointer<UInt32>, _ target: AtomBuffer, _ atom: (Int) -> Atom) {
    for index in 0..<rows.count {
      let atom = atom(Int(rows[index]))
      target.kinds[index] = atom.kind
      target.words[index] = atom.word
    }
  }

  @inline(__always)
  private func fill<T>(
    _ values: [T], _ nulls: [Bool], _ rows: UnsafeBufferPointer<UInt32>, _ target: AtomBuffer, _ kind: Atom.Kind, _ word: (T) -> UInt64
  ) {
    values.withUnsafeBufferPointer { values in
      if nulls.isEmpty {
        target.kinds.update(repeating: kind.rawValue, count: rows.count)
        for index in 0..<rows.count { target.words[index] = word(values[Int(rows[index])]) }
      } else {
        nulls.withUnsafeBufferPointer { nulls in
          for index in 0..<rows.count {
            let row = Int(rows[index])
            target.kinds[index] = nulls[row] ? 0 : kind.rawValue
            target.words[index] = nulls[row] ? 0 : word(values[row])
          }
        }
      }
    }
  }

  private func atom(_ bytes: UnsafeRawBufferPointer, _ kind: Atom.Kind) -> Atom { Atom(kind, texts.number(of: bytes, kind) ?? 0) }

  private func atom(_ address: Address) -> Atom {
    if address.isIP4 { return Atom(.ip4, address.low) }
    return withUnsafeBytes(of: (address.high.bigEndian, address.low.bigEndian)) { atom($0, .ip6) }
  }

  /// Text that is an address is the address: both are one key.
  private func atom(text bytes: UnsafeRawBufferPointer) -> Atom { address(in: bytes) ?? atom(bytes, .text) }

  @inline(__always)
  private func address(in bytes: UnsafeRawBufferPointer) -> Atom? {
    guard let first = bytes.first, bytes.count >= 7, bytes.count <= 17 else { return nil }
    if first >= 48, first <= 57, let ip4 = AddressText.parseIP4(bytes.bindMemory(to: UInt8.self)) { return Atom(.ip4, UInt64(ip4)) }
    if bytes.count == 17, bytes[2] == 58, let mac = AddressText.parseMAC(String(decoding: bytes, as: UTF8.self)) {
      return Atom(.mac, mac)
    }
    return nil
  }

  private func atom(_ string: String) -> Atom {
    var string = string
    return string.withUTF8 { atom(text: UnsafeRawBufferPointer($0)) }
  }

  /// As `read`, with doubles bit by bit, and every text that is an address as the address: for values that are given again, and for keys that
  /// columns of different shapes share.
  func readExactly(_ column: Column, _ rows: UnsafeBufferPointer<UInt32>, into target: AtomBuffer) {
    switch column.storage {
    case .doubles(let values): fill(values, column.nulls, rows, target, .double) { $0.bitPattern }
    case .values: fill(rows, target) { exactAtom(column[$0]) }
    default: read(column, rows, into: target)
    }
    for index in 0..<rows.count where target.kinds[index] == Atom.Kind.text.rawValue {
      if let address = ip6(texts[Int(target.words[index])]) { (target.kinds[index], target.words[index]) = (address.kind, address.word) }
    }
  }

  func exactAtom(_ value: Value) -> Atom {
    if case .double(let number) = value { return Atom(.double, number.bitPattern) }
    let atom = atom(value)
    return atom.kind == Atom.Kind.text.rawValue ? ip6(texts[Int(atom.word)]) ?? atom : atom
  }

  private func ip6(_ bytes: UnsafeRawBufferPointer) -> Atom? {
    guard bytes.count >= 2, bytes.count <= 45, bytes.prefix(5).contains(58) else { return nil }
    guard let address = Address(canonical: String(decoding: bytes, as: UTF8.self)), !address.isIP4 else { return nil }
    return atom(address)
  }

  func atom(_ value: Value) -> Atom {
    switch value {
    case .int(let value): Atom(.int, UInt64(bitPattern: value))
    case .double(let value): Atom(.double, (value == 0 ? 0 : value).bitPattern)
    case .bool(let value): Atom(.bool, value ? 1 : 0)
    case .ip4(let value): Atom(.ip4, UInt64(value))
    case .mac(let value): Atom(.mac, value)
    case .string(let value): atom(value)
    case .octets(let octets): octets.bytes.withUnsafeBytes { atom($0, octets.kind == .ip6 ? .ip6 : .octets) }
    case .null, .array, .event, .map: .null
    }
  }

  func value(_ atom: Atom) -> Value {
    switch Atom.Kind(rawValue: atom.kind) {
    case .int: .int(Int64(bitPattern: atom.word))
    case .double: .double(Double(bitPattern: atom.word))
    case .bool: .bool(atom.word != 0)
    case .ip4: .ip4(UInt32(truncatingIfNeeded: atom.word))
    case .mac: .mac(atom.word)
    case .text: .string(String(decoding: texts[Int(atom.word)], as: UTF8.self))
    case .ip6: .octets(Octets(.ip6, Array(texts[Int(atom.word)])))
    case .octets: .octets(Octets(.octets, Array(texts[Int(atom.word)])))
    case .null, nil: .null
    }
  }

  /// Another reader's atom as it is here.
  func atom(_ atom: Atom, of other: AtomReader) -> Atom {
    switch Atom.Kind(rawValue: atom.kind) {
    case .text?, .ip6?, .octets?: Atom(kind: atom.kind, word: texts.number(of: Int(atom.word), in: other.texts, inserting: true) ?? 0)
    default: atom
    }
  }

  /// Whether all texts in a table's keys are there.
  func knowsKeys(of table: KeyTable, _ keyCount: Int) -> Bool {
    (0..<table.count).allSatisfy { group in
      (0..<keyCount).allSatisfy { position in
        let atom = table.keyAtom(group, position)
        switch Atom.Kind(rawValue: atom.kind) {
        case .text?, .ip6?, .octets?: return atom.word < UInt64(texts.count)
        case nil: return false
        default: return true
        }
      }
    }
  }
}
