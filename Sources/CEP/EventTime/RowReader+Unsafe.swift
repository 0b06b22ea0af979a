internal import EventModel

/// Events in order, of one segment.
struct RowRun {
  let events: UnsafeBufferPointer<HeldEvent>
  let segment: UnsafeMutablePointer<RowSegment>
}

/// Makes columns of held rows, in the order of the runs.
struct RowReader {
  let runs: [RowRun]
  let count: Int

  /// The events as a batch. All runs are of one type; the last layout has every property that any has.
  func batch() -> EventBatch {
    let last = runs.map { $0.segment.pointee.layout }.max { $0.properties.count < $1.properties.count } ?? runs[0].segment.pointee.layout
    let times = fill(Int64(0)) { target, run in
      for index in 0..<run.events.count { (target + index).initialize(to: run.events[index].time) }
    }
    return EventBatch(
      type: last.type, count: count, properties: last.properties, columns: last.properties.map { column($0) }, times: times)
  }

  private func column(_ property: Int) -> Column {
    var fields: [RowField?] = []
    var joined: RowField?
    for run in runs {
      let layout = run.segment.pointee.layout
      let field = layout.properties.firstIndex(of: property).map { layout.fields[$0] }
      fields.append(field)
      if let field { joined = joined.map { RowField.joined($0, field) } ?? field }
    }
    guard let joined else { return .absent }
    let nulls = nulls(fields)
    switch joined.kind {
    case .integer: return Column(.ints(words(fields) { Int64(bitPattern: $0) }), nulls: nulls)
    case .double: return Column(.doubles(words(fields) { Double(bitPattern: $0) }), nulls: nulls)
    case .bool: return Column(.bools(words(fields) { $0 != 0 }), nulls: nulls)
    case .ip4: return Column(.ip4(words(fields) { UInt32(truncatingIfNeeded: $0) }), nulls: nulls)
    case .mac: return Column(.macs(words(fields) { $0 }), nulls: nulls)
    case .address: return Column(.addresses(addresses(fields)), nulls: nulls)
    case .text: return slices(fields, nulls, Column.Storage.utf8)
    case .octets: return slices(fields, nulls, Column.Storage.octets)
    case .value: return Column(.values(values(fields, nulls)))
    }
  }

  @inline(__always)
  private func fill<T>(_ zero: T, _ body: (UnsafeMutablePointer<T>, RowRun) -> Void) -> [T] {
    [T](unsafeUninitializedCapacity: count) { memory, filled in
      guard var target = memory.baseAddress else { return }
      for run in runs {
        body(target, run)
        target += run.events.count
      }
      filled = count
    }
  }

  /// Segments know in which fields they have nulls: where there are none no flag is looked at.
  private func nulls(_ fields: [RowField?]) -> [Bool] {
    let isWhole = zip(runs, fields).allSatisfy { run, field in
      field.map { run.segment.pointee.nullFields & $0.segmentMask == 0 } ?? false
    }
    if isWhole { return [] }
    var number = 0
    var any = false
    let nulls = fill(false) { target, run in
      let field = fields[number]
      number += 1
      guard let field else {
        any = true
        return target.initialize(repeating: true, count: run.events.count)
      }
      let (rows, stride) = (run.segment.pointee.rows + field.nullByte, run.segment.pointee.layout.stride)
      var seen: UInt8 = 0
      for index in 0..<run.events.count {
        let flag = rows.load(fromByteOffset: Int(run.events[index].row) * stride, as: UInt8.self) & field.nullMask
        seen |= flag
        (target + index).initialize(to: flag != 0)
      }
      if seen != 0 { any = true }
    }
    return any ? nulls : []
  }

  @inline(__always)
  private func words<T>(_ fields: [RowField?], _ decode: (UInt64) -> T) -> [T] {
    var number = 0
    return fill(decode(0)) { target, run in
      let field = fields[number]
      number += 1
      guard let field else { return target.initialize(repeating: decode(0), count: run.events.count) }
      let (rows, stride) = (run.segment.pointee.rows + field.offset, run.segment.pointee.layout.stride)
      let mask: UInt64 = field.width >= 8 ? .max : 1 << UInt64(8 * field.width) - 1
      for index in 0..<run.events.count {
        let word = rows.loadUnaligned(fromByteOffset: Int(run.events[index].row) * stride, as: UInt64.self)
        (target + index).initialize(to: decode(word & mask))
      }
    }
  }

  private func addresses(_ fields: [RowField?]) -> [Address] {
    var number = 0
    return fill(Address(ip4: 0)) { target, run in
      let field = fields[number]
      number += 1
      guard let field else { return target.initialize(repeating: Address(ip4: 0), count: run.events.count) }
      let (rows, stride) = (run.segment.pointee.rows + field.offset, run.segment.pointee.layout.stride)
      if field.kind == .ip4 {
        for index in 0..<run.events.count {
          let word = rows.loadUnaligned(fromByteOffset: Int(run.events[index].row) * stride, as: UInt32.self)
          (target + index).initialize(to: Address(ip4: word))
        }
      } else {
        for index in 0..<run.events.count { (target + index).initialize(to: heldAddress(rows + Int(run.events[index].row) * stride)) }
      }
    }
  }

  private func slices(_ fields: [RowField?], _ nulls: [Bool], _ storage: (SliceMemory, [Slice]) -> Column.Storage) -> Column {
    var (number, row, size) = (0, 0, 0)
    let slices = fill(Slice(offset: 0, length: 0)) { target, run in
      let field = fields[number]
      number += 1
      let (rows, stride) = (run.segment.pointee.rows + (field?.offset ?? 0), run.segment.pointee.layout.stride)
      for index in 0..<run.events.count {
        var length = 0
        if field != nil, nulls.isEmpty || !nulls[row] {
          length = Int(rows.loadUnaligned(fromByteOffset: Int(run.events[index].row) * stride, as: UInt64.self) >> 32)
        }
        (target + index).initialize(to: Slice(offset: Int32(truncatingIfNeeded: size), length: Int32(truncatingIfNeeded: length)))
        size += length
        row += 1
      }
    }
    let memory = SliceMemory(byteCount: size) { memory in
      var row = 0
      for (run, field) in zip(runs, fields) {
        guard let field else {
          row += run.events.count
          continue
        }
        let text = run.segment.pointee.text
        let (rows, stride) = (run.segment.pointee.rows + field.offset, run.segment.pointee.layout.stride)
        for event in run.events {
          let slice = slices[row]
          row += 1
          if slice.length == 0 { continue }
          let start = Int(rows.loadUnaligned(fromByteOffset: Int(event.row) * stride, as: UInt64.self) & 0xffff_ffff)
          (memory + Int(slice.offset)).copyMemory(from: text + start, byteCount: Int(slice.length))
        }
      }
    }
    return Column(storage(memory, slices), nulls: nulls)
  }

  /// Columns that came in several kinds.
  private func values(_ fields: [RowField?], _ nulls: [Bool]) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(count)
    for (run, field) in zip(runs, fields) {
      for event in run.events {
        let isNull = !nulls.isEmpty && nulls[values.count]
        values.append(isNull ? .null : field.map { run.segment.pointee.value(event.row, $0) } ?? .null)
      }
    }
    return values
  }
}

/// An address as it lies in a row: 16 bytes, and whether it is IPv4.
@inline(__always)
private func heldAddress(_ place: UnsafeMutableRawPointer) -> Address {
  let low = place.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
  if place.load(fromByteOffset: 16, as: UInt8.self) != 0 { return Address(ip4: UInt32(truncatingIfNeeded: low)) }
  return Address(ip6High: place.loadUnaligned(as: UInt64.self), low: low)
}

extension RowSegment {
  /// A value that is not null.
  func value(_ number: UInt32, _ field: RowField) -> Value {
    let mask: UInt64 = field.width >= 8 ? .max : 1 << UInt64(8 * field.width) - 1
    let start = row(number) + field.offset
    let word = start.loadUnaligned(as: UInt64.self) & mask
    switch field.kind {
    case .integer: return .int(Int64(bitPattern: word))
    case .double: return .double(Double(bitPattern: word))
    case .bool: return .bool(word != 0)
    case .ip4: return .ip4(UInt32(truncatingIfNeeded: word))
    case .mac: return .mac(word)
    case .address: return heldAddress(start).value
    case .text: return .string(String(decoding: bytes(word), as: UTF8.self))
    case .octets: return .octets(Octets(.octets, Array(bytes(word))))
    case .value: return values[Int(word)]
    }
  }
}
