internal import EventModel

/// Where a row of a batch has its place among the held rows.
struct RowPlace: BitwiseCopyable {
  var source: UInt32
  var row: UInt32
  var segment: UnsafeMutablePointer<RowSegment>
}

/// Writes a batch's columns into the places that its rows have been given: column by column, so that each kind has its own short loop.
struct RowWriter {
  let layout: RowLayout
  let places: UnsafeBufferPointer<RowPlace>
  let targets: UnsafeMutablePointer<UnsafeMutableRawPointer>

  /// - Parameter targets: memory for as many pointers as there are places.
  func write(_ batch: EventBatch) {
    let (stride, nullBytes) = (layout.stride, layout.nullBytes)
    for index in 0..<places.count {
      let target = places[index].segment.pointee.rows + Int(places[index].row) * stride
      (targets + index).initialize(to: target)
      // In one step: what of it lies behind a short row is the next one's, which is filled later, or the segment's slack.
      target.storeBytes(of: 0, as: UInt64.self)
      if nullBytes > 8 { for byte in 8..<nullBytes { target.storeBytes(of: 0, toByteOffset: byte, as: UInt8.self) } }
    }
    for (index, field) in layout.fields.enumerated() {
      let column = batch.properties.firstIndex(of: layout.properties[index]).map { batch.columns[$0] } ?? .absent
      write(column, field)
    }
  }

  private func write(_ column: Column, _ field: RowField) {
    setNulls(column, field)
    switch (field.kind, column.storage) {
    case (_, .absent): if field.kind == .value { each(field) { _, segment in segment.pointee.keep(Value.null) } }
    case (.integer, .ints(let values)):
      switch field.width {
      case 2: store(values, field) { UInt16(truncatingIfNeeded: $0) }
      case 4: store(values, field) { UInt32(truncatingIfNeeded: $0) }
      default: store(values, field) { $0 }
      }
    case (.double, .doubles(let values)): store(values, field) { $0 }
    case (.bool, .bools(let values)): store(values, field) { $0 }
    case (.ip4, .ip4(let values)): store(values, field) { $0 }
    case (.mac, .macs(let values)): store(values, field) { $0 }
    case (.address, .ip4(let values)): values.withUnsafeBufferPointer { values in addresses(field) { Address(ip4: values[$0]) } }
    case (.address, .addresses(let values)): values.withUnsafeBufferPointer { values in addresses(field) { values[$0] } }
    case (.text, .utf8(let memory, let slices)), (.octets, .octets(let memory, let slices)): write(memory, slices, column.nulls, field)
    case (.text, .strings(let values)):
      each(field) { row, segment in
        var text = column.isNull(row) ? "" : values[row]
        return text.withUTF8 { segment.pointee.keep(UnsafeRawBufferPointer($0)) }
      }
    default: each(field) { row, segment in segment.pointee.keep(column[row]) }
    }
  }

  private func write(_ memory: SliceMemory, _ slices: [Slice], _ nulls: [Bool], _ field: RowField) {
    slices.withUnsafeBufferPointer { slices in
      nulls.withUnsafeBufferPointer { nulls in
        each(field) { row, segment in !nulls.isEmpty && nulls[row] ? 0 : segment.pointee.keep(memory[slices[row]]) }
      }
    }
  }

  private func setNulls(_ column: Column, _ field: RowField) {
    if case .absent = column.storage {
      for index in 0..<places.count { setNull(index, field) }
    } else if !column.nulls.isEmpty {
      column.nulls.withUnsafeBufferPointer { nulls in
        for index in 0..<places.count where nulls[Int(places[index].source)] { setNull(index, field) }
      }
    }
  }

  @inline(__always)
  private func setNull(_ index: Int, _ field: RowField) {
    let flags = targets[index].load(fromByteOffset: field.nullByte, as: UInt8.self)
    targets[index].storeBytes(of: flags | field.nullMask, toByteOffset: field.nullByte, as: UInt8.self)
    places[index].segment.pointee.nullFields |= field.segmentMask
  }

  @inline(__always)
  private func store<T, U: BitwiseCopyable>(_ values: [T], _ field: RowField, _ encode: (T) -> U) {
    let offset = field.offset
    values.withUnsafeBufferPointer { values in
      for index in 0..<places.count {
        targets[index].storeBytes(of: encode(values[Int(places[index].source)]), toByteOffset: offset, as: U.self)
      }
    }
  }

  @inline(__always)
  private func each<U: BitwiseCopyable>(_ field: RowField, _ encode: (Int, UnsafeMutablePointer<RowSegment>) -> U) {
    for index in 0..<places.count {
      let word = encode(Int(places[index].source), places[index].segment)
      targets[index].storeBytes(of: word, toByteOffset: field.offset, as: U.self)
    }
  }

  @inline(__always)
  private func addresses(_ field: RowField, _ address: (Int) -> Address) {
    for index in 0..<places.count {
      let address = address(Int(places[index].source))
      targets[index].storeBytes(of: address.high, toByteOffset: field.offset, as: UInt64.self)
      targets[index].storeBytes(of: address.low, toByteOffset: field.offset + 8, as: UInt64.self)
      targets[index].storeBytes(of: address.isIP4 ? 1 : 0, toByteOffset: field.offset + 16, as: UInt8.self)
    }
  }
}
