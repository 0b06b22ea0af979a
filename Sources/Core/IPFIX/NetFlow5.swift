import InformationElements
import RecordBatch

/// NetFlow version 5: one kind of record, without a template on the wire.
enum NetFlow5 {
  /// The template that stands for its records; the id is ours.
  static let templateID = Wire.firstTemplate

  /// A record's fields in their order; 210 (paddingOctets) marks the bytes that mean nothing.
  static let template = TemplateRecord(
    id: templateID,
    fields: [
      (8, 4), (12, 4), (15, 4), (10, 2), (14, 2), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (padding, 1), (6, 1), (4, 1),
      (5, 1), (16, 2), (17, 2), (9, 1), (13, 1), (padding, 2),
    ].map { TemplateRecord.Field(element: $0.0, length: $0.1) })

  private static let padding: UInt16 = 210

  /// The fields with names and types; the padding is left out.
  static func described(with registry: ElementRegistry) -> [Template.Field] {
    var fields: [Template.Field] = []
    var gap: UInt16 = 0
    for field in template.fields {
      if field.element == padding {
        gap += field.length
      } else {
        var described = field.described(by: registry, isScope: false)
        described.gap = gap
        fields.append(described)
        gap = 0
      }
    }
    return fields
  }

  static func resolved(_ fields: [Template.Field]) -> Template {
    Template(id: templateID, kind: .flow, fields: fields, gap: trailingPadding)
  }

  private static let trailingPadding: UInt16 = 2
}
