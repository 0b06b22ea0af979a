import PluginABI
import RecordBatch

/// An absolute time in the records of one template.
struct TimeField {
  /// A time at a fixed place: what moving it takes, without any reference that would be counted for each record.
  struct Fixed {
    let offset: Int
    let length: Int
    let second: UInt64

    /// - Parameter seconds: two's complement; what leaves the field's width is lost, as on the wire.
    @inline(__always) func move(_ record: UnsafeMutableRawPointer, by seconds: UInt64) {
      writeUnsigned(readUnsigned(record + offset, length) &+ seconds &* second, to: record + offset, length)
    }
  }

  private let locator: FieldLocator
  private let offset: UInt32
  private let length: Int
  /// What a second is in the field's encoding.
  private let second: UInt64

  /// Nil behind a field of variable length.
  var fixed: Fixed? { offset == FLOWCEP_NO_OFFSET ? nil : Fixed(offset: Int(offset), length: length, second: second) }

  /// Nil where the field is no absolute time of a flow, or has a length that its type cannot have.
  private init?(_ template: TemplateView, _ index: Int) {
    let field = template.fields[index]
    let isReverse = field.flags & UInt16(FLOWCEP_FIELD_REVERSE) != 0
    guard field.enterprise == 0 || isReverse, (150...157).contains(field.element), (1...8).contains(field.length) else { return nil }
    switch Int(field.type) {
    case FLOWCEP_DATE_TIME_SECONDS: second = 1
    case FLOWCEP_DATE_TIME_MILLISECONDS: second = 1000
    case FLOWCEP_DATE_TIME_MICROSECONDS where field.length == 8: second = 1 << 32
    case FLOWCEP_DATE_TIME_NANOSECONDS where field.length == 8: second = 1 << 32
    default: return nil
    }
    locator = FieldLocator(template, field: index)
    (offset, length) = (field.offset, Int(field.length))
  }

  /// All absolute times: elements 150 to 157, of both directions.
  static func all(_ template: TemplateView) -> [TimeField] {
    (0..<template.fieldCount).compactMap { TimeField(template, $0) }
  }

  /// flowStartMilliseconds and flowEndMilliseconds where the template has both, else nothing.
  static func startAndEnd(_ template: TemplateView) -> [TimeField] {
    guard let start = template.fieldIndex(enterprise: 0, element: 152), let end = template.fieldIndex(enterprise: 0, element: 153) else {
      return []
    }
    return [start, end].compactMap { TimeField(template, $0) }
  }

  /// Of a field that is not at a fixed place.
  func move(_ record: UnsafeMutableRawPointer, by seconds: UInt64) {
    let place = locator.bytes(in: record).baseAddress ?? UnsafeRawPointer(record)
    Fixed(offset: place - UnsafeRawPointer(record), length: length, second: second).move(record, by: seconds)
  }
}
