internal import EventModel

/// How a column's values lie in the rows of held events.
enum HeldKind: UInt8, CaseIterable {
  case absent, bools, ints, doubles, ip4, addresses, macs, utf8, octets, strings, values

  init(_ storage: Column.Storage) {
    self =
      switch storage {
      case .absent: .absent
      case .bools: .bools
      case .ints: .ints
      case .doubles: .doubles
      case .strings: .strings
      case .ip4: .ip4
      case .addresses: .addresses
      case .macs: .macs
      case .utf8: .utf8
      case .octets: .octets
      case .values: .values
      }
  }
}

/// Where one column of one held batch lies: row r has its number at `base + r * stride`, as `(bytes & mask) + low`.
struct ColumnPlace: BitwiseCopyable {
  var kind = HeldKind.absent
  /// Nil where the values are no numbers and stay in the column, or are absent.
  var base: UnsafeMutableRawPointer?
  var stride = 0
  var mask: UInt64 = 0
  var low: UInt64 = 0
  /// The bit of the row's null flags at `nullBase + r * stride`; 0 where no value is null.
  var nullMask: UInt8 = 0
  var nullBase: UnsafeMutableRawPointer?
  var text = UnsafeRawBufferPointer(start: nil, count: 0)

  @inline(__always)
  func word(_ row: UInt32) -> UInt64 {
    guard let base else { return 0 }
    return (base.loadUnaligned(fromByteOffset: Int(row) * stride, as: UInt64.self) & mask) &+ low
  }

  @inline(__always)
  func isNull(_ row: UInt32) -> Bool {
    if nullMask != 0, let nullBase { return nullBase.load(fromByteOffset: Int(row) * stride, as: UInt8.self) & nullMask != 0 }
    return kind == .absent
  }
}

/// A batch's columns as rows: what belongs to an event lies together, so that a held event costs one or two cache lines, not one per
/// column, when its time comes. Integers take as many bytes as their range in the batch needs.
struct RowEncoder {
  private(set) var places: [ColumnPlace]
  private(set) var memory: UnsafeMutableRawPointer
  private(set) var capacity: Int
  private let count: Int
  private var widths: [Int] = []

  /// - Parameter spare: memory that may be used again.
  init(_ columns: [Column], count: Int, spare: inout [(memory: UnsafeMutableRawPointer, capacity: Int)]) {
    self.count = count
    places = columns.map { column in
      var place = ColumnPlace()
      place.kind = HeldKind(column.storage)
      return place
    }
    let flagBytes = (columns.count + 7) / 8
    var stride = flagBytes
    for (index, column) in columns.enumerated() {
      let width = Self.width(column, count, &places[index])
      widths.append(width)
      stride += width
    }
    let needed = stride * count + 8
    if let last = spare.lastIndex(where: { $0.capacity >= needed && $0.capacity < 2 * needed }) {
      (memory, capacity) = spare.remove(at: last)
    } else {
      capacity = needed + needed / 8
      memory = .allocate(byteCount: capacity, alignment: 8)
    }
    for row in 0..<count { (memory + row * stride).initializeMemory(as: UInt8.self, repeating: 0, count: flagBytes) }
    var offset = flagBytes
    for (index, column) in columns.enumerated() {
      places[index].stride = stride
      if widths[index] > 0 { places[index].base = memory + offset }
      write(column, widths[index], &places[index])
      setNulls(column, index, &places[index])
      offset += widths[index]
    }
  }

  /// The bytes that a value takes in a row; sets how they are read.
  private static func width(_ column: Column, _ count: Int, _ place: inout ColumnPlace) -> Int {
    switch column.storage {
    case .absent, .strings, .values: return 0
    case .bools: return fixed(1, &place)
    case .ip4: return fixed(4, &place)
    case .doubles, .macs, .utf8, .octets: return fixed(8, &place)
    case .addresses:
      place.mask = .max
      return 17
    case .ints(let values):
      let (low, high) = range(values, column.nulls, count)
      place.low = UInt64(bitPattern: low)
      let span = UInt64(bitPattern: high &- low)
      return fixed(span <= 0xff ? 1 : span <= 0xffff ? 2 : span <= 0xffff_ffff ? 4 : 8, &place)
    }
  }

  private static func fixed(_ width: Int, _ place: inout ColumnPlace) -> Int {
    place.mask = width == 8 ? .max : 1 << UInt64(8 * width) - 1
    return width
  }

  private static func range(_ values: [Int64], _ nulls: [Bool], _ count: Int) -> (Int64, Int64) {
    precondition(values.count >= count, "a column has a value for each row")
    var (low, high) = (Int64.max, Int64.min)
    values.withUnsafeBufferPointer { values in
      if nulls.isEmpty {
        for row in 0..<count {
          low = min(low, values[row])
          high = max(high, values[row])
        }
      } else {
        for row in 0..<count where !nulls[row] {
          low = min(low, values[row])
          high = max(high, values[row])
        }
      }
    }
    return low <= high ? (low, high) : (0, 0)
  }

  private func write(_ column: Column, _ width: Int, _ place: inout ColumnPlace) {
    switch column.storage {
    case .absent, .strings, .values: break
    case .bools(let values): store(values, place) { $0 ? UInt8(1) : 0 }
    case .doubles(let values): store(values, place) { $0.bitPattern }
    case .ip4(let values): store(values, place) { $0 }
    case .macs(let values): store(values, place) { $0 }
    case .utf8(let memory, let slices), .octets(let memory, let slices):
      place.text = memory.bytes
      store(slices, place) { UInt64(UInt32(bitPattern: $0.offset)) | UInt64(UInt32(bitPattern: $0.length)) << 32 }
    case .addresses(let values):
      store(values, place) { $0.high }
      store(values, place, at: 8) { $0.low }
      store(values, place, at: 16) { $0.isIP4 ? UInt8(1) : 0 }
    case .ints(let values):
      let low = Int64(bitPattern: place.low)
      switch width {
      case 1: store(values, place) { UInt8(truncatingIfNeeded: $0 &- low) }
      case 2: store(values, place) { UInt16(truncatingIfNeeded: $0 &- low) }
      case 4: store(values, place) { UInt32(truncatingIfNeeded: $0 &- low) }
      default: store(values, place) { UInt64(bitPattern: $0 &- low) }
      }
    }
  }

  @inline(__always)
  private func store<T, U: BitwiseCopyable>(_ values: [T], _ place: ColumnPlace, at offset: Int = 0, _ encode: (T) -> U) {
    precondition(values.count >= count, "a column has a value for each row")
    guard let base = place.base else { return }
    let stride = place.stride
    values.withUnsafeBufferPointer { values in
      var target = base + offset
      for row in 0..<count {
        target.storeBytes(of: encode(values[row]), as: U.self)
        target += stride
      }
    }
  }

  private func setNulls(_ column: Column, _ index: Int, _ place: inout ColumnPlace) {
    guard !column.nulls.isEmpty else { return }
    precondition(column.nulls.count >= count, "a column has a null flag for each row")
    let base = memory + index / 8
    place.nullBase = base
    place.nullMask = 1 << UInt8(index % 8)
    let (mask, stride) = (place.nullMask, place.stride)
    column.nulls.withUnsafeBufferPointer { nulls in
      for row in 0..<count where nulls[row] {
        let flags = base.load(fromByteOffset: row * stride, as: UInt8.self)
        base.storeBytes(of: flags | mask, toByteOffset: row * stride, as: UInt8.self)
      }
    }
  }
}
