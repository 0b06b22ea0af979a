import EventModel
import PluginABI
import RecordBatch

/// Takes one property's values out of the records of one template.
struct FieldReader {
  enum Conversion {
    case unsigned, signed, seconds, ntp, float, boolean, address, mac, text, octets
  }

  let locator: FieldLocator
  let conversion: Conversion

  /// Nil where the field is null by its template, or holds nothing that the shape can take.
  init?(_ template: TemplateView, field index: Int, shape: ColumnShape) {
    let field = template.fields[index]
    if field.flags & UInt16(FLOWCEP_FIELD_NULL) != 0 { return nil }
    let type = Int(field.type)
    switch shape {
    case .integer:
      switch type {
      case FLOWCEP_SIGNED8...FLOWCEP_SIGNED64: conversion = .signed
      case FLOWCEP_DATE_TIME_SECONDS: conversion = .seconds
      case FLOWCEP_DATE_TIME_MICROSECONDS, FLOWCEP_DATE_TIME_NANOSECONDS: conversion = .ntp
      default: conversion = .unsigned
      }
    case .double: conversion = .float
    case .boolean: conversion = .boolean
    case .address: conversion = .address
    case .mac: conversion = .mac
    case .text: conversion = .text
    case .octets: conversion = .octets
    }
    locator = FieldLocator(template, field: index)
  }

  @inline(__always)
  func integer(_ record: UnsafeRawPointer) -> Int64 {
    let bytes = locator.bytes(in: record)
    guard let start = bytes.baseAddress else { return 0 }
    switch conversion {
    case .signed: return readSigned(start, bytes.count)
    case .seconds: return Int64(bitPattern: readUnsigned(start, bytes.count)) &* 1000
    case .ntp: return bytes.count == 8 ? millisecondsSince1970(ntp: readUnsigned(start, 8)) : 0
    default: return Int64(bitPattern: readUnsigned(start, bytes.count))
    }
  }

  /// Nil for a length that is no address's.
  @inline(__always)
  func address(_ record: UnsafeRawPointer) -> Address? {
    let bytes = locator.bytes(in: record)
    guard let start = bytes.baseAddress else { return nil }
    switch bytes.count {
    case 4: return Address(ip4: UInt32(truncatingIfNeeded: readUnsigned(start, 4)))
    case 16: return Address(ip6High: readUnsigned(start, 8), low: readUnsigned(start + 8, 8))
    default: return nil
    }
  }

  /// The bytes without trailing NULs, which some exporters pad texts with.
  @inline(__always)
  func text(_ record: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    let bytes = locator.bytes(in: record)
    var count = bytes.count
    while count > 0, bytes[count - 1] == 0 { count -= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[..<count])
  }
}

/// Records of one template that follow each other in a batch.
struct RecordRun {
  var start: Int
  var end: Int
  var template: Int
}

/// The values of one property over a batch, under construction.
struct ColumnFiller {
  let batch: Batch
  let runs: [RecordRun]
  /// How many events: the runs' records, those of left-out templates not among them.
  let count: Int

  /// Calls `body(row, record)` for each record of a run that has the field, `missing(row)` for the others.
  @inline(__always)
  private func each(
    _ readers: [FieldReader?], _ body: (Int, UnsafeRawPointer, FieldReader) -> Void, missing: (Int) -> Void
  ) {
    let bytes = batch.bytes
    let records = batch.records
    var row = 0
    for run in runs {
      if let reader = readers[run.template] {
        for i in run.start..<run.end {
          body(row, bytes + Int(records[i].offset), reader)
          row += 1
        }
      } else {
        for _ in run.start..<run.end {
          missing(row)
          row += 1
        }
      }
    }
  }

  func column(_ shape: ColumnShape, _ readers: [FieldReader?]) -> Column {
    if runs.allSatisfy({ readers[$0.template] == nil }) { return .absent }
    switch shape {
    case .integer: return fill(readers, 0, Column.Storage.ints) { reader, record in reader.integer(record) }
    case .double:
      return fill(readers, 0, Column.Storage.doubles) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        return bytes.baseAddress.flatMap { readFloat($0, bytes.count) }
      }
    case .boolean:
      return fill(readers, false, Column.Storage.bools) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        // RFC 7011 §6.1.5: 1 is true, 2 is false, and nothing else is a boolean.
        return bytes.count == 1 && (bytes[0] == 1 || bytes[0] == 2) ? bytes[0] == 1 : nil
      }
    case .mac:
      return fill(readers, 0, Column.Storage.macs) { reader, record in
        let bytes = reader.locator.bytes(in: record)
        return bytes.count == 6 ? bytes.baseAddress.map { readUnsigned($0, 6) } : nil
      }
    case .address: return addresses(readers)
    case .text: return slices(readers, Column.Storage.utf8) { $0.text($1) }
    case .octets: return slices(readers, Column.Storage.octets) { $0.locator.bytes(in: $1) }
    }
  }

  @inline(__always)
  private func fill<T>(
    _ readers: [FieldReader?], _ zero: T, _ storage: ([T]) -> Column.Storage,
    _ read: (FieldReader, UnsafeRawPointer) -> T?
  ) -> Column {
    var nulls: [Bool] = []
    let values = [T](unsafeUninitializedCapacity: count) { values, filled in
      each(readers) { row, record, reader in
        let value = read(reader, record)
        if value == nil { setNull(&nulls, row) }
        values.initializeElement(at: row, to: value ?? zero)
      } missing: { row in
        setNull(&nulls, row)
        values.initializeElement(at: row, to: zero)
      }
      filled = count
    }
    return Column(storage(values), nulls: nulls)
  }

  /// IPv4 alone as 32-bit numbers, which is what most batches hold; else addresses of both families.
  private func addresses(_ readers: [FieldReader?]) -> Column {
    let onlyIP4 = runs.allSatisfy { run in readers[run.template].map { $0.locator.isFixed(4) } ?? true }
    if onlyIP4 {
      return fill(readers, 0, Column.Storage.ip4) { reader, record in
        reader.locator.bytes(in: record).baseAddress.map { UInt32(truncatingIfNeeded: readUnsigned($0, 4)) }
      }
    }
    return fill(readers, Address(ip4: 0), Column.Storage.addresses) { reader, record in reader.address(record) }
  }

  /// Texts are copied, so that events which wait for their time hold on to no packet buffer.
  private func slices(
    _ readers: [FieldReader?], _ storage: (SliceMemory, [Slice]) -> Column.Storage,
    _ read: (FieldReader, UnsafeRawPointer) -> UnsafeRawBufferPointer
  ) -> Column {
    var nulls: [Bool] = []
    var bytes: [UInt8] = []
    let slices = [Slice](unsafeUninitializedCapacity: count) { slices, filled in
      each(readers) { row, record, reader in
        let text = read(reader, record)
        slices.initializeElement(at: row, to: Slice(offset: Int32(bytes.count), length: Int32(text.count)))
        bytes.append(contentsOf: text)
      } missing: { row in
        setNull(&nulls, row)
        slices.initializeElement(at: row, to: Slice(offset: 0, length: 0))
      }
      filled = count
    }
    return Column(storage(SliceMemory(copying: bytes), slices), nulls: nulls)
  }

  @inline(__always)
  private func setNull(_ nulls: inout [Bool], _ row: Int) {
    if nulls.isEmpty { nulls = [Bool](repeating: false, count: count) }
    nulls[row] = true
  }
}
