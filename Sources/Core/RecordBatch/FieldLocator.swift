public import PluginABI

/// Where one field of a template's records lies: built once per template, used for each record.
public struct FieldLocator: Sendable {
  /// Offset of the field, or of the first field of variable length before it.
  @usableFromInline let start: Int
  /// Lengths of the fields from `start` up to and including the field; the last is the field's own. Empty but for the last where
  /// the offset is fixed.
  @usableFromInline let lengths: [UInt16]
  @usableFromInline let fixedLength: Int

  /// - Parameter index: a field's index in the template.
  public init(_ template: TemplateView, field index: Int) {
    let fields = template.fields
    if fields[index].offset != FLOWCEP_NO_OFFSET_VALUE {
      start = Int(fields[index].offset)
      lengths = [fields[index].length]
    } else {
      // The first field of variable length still has a fixed offset itself.
      let first = fields.firstIndex { $0.length == UInt16(FLOWCEP_VARIABLE_LENGTH) } ?? index
      start = Int(fields[first].offset)
      lengths = fields[first...index].map(\.length)
    }
    fixedLength = lengths.count == 1 && lengths[0] != UInt16(FLOWCEP_VARIABLE_LENGTH) ? Int(lengths[0]) : -1
  }

  /// Whether every record has exactly `length` bytes of the field.
  public func isFixed(_ length: Int) -> Bool { lengths.last == UInt16(length) }

  /// Where the field begins in every record (its length, where that varies); nil behind a field of variable length.
  public var fixedStart: Int? { lengths.count == 1 ? start : nil }

  /// The field's length in every record; nil where it varies.
  public var fixedLengthInRecord: Int? { lengths.last == UInt16(FLOWCEP_VARIABLE_LENGTH) ? nil : lengths.last.map { Int($0) } }

  /// The field's bytes in a record that has been checked against its template.
  @inlinable @inline(__always)
  public func bytes(in record: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    if fixedLength >= 0 { return UnsafeRawBufferPointer(start: record + start, count: fixedLength) }
    return walk(record)
  }

  @inlinable
  func walk(_ record: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    var place = record + start
    var count = 0
    for (i, length) in lengths.enumerated() {
      if i > 0 { place += count }
      if length == UInt16(FLOWCEP_VARIABLE_LENGTH) {
        (place, count) = variableLength(at: place)
      } else {
        count = Int(length)
      }
    }
    return UnsafeRawBufferPointer(start: place, count: count)
  }
}

@usableFromInline let FLOWCEP_NO_OFFSET_VALUE: UInt32 = 0xffff_ffff

/// The content of a field of variable length (RFC 7011 §7): one length byte, or 255 and two.
@inlinable @inline(__always)
public func variableLength(at place: UnsafeRawPointer) -> (UnsafeRawPointer, Int) {
  let short = Int(place.load(as: UInt8.self))
  if short < 255 { return (place + 1, short) }
  return (place + 3, Int(UInt16(bigEndian: place.loadUnaligned(fromByteOffset: 1, as: UInt16.self))))
}
