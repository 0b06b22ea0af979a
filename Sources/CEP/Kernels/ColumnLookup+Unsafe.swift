internal import EventModel

/// From a column's values to the filters that demand them.
///
/// Constants are hashed as the column's shape has them; two that hash alike only make rows that their filters then reject.
final class ColumnLookup {
  struct Entry {
    let group: Int
    let demand: ColumnFilter.Demand
  }

  private enum Shape: Hashable { case ints, ip4, addresses, macs, texts }

  let property: Int
  let entries: [Entry]
  /// For each shape that has come its table; nil where a constant cannot be compared with such values.
  private var tables: [Shape: ConstantTable?] = [:]
  private let ranges: RangeTable?
  /// Ranges that lie over one another so often that the table of them would be too large are asked for one by one.
  private let isTooDense: Bool

  init(_ property: Int, _ entries: [Entry]) {
    self.property = property
    self.entries = entries
    let bounds = entries.compactMap(\.range)
    ranges = RangeTable(bounds)
    isTooDense = ranges == nil && !bounds.isEmpty
  }

  /// Names for each value, in order, the groups that may want its row. False where the column's shape is not one for that.
  func find(_ column: Column, _ count: Int, _ body: (_ group: Int, _ row: UInt32) -> Void) -> Bool {
    if case .absent = column.storage { return true }
    guard !isTooDense, let shape = Self.shape(column), let table = table(shape), shape == .ints || ranges == nil else { return false }
    let nulls = column.nulls
    func each(_ hash: (Int) -> UInt64) {
      for row in 0..<count where nulls.isEmpty || !nulls[row] { table.find(hash(row)) { body($0, UInt32(row)) } }
    }
    switch column.storage {
    case .ints(let values):
      if !table.isEmpty { values.withUnsafeBufferPointer { values in each { UInt64(bitPattern: values[$0]) } } }
      if let ranges {
        for row in 0..<count where nulls.isEmpty || !nulls[row] { ranges.find(values[row]) { body($0, UInt32(row)) } }
      }
    case .ip4(let values): values.withUnsafeBufferPointer { values in each { UInt64(values[$0]) } }
    case .addresses(let values): values.withUnsafeBufferPointer { values in each { Self.hash(values[$0]) } }
    case .macs(let values): values.withUnsafeBufferPointer { values in each { values[$0] } }
    case .utf8(let memory, let slices): slices.withUnsafeBufferPointer { slices in each { Self.hash(memory[slices[$0]]) } }
    case .strings(let values): each { Self.hash(values[$0]) }
    default: return false
    }
    return true
  }

  private static func shape(_ column: Column) -> Shape? {
    switch column.storage {
    case .ints: .ints
    case .ip4: .ip4
    case .addresses: .addresses
    case .macs: .macs
    case .utf8, .strings: .texts
    default: nil
    }
  }

  private func table(_ shape: Shape) -> ConstantTable? {
    if let table = tables[shape] { return table }
    let table = ConstantTable(entries) { Self.hash($0, shape) }
    tables[shape] = .some(table)
    return table
  }

  private enum Constant {
    case hash(UInt64)
    /// No value of the shape equals it.
    case never
    /// It cannot be compared with values of the shape.
    case unknown
  }

  private static func hash(_ value: Value, _ shape: Shape) -> Constant {
    switch (shape, value) {
    case (.ints, .int(let number)): .hash(UInt64(bitPattern: number))
    case (.ip4, .string(let text)): AddressText.parseIP4(text).map { .hash(UInt64($0)) } ?? .never
    case (.ip4, .ip4(let address)): .hash(UInt64(address))
    case (.addresses, .string(let text)): Address(canonical: text).map { .hash(hash($0)) } ?? .never
    case (.addresses, .ip4), (.addresses, .octets): Address(value).map { .hash(hash($0)) } ?? .never
    case (.macs, .string(let text)): AddressText.parseMAC(text).map { .hash($0) } ?? .never
    case (.texts, .string(let text)): .hash(hash(text))
    default: .unknown
    }
  }

  private static func hash(_ address: Address) -> UInt64 {
    address.isIP4 ? address.low : address.high &* 0x9e37_79b9_7f4a_7c15 ^ address.low
  }

  private static func hash(_ text: String) -> UInt64 {
    var text = text
    return text.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = UInt64(bytes.count)
    func step(_ word: UInt64) {
      let product = (hash ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: word ^ 0xbf58_476d_1ce4_e5b9)
      hash = product.high ^ product.low
    }
    var offset = 0
    while offset + 8 <= bytes.count {
      step(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var last: UInt64 = 0
    while offset < bytes.count {
      last = last << 8 | UInt64(bytes[offset])
      offset += 1
    }
    step(last)
    return hash
  }

  /// From a hash to groups: open addressing, at most a quarter full.
  private struct ConstantTable {
    /// The hash and where its groups begin in `groups`, plus one; 0 there is free.
    private var slots: [(hash: UInt64, first: UInt32)] = []
    /// Group after group, each list ended by -1.
    private var groups: [Int32] = []
    private let mask: Int
    var isEmpty: Bool { groups.isEmpty }

    /// Nil where a constant cannot be compared.
    init?(_ entries: [Entry], _ hash: (Value) -> Constant) {
      var lists: [UInt64: [Int32]] = [:]
      for entry in entries {
        guard case .oneOf(let values) = entry.demand.values else { continue }
        for value in values {
          switch hash(value) {
          case .hash(let hash): if lists[hash]?.last != Int32(entry.group) { lists[hash, default: []].append(Int32(entry.group)) }
          case .never: break
          case .unknown: return nil
          }
        }
      }
      var size = 16
      while size < lists.count * 4 { size *= 2 }
      mask = size - 1
      slots = Array(repeating: (0, 0), count: size)
      for (hash, list) in lists {
        var slot = Self.place(hash) & mask
        while slots[slot].first != 0 { slot = (slot + 1) & mask }
        slots[slot] = (hash, UInt32(groups.count + 1))
        groups += list + [-1]
      }
    }

    private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: (hash &* 0x9e37_79b9_7f4a_7c15) >> 32) }

    @inline(__always)
    func find(_ hash: UInt64, _ body: (Int) -> Void) {
      var slot = Self.place(hash) & mask
      while slots[slot].first != 0 {
        if slots[slot].hash == hash {
          var index = Int(slots[slot].first) - 1
          while groups[index] >= 0 {
            body(Int(groups[index]))
            index += 1
          }
          return
        }
        slot = (slot + 1) & mask
      }
    }
  }

  /// From a number to the groups whose range it is in: the line cut at every bound, with a list for each piece.
  private struct RangeTable {
    /// Where pieces begin, ascending; before the first there is none.
    private var starts: [Int64] = []
    private var lists: [[Int32]] = []

    private static let mostEntries = 1 << 20

    /// Nil where there are no ranges, or too many of them over one another.
    init?(_ ranges: [(low: Int64, high: Int64, group: Int32)]) {
      if ranges.isEmpty { return nil }
      starts = Array(Set(ranges.flatMap { [$0.low, $0.high == .max ? .max : $0.high + 1] })).sorted()
      lists = Array(repeating: [], count: starts.count)
      var left = Self.mostEntries
      for range in ranges {
        var piece = place(range.low)
        while piece < starts.count, starts[piece] <= range.high {
          lists[piece].append(range.group)
          piece += 1
          left -= 1
        }
        if left < 0 { return nil }
      }
    }

    /// The last piece that begins at or before a number; -1 where none does.
    private func place(_ number: Int64) -> Int {
      var (low, high) = (0, starts.count)
      while low < high {
        let middle = (low + high) / 2
        if starts[middle] <= number { low = middle + 1 } else { high = middle }
      }
      return low - 1
    }

    @inline(__always)
    func find(_ number: Int64, _ body: (Int) -> Void) {
      let piece = place(number)
      if piece >= 0 { for group in lists[piece] { body(Int(group)) } }
    }
  }
}

extension ColumnLookup.Entry {
  fileprivate var range: (low: Int64, high: Int64, group: Int32)? {
    if case .between(let low, let high) = demand.values { (low, high, Int32(group)) } else { nil }
  }
}
