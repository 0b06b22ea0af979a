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

  /// The field's place and length, where both are the same in every record.
  var plain: (start: Int, length: Int)? {
    guard let start = locator.fixedStart, let length = locator.fixedLengthInRecord else { return nil }
    return (start, length)
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
}

extension UnsafeRawBufferPointer {
  /// The bytes without trailing NULs, which some exporters pad texts with.
  @inline(__always)
  var withoutPadding: UnsafeRawBufferPointer {
    var length = count
    while length > 0, self[length - 1] == 0 { length -= 1 }
    return UnsafeRawBufferPointer(start: baseAddress, count: length)
  }
}
