import EventModel
import RecordBatch

/// Takes one property's values out of records.
///
/// In most batches a field has one length in all templates that have it; then its values are read in one loop over the records, in which
/// a template stands for no more than an offset.
struct ColumnFiller {
  let rows: RecordRows
  /// Keeps texts' bytes, which stay where they are in the batch.
  let memory: SliceMemory

  /// - Parameter readers: for each template of the batch how to read the property; nil where it lacks it.
  func column(_ shape: ColumnShape, _ readers: [FieldReader?]) -> Column {
    if !zip(rows.isUsed, readers).contains(where: { $0 && $1 != nil }) { return .absent }
    switch shape {
    case .integer:
      let (values, nulls) = integers(readers)
      return Column(.ints(values), nulls: nulls)
    case .double:
      return general(readers, 0, Column.Storage.doubles) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        return bytes.baseAddress.flatMap { readFloat($0, bytes.count) }
      }
    case .boolean:
      return general(readers, false, Column.Storage.bools) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        // RFC 7011 §6.1.5: 1 is true, 2 is false, and nothing else is a boolean.
        return bytes.count == 1 && (bytes[0] == 1 || bytes[0] == 2) ? bytes[0] == 1 : nil
      }
    case .mac:
      return general(readers, 0, Column.Storage.macs) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        return bytes.count == 6 ? bytes.baseAddress.map { readUnsigned($0, 6) } : nil
      }
    case .address: return addresses(readers)
    case .text: return slices(readers, Column.Storage.utf8) { $0.withoutPadding }
    case .octets: return slices(readers, Column.Storage.octets) { $0 }
    }
  }

  /// Integers, and times in ms.
  func integers(_ readers: [FieldReader?]) -> (values: [Int64], nulls: [Bool]) {
    if let (length, starts) = plain(readers, where: { $0.conversion == .unsigned }) {
      switch length {
      case 1: return load(starts, UInt8.self) { Int64($0) }
      case 2: return load(starts, UInt16.self) { Int64($0) }
      case 4: return load(starts, UInt32.self) { Int64($0) }
      case 8: return load(starts, UInt64.self) { Int64(bitPattern: $0) }
      default: break
      }
    }
    return read(readers, 0) { reader, record in reader.integer(record) }
  }

  /// IPv4 alone as 32-bit numbers, which is what many batches hold; else addresses of both families.
  private func addresses(_ readers: [FieldReader?]) -> Column {
    if let (length, starts) = plain(readers), length == 4 {
      let (values, nulls) = load(starts, UInt32.self) { $0 }
      return Column(.ip4(values), nulls: nulls)
    }
    if let fields = plainAddresses(readers) { return Column(.addresses(load(fields))) }
    return general(readers, Address(ip4: 0), Column.Storage.addresses) { reader, record in reader.address(record) }
  }

  /// Where an address begins in the records of each template, and whether it is of IPv4. Nil where some records have none, or not in one place.
  private func plainAddresses(_ readers: [FieldReader?]) -> [(start: Int, isIP4: Bool)]? {
    var fields: [(start: Int, isIP4: Bool)] = []
    for (reader, isUsed) in zip(readers, rows.isUsed) {
      guard isUsed else {
        fields.append((0, true))
        continue
      }
      guard let plain = reader?.plain, plain.length == 4 || plain.length == 16 else { return nil }
      fields.append((plain.start, plain.length == 4))
    }
    return fields
  }

  private func load(_ fields: [(start: Int, isIP4: Bool)]) -> [Address] {
    let bytes = rows.bytes
    return rows.places.withUnsafeBufferPointer { places in
      fields.withUnsafeBufferPointer { fields in
        [Address](unsafeUninitializedCapacity: places.count) { values, count in
          count = places.count
          for row in 0..<places.count {
            let field = fields[Int(places[row].template)]
            let place = bytes + (field.start + Int(places[row].offset))
            func word(_ offset: Int) -> UInt64 { UInt64(bigEndian: place.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
            values.initializeElement(
              at: row,
              to: field.isIP4
                ? Address(ip4: UInt32(bigEndian: place.loadUnaligned(as: UInt32.self))) : Address(ip6High: word(0), low: word(8)))
          }
        }
      }
    }
  }

  // MARK: Plain fields

  /// The length that the field has in all templates of these records, and where it begins in each; -1 where a template lacks it. Nil where
  /// it is not that plain.
  private func plain(_ readers: [FieldReader?], where test: (FieldReader) -> Bool = { _ in true }) -> (length: Int, starts: [Int])? {
    var length: Int?
    var starts: [Int] = []
    for (reader, isUsed) in zip(readers, rows.isUsed) {
      guard isUsed, let reader else {
        starts.append(-1)
        continue
      }
      guard test(reader), let plain = reader.plain, length == nil || length == plain.length else { return nil }
      length = plain.length
      starts.append(plain.start)
    }
    return length.map { ($0, starts) }
  }

  @inline(__always)
  private func load<V: FixedWidthInteger & BitwiseCopyable, T>(
    _ starts: [Int], _ type: V.Type, _ value: (V) -> T
  ) -> (values: [T], nulls: [Bool]) {
    let bytes = rows.bytes
    let isWhole = !zip(starts, rows.isUsed).contains { $0 < 0 && $1 }
    var nulls: [Bool] = []
    let values = rows.places.withUnsafeBufferPointer { places in
      starts.withUnsafeBufferPointer { starts in
        [T](unsafeUninitializedCapacity: places.count) { values, count in
          count = places.count
          if isWhole {
            for row in 0..<places.count {
              let start = starts[Int(places[row].template)] + Int(places[row].offset)
              values.initializeElement(at: row, to: value(V(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: V.self))))
            }
            return
          }
          nulls = [Bool](unsafeUninitializedCapacity: places.count) { nulls, count in
            count = places.count
            withUnsafeBytes(of: UInt64(0)) { zeros in
              for row in 0..<places.count {
                let start = starts[Int(places[row].template)]
                // Where the field is missing zeros are read, which costs less than a branch that follows the traffic's mix.
                let place = start < 0 ? zeros.baseAddress ?? bytes : bytes + (start + Int(places[row].offset))
                values.initializeElement(at: row, to: value(V(bigEndian: place.loadUnaligned(as: V.self))))
                nulls.initializeElement(at: row, to: start < 0)
              }
            }
          }
        }
      }
    }
    return (values, nulls)
  }

  // MARK: Others

  /// Record by record, by each template's own reader. A value that is nil is null.
  @inline(__always)
  private func read<T>(
    _ readers: [FieldReader?], _ zero: T, _ value: (FieldReader, UnsafeRawPointer) -> T?
  ) -> (values: [T], nulls: [Bool]) {
    var nulls: [Bool] = []
    let values = [T](unsafeUninitializedCapacity: rows.count) { values, count in
      count = rows.count
      each(readers) { row, record, reader in
        let value = value(reader, record)
        if value == nil { setNull(&nulls, row) }
        values.initializeElement(at: row, to: value ?? zero)
      } missing: { row in
        setNull(&nulls, row)
        values.initializeElement(at: row, to: zero)
      }
    }
    return (values, nulls)
  }

  @inline(__always)
  private func general<T>(
    _ readers: [FieldReader?], _ zero: T, _ storage: ([T]) -> Column.Storage,
    _ value: (FieldReader, UnsafeRawPointer) -> T?
  ) -> Column {
    let (values, nulls) = read(readers, zero, value)
    return Column(storage(values), nulls: nulls)
  }

  /// Calls `body(row, record)` for each record that has the field, `missing(row)` for the others.
  @inline(__always)
  private func each(
    _ readers: [FieldReader?], _ body: (Int, UnsafeRawPointer, FieldReader) -> Void, missing: (Int) -> Void
  ) {
    let bytes = rows.bytes
    rows.places.withUnsafeBufferPointer { places in
      var template: UInt32?
      var reader: FieldReader?
      for row in 0..<places.count {
        if template != places[row].template {
          template = places[row].template
          reader = readers[Int(places[row].template)]
        }
        if let reader { body(row, bytes + Int(places[row].offset), reader) } else { missing(row) }
      }
    }
  }

  /// - Parameter part: the part of a field's bytes that is the value.
  @inline(__always)
  private func slices(
    _ readers: [FieldReader?], _ storage: (SliceMemory, [Slice]) -> Column.Storage,
    _ part: (UnsafeRawBufferPointer) -> UnsafeRawBufferPointer
  ) -> Column {
    let bytes = rows.bytes
    func slice(_ field: UnsafeRawBufferPointer) -> Slice {
      let value = part(field)
      let offset = value.baseAddress.map { $0 - bytes } ?? 0
      return Slice(offset: Int32(truncatingIfNeeded: offset), length: Int32(truncatingIfNeeded: value.count))
    }
    if let fields = plainPlaces(readers) {
      let (slices, nulls) = load(fields, slice)
      return Column(storage(memory, slices), nulls: nulls)
    }
    let (slices, nulls) = read(readers, Slice(offset: 0, length: 0)) { reader, record in slice(reader.locator.bytes(in: record)) }
    return Column(storage(memory, slices), nulls: nulls)
  }

  /// Where the field begins in the records of each template (-1 where one lacks it), and its length there; -1 where each record tells its own.
  /// Nil where some records have it behind another field of variable length.
  private func plainPlaces(_ readers: [FieldReader?]) -> [(start: Int, length: Int)]? {
    var fields: [(start: Int, length: Int)] = []
    for (reader, isUsed) in zip(readers, rows.isUsed) {
      guard isUsed, let reader else {
        fields.append((-1, 0))
        continue
      }
      guard let start = reader.locator.fixedStart else { return nil }
      fields.append((start, reader.locator.fixedLengthInRecord ?? -1))
    }
    return fields
  }

  @inline(__always)
  private func load(_ fields: [(start: Int, length: Int)], _ slice: (UnsafeRawBufferPointer) -> Slice) -> (values: [Slice], nulls: [Bool]) {
    let bytes = rows.bytes
    var nulls: [Bool] = []
    let isWhole = !zip(fields, rows.isUsed).contains { $0.start < 0 && $1 }
    if !isWhole { nulls = [Bool](repeating: false, count: rows.count) }
    let values = rows.places.withUnsafeBufferPointer { places in
      fields.withUnsafeBufferPointer { fields in
        nulls.withUnsafeMutableBufferPointer { nulls in
          [Slice](unsafeUninitializedCapacity: places.count) { values, count in
            count = places.count
            for row in 0..<places.count {
              let field = fields[Int(places[row].template)]
              if field.start < 0 {
                nulls[row] = true
                values.initializeElement(at: row, to: Slice(offset: 0, length: 0))
                continue
              }
              let place = bytes + (field.start + Int(places[row].offset))
              let (start, length) = field.length < 0 ? variableLength(at: place) : (place, field.length)
              values.initializeElement(at: row, to: slice(UnsafeRawBufferPointer(start: start, count: length)))
            }
          }
        }
      }
    }
    return (values, nulls)
  }

  @inline(__always)
  private func setNull(_ nulls: inout [Bool], _ row: Int) {
    if nulls.isEmpty { nulls = [Bool](repeating: false, count: rows.count) }
    nulls[row] = true
  }
}
