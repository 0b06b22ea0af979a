import PluginABI
import RecordBatch

/// An absolute time in the records of one template.
struct TimeField {
  private let locator: FieldLocator
  /// What a second is in the field's encoding.
  private let second: UInt64

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

  /// - Parameter seconds: two's complement; what leaves the field's width is lost, as on the wire.
  func move(_ record: UnsafeRawPointer, by seconds: UInt64) {
    let bytes = locator.bytes(in: record)
    guard let place = bytes.baseAddress else { return }
    let moved = readUnsigned(place, bytes.count) &+ seconds &* second
    writeUnsigned(moved, to: UnsafeMutableRawPointer(mutating: place), bytes.count)
  }
}
