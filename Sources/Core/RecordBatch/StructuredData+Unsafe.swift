public import PluginABI

/// A value of structured data (RFC 6313), read in place: its parts, each a run of records (or values) of one template.
///
/// In a batch, structured data refers to the batch's templates by index: the decoder puts that in the place of the template id
/// that stood there, and of the element id of a basicList, whose template has that one field.
public struct StructuredData {
  public struct Part {
    /// Nil where the decoder could not make sense of it: then its bytes are all there is to show.
    public let template: UnsafePointer<flowcep_template>?
    /// Without the header.
    public let content: UnsafeRawBufferPointer
    /// Header included.
    public let bytes: UnsafeRawBufferPointer
  }

  /// 0 noneOf, 1 exactlyOneOf, 2 oneOrMoreOf, 3 allOf, 4 ordered, 255 undefined.
  public let semantic: UInt8
  public let parts: [Part]
  /// What is left behind the last part that could be read; empty unless the lengths lie.
  public let rest: UnsafeRawBufferPointer

  /// - Parameters:
  ///   - type: the field's abstract data type.
  ///   - value: the field's bytes, which need not be sound.
  public init?(type: UInt16, _ value: UnsafeRawBufferPointer, in batch: UnsafePointer<flowcep_batch>) {
    guard let semantic = value.first else { return nil }
    self.semantic = semantic
    let body = UnsafeRawBufferPointer(rebasing: value[1...])
    switch Int(type) {
    case FLOWCEP_BASIC_LIST:
      guard body.count >= 4 else { return nil }
      let reference = Self.word(body, 0)
      let header = reference & 0x8000 == 0 ? 4 : 8
      guard body.count >= header else { return nil }
      parts = [Self.part(reference & 0x7fff, body, header, in: batch)]
      rest = UnsafeRawBufferPointer(start: nil, count: 0)
    case FLOWCEP_SUB_TEMPLATE_LIST:
      guard body.count >= 2 else { return nil }
      parts = [Self.part(Self.word(body, 0), body, 2, in: batch)]
      rest = UnsafeRawBufferPointer(start: nil, count: 0)
    case FLOWCEP_SUB_TEMPLATE_MULTI_LIST:
      var (found, left): ([Part], UnsafeRawBufferPointer) = ([], body)
      while left.count >= 4, case let length = Int(Self.word(left, 2)), length >= 4, length <= left.count {
        found.append(Self.part(Self.word(left, 0), UnsafeRawBufferPointer(rebasing: left[..<length]), 4, in: batch))
        left = UnsafeRawBufferPointer(rebasing: left[length...])
      }
      (parts, rest) = (found, left)
    default: return nil
    }
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt16 { UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]) }

  private static func part(
    _ reference: UInt16, _ bytes: UnsafeRawBufferPointer, _ header: Int, in batch: UnsafePointer<flowcep_batch>
  ) -> Part {
    let isKnown = reference != FLOWCEP_LIST_UNREADABLE && UInt32(reference) < batch.pointee.template_count
    return Part(
      template: isKnown ? batch.pointee.templates[Int(reference)] : nil, content: UnsafeRawBufferPointer(rebasing: bytes[header...]),
      bytes: bytes)
  }
}

/// Bytes of the first record of a template at the start of `bytes`; nil where it runs over their end or has none.
public func recordLength(_ template: UnsafePointer<flowcep_template>, _ bytes: UnsafeRawBufferPointer) -> Int? {
  let fixed = Int(template.pointee.record_length)
  if fixed > 0 { return fixed <= bytes.count ? fixed : nil }
  var end = 0
  for index in 0..<Int(template.pointee.field_count) {
    let field = UnsafeRawPointer(template.pointee.fields) + index * Int(template.pointee.field_stride)
    guard let value = fieldRange(field.assumingMemoryBound(to: flowcep_field.self).pointee.length, at: end, in: bytes) else { return nil }
    end = value.upperBound
  }
  return end > 0 ? end : nil
}

/// Where a field's content lies whose first byte (or length byte) is at `start`; nil where it runs over the end.
public func fieldRange(_ length: UInt16, at start: Int, in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
  var (place, count) = (start, Int(length))
  if UInt32(length) == FLOWCEP_VARIABLE_LENGTH {
    guard place < bytes.count else { return nil }
    count = Int(bytes[place])
    place += 1
    if count == 255 {
      guard bytes.count - place >= 2 else { return nil }
      count = Int(bytes[place]) << 8 | Int(bytes[place + 1])
      place += 2
    }
  }
  return count <= bytes.count - place ? place..<place + count : nil
}
