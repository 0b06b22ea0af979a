/// The wanted names, taken apart at their dots: which of them, or which object that holds some of them, a member of an object is.
///
/// `ipfix.sourceIPv4Address` is found as it is, and as a member of the object `ipfix`.
final class NameTree {
  struct Place: BitwiseCopyable {
    /// The number of the wanted name; -1 where it is none.
    var column: Int
    /// The object that holds wanted names; -1 where it does not.
    var node: Int
    static let none = Place(column: -1, node: -1)
  }

  private struct Node {
    /// What stands before its members' names.
    var prefix: [UInt8]
    var members: [(name: [UInt8], place: Place)] = []

    /// A name may be wanted itself and hold others.
    mutating func add(_ name: [UInt8], _ place: Place) {
      guard let known = members.firstIndex(where: { $0.name == name }) else { return members.append((name, place)) }
      if place.column >= 0, members[known].place.column < 0 { members[known].place.column = place.column }
      if place.node >= 0 { members[known].place.node = place.node }
    }
  }

  private struct Member: BitwiseCopyable {
    var start: Int32
    var length: Int32
    var place: Place
  }

  /// Where an object's slots begin, and how many there are less one: open addressing, at most a quarter full.
  private struct Table: BitwiseCopyable {
    var first: Int
    var mask: Int
  }

  /// The first is the line's own object.
  private let tables: UnsafeMutablePointer<Table>
  /// The number of a member; -1 is free.
  private let slots: UnsafeMutablePointer<Int32>
  private let members: UnsafeMutablePointer<Member>
  private let bytes: UnsafeMutableRawPointer

  init(_ names: [String]) {
    let names = names.map { Array($0.utf8) }
    var nodes = [Node(prefix: [])]
    for name in names {
      for dot in name.indices where name[dot] == UInt8(ascii: ".") {
        let prefix = Array(name[...dot])
        if !nodes.contains(where: { $0.prefix == prefix }) { nodes.append(Node(prefix: prefix)) }
      }
    }
    for number in nodes.indices {
      let prefix = nodes[number].prefix
      for (column, name) in names.enumerated() where name.starts(with: prefix) {
        nodes[number].add(Array(name[prefix.count...]), Place(column: column, node: -1))
      }
      for (inner, node) in nodes.enumerated() where node.prefix.count > prefix.count && node.prefix.starts(with: prefix) {
        nodes[number].add(Array(node.prefix[prefix.count...].dropLast()), Place(column: -1, node: inner))
      }
    }
    let sizes = nodes.map { node in
      var size = 16
      while size < node.members.count * 4 { size *= 2 }
      return size
    }
    tables = .allocate(capacity: nodes.count)
    slots = .allocate(capacity: sizes.reduce(0, +))
    slots.initialize(repeating: -1, count: sizes.reduce(0, +))
    let all = nodes.flatMap(\.members)
    members = .allocate(capacity: max(all.count, 1))
    bytes = .allocate(byteCount: max(all.reduce(0) { $0 + $1.name.count }, 1), alignment: 8)
    var (first, count, end) = (0, 0, 0)
    for (number, node) in nodes.enumerated() {
      let mask = sizes[number] - 1
      (tables + number).initialize(to: Table(first: first, mask: mask))
      for member in node.members {
        (bytes + end).copyMemory(from: member.name, byteCount: member.name.count)
        (members + count).initialize(to: Member(start: Int32(end), length: Int32(member.name.count), place: member.place))
        var slot = member.name.withUnsafeBufferPointer { Self.hash($0) } & mask
        while slots[first + slot] >= 0 { slot = (slot + 1) & mask }
        slots[first + slot] = Int32(count)
        end += member.name.count
        count += 1
      }
      first += mask + 1
    }
  }

  deinit {
    tables.deallocate()
    slots.deallocate()
    members.deallocate()
    bytes.deallocate()
  }

  /// Of the length, the first and the last eight bytes: names differ there, and are compared besides.
  @inline(__always)
  static func hash(_ name: UnsafeBufferPointer<UInt8>) -> Int {
    var (first, last): (UInt64, UInt64) = (0, 0)
    if name.count >= 8 {
      let bytes = UnsafeRawBufferPointer(name)
      first = bytes.loadUnaligned(as: UInt64.self)
      last = bytes.loadUnaligned(fromByteOffset: name.count - 8, as: UInt64.self)
    } else {
      for byte in name { first = first << 8 | UInt64(byte) }
    }
    let product = (first ^ 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: last ^ 0xbf58_476d_1ce4_e5b9 ^ UInt64(name.count))
    return Int(truncatingIfNeeded: (product.high ^ product.low) >> 8)
  }

  /// What a member of an object is.
  func find(_ name: UnsafeBufferPointer<UInt8>, under node: Int) -> Place {
    let table = tables[node]
    var slot = Self.hash(name) & table.mask
    while slots[table.first + slot] >= 0 {
      let member = members[Int(slots[table.first + slot])]
      if Int(member.length) == name.count, Self.isSame(UnsafeRawPointer(bytes + Int(member.start)), name) { return member.place }
      slot = (slot + 1) & table.mask
    }
    return .none
  }

  /// Whether bytes are those of a name.
  @inline(__always)
  private static func isSame(_ own: UnsafeRawPointer, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let other = UnsafeRawPointer(name.baseAddress) else { return true }
    var offset = 0
    while offset + 8 <= name.count {
      let (x, y) = (
        own.loadUnaligned(fromByteOffset: offset, as: UInt64.self), other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      )
      if x != y { return false }
      offset += 8
    }
    while offset < name.count {
      if own.load(fromByteOffset: offset, as: UInt8.self) != other.load(fromByteOffset: offset, as: UInt8.self) { return false }
      offset += 1
    }
    return true
  }
}
