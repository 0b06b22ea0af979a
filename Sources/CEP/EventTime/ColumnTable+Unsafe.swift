internal import EventModel

/// Where one property's values lie in each of the held batches, by slot.
final class ColumnTable {
  let property: Int
  private var places: [ColumnPlace]
  /// What keeps the bytes of slices, and strings and values themselves.
  private var columns: [Column?]
  /// How many batches hold the column in each kind of memory.
  private var kinds = [Int](repeating: 0, count: HeldKind.allCases.count)
  private var nullable = 0

  /// - Parameter absentIn: how many batches are held already, all of which lack the column.
  init(property: Int, slots: Int, absentIn: Int) {
    self.property = property
    places = Array(repeating: ColumnPlace(), count: slots)
    columns = Array(repeating: nil, count: slots)
    kinds[Int(HeldKind.absent.rawValue)] = absentIn
    nullable = absentIn
  }

  func set(_ slot: Int, _ place: ColumnPlace, _ column: Column) {
    while places.count <= slot {
      places.append(ColumnPlace())
      columns.append(nil)
    }
    places[slot] = place
    switch place.kind {
    case .utf8, .octets, .strings, .values: columns[slot] = column
    default: columns[slot] = nil
    }
    count(place, 1)
  }

  func clear(_ slot: Int) {
    count(places[slot], -1)
    places[slot] = ColumnPlace()
    columns[slot] = nil
  }

  private func count(_ place: ColumnPlace, _ step: Int) {
    kinds[Int(place.kind.rawValue)] += step
    if place.nullMask != 0 || place.kind == .absent { nullable += step }
  }

  /// The column of the events given, in their order. All their slots are set.
  func gather(_ events: UnsafeBufferPointer<HeldEvent>) -> Column {
    let present = HeldKind.allCases.filter { $0 != .absent && kinds[Int($0.rawValue)] > 0 }
    if present.isEmpty { return .absent }
    if present == [.ip4, .addresses] { return addresses(events) }
    guard present.count == 1 else { return values(events) }
    switch present[0] {
    case .bools: return Column(.bools(gather(events) { $0 != 0 }), nulls: nulls(events))
    case .ints: return Column(.ints(gather(events) { Int64(bitPattern: $0) }), nulls: nulls(events))
    case .doubles: return Column(.doubles(gather(events) { Double(bitPattern: $0) }), nulls: nulls(events))
    case .ip4: return Column(.ip4(gather(events) { UInt32(truncatingIfNeeded: $0) }), nulls: nulls(events))
    case .macs: return Column(.macs(gather(events) { $0 }), nulls: nulls(events))
    case .addresses: return addresses(events)
    case .utf8: return slices(events, Column.Storage.utf8)
    case .octets: return slices(events, Column.Storage.octets)
    case .strings: return strings(events)
    case .absent, .values: return values(events)
    }
  }

  @inline(__always)
  private func gather<T>(_ events: UnsafeBufferPointer<HeldEvent>, _ decode: (UInt64) -> T) -> [T] {
    places.withUnsafeBufferPointer { places in
      [T](unsafeUninitializedCapacity: events.count) { values, count in
        for index in 0..<events.count {
          let event = events[index]
          values.initializeElement(at: index, to: decode(places[Int(event.slot)].word(event.row)))
        }
        count = events.count
      }
    }
  }

  private func nulls(_ events: UnsafeBufferPointer<HeldEvent>) -> [Bool] {
    guard nullable > 0 else { return [] }
    return places.withUnsafeBufferPointer { places in
      [Bool](unsafeUninitializedCapacity: events.count) { nulls, count in
        for index in 0..<events.count {
          nulls.initializeElement(at: index, to: places[Int(events[index].slot)].isNull(events[index].row))
        }
        count = events.count
      }
    }
  }

  /// Of both families, or of IPv4 in some batches.
  private func addresses(_ events: UnsafeBufferPointer<HeldEvent>) -> Column {
    let values = places.withUnsafeBufferPointer { places in
      [Address](unsafeUninitializedCapacity: events.count) { values, count in
        for index in 0..<events.count {
          values.initializeElement(at: index, to: places[Int(events[index].slot)].address(events[index].row))
        }
        count = events.count
      }
    }
    return Column(.addresses(values), nulls: nulls(events))
  }

  /// The bytes are copied together, so that the batch does not keep the held ones alive.
  private func slices(_ events: UnsafeBufferPointer<HeldEvent>, _ storage: (SliceMemory, [Slice]) -> Column.Storage) -> Column {
    var (bytes, nulls) = ([UInt8](), [Bool](repeating: true, count: events.count))
    let slices = places.withUnsafeBufferPointer { places in
      [Slice](unsafeUninitializedCapacity: events.count) { slices, count in
        for index in 0..<events.count {
          let event = events[index]
          var slice = Slice(offset: Int32(truncatingIfNeeded: bytes.count), length: 0)
          if !places[Int(event.slot)].isNull(event.row) {
            nulls[index] = false
            let source = places[Int(event.slot)].slice(event.row)
            bytes.append(contentsOf: source)
            slice.length = Int32(truncatingIfNeeded: source.count)
          }
          slices.initializeElement(at: index, to: slice)
        }
        count = events.count
      }
    }
    return Column(storage(SliceMemory(copying: bytes), slices), nulls: nulls)
  }

  private func strings(_ events: UnsafeBufferPointer<HeldEvent>) -> Column {
    var nulls: [Bool] = []
    var strings: [String] = []
    strings.reserveCapacity(events.count)
    for (index, event) in events.enumerated() {
      if case .string(let text) = value(event) {
        strings.append(text)
      } else {
        if nulls.isEmpty { nulls = Array(repeating: false, count: events.count) }
        nulls[index] = true
        strings.append("")
      }
    }
    return Column(.strings(strings), nulls: nulls)
  }

  private func value(_ event: HeldEvent) -> Value {
    let (place, row) = (places[Int(event.slot)], event.row)
    if place.isNull(row) { return .null }
    switch place.kind {
    case .absent: return .null
    case .bools: return .bool(place.word(row) != 0)
    case .ints: return .int(Int64(bitPattern: place.word(row)))
    case .doubles: return .double(Double(bitPattern: place.word(row)))
    case .ip4: return .ip4(UInt32(truncatingIfNeeded: place.word(row)))
    case .macs: return .mac(place.word(row))
    case .addresses: return place.address(row).value
    case .utf8, .octets, .strings, .values: return columns[Int(event.slot)].map { $0[Int(row)] } ?? .null
    }
  }

  /// Values, and columns that came in several kinds.
  private func values(_ events: UnsafeBufferPointer<HeldEvent>) -> Column {
    Column(.values(events.map { value($0) }))
  }
}

extension ColumnPlace {
  @inline(__always)
  func address(_ row: UInt32) -> Address {
    guard kind == .addresses, let base else { return Address(ip4: UInt32(truncatingIfNeeded: word(row))) }
    let start = base + Int(row) * stride
    let (high, low) = (start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    if start.load(fromByteOffset: 16, as: UInt8.self) != 0 { return Address(ip4: UInt32(truncatingIfNeeded: low)) }
    return Address(ip6High: high, low: low)
  }

  @inline(__always)
  func slice(_ row: UInt32) -> UnsafeRawBufferPointer {
    let word = word(row)
    let (start, length) = (Int(UInt32(truncatingIfNeeded: word)), Int(word >> 32))
    guard start + length <= text.count else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return UnsafeRawBufferPointer(rebasing: text[start..<start + length])
  }
}
