internal import EventModel

/// How a column's values lie in the rows of held events.
enum FieldKind: UInt8 {
  case integer, double, bool, ip4, address, mac, text, octets, value
}

/// One column's place in a row. An integer that is never negative takes as many bytes as its values have needed so far.
struct RowField: BitwiseCopyable, Equatable {
  var kind: FieldKind
  var width: Int
  var offset = 0
  /// Where its bit of the null flags is.
  var nullByte = 0
  var nullMask: UInt8 = 0
  /// Its bit of a segment's `nullFields`.
  var segmentMask: UInt64 = 0

  init(_ kind: FieldKind, width: Int) {
    self.kind = kind
    self.width = width
  }
}

/// The columns of one event type's held events, as rows of bytes: what belongs to an event lies together.
///
/// A layout does not change; where a batch brings what it cannot hold, there is a new one, and what is held already stays as it is.
final class RowLayout {
  let type: EventType
  let properties: [Int]
  let fields: [RowField]
  let stride: Int
  let nullBytes: Int
  /// How many rows, and bytes of text, a new segment should have room for.
  var expectedRows = 16
  var expectedText = 64

  init(type: EventType, properties: [Int], fields: [RowField]) {
    self.type = type
    self.properties = properties
    nullBytes = (fields.count + 7) / 8
    var placed: [RowField] = []
    var offset = nullBytes
    for (index, field) in fields.enumerated() {
      var field = field
      field.offset = offset
      field.nullByte = index / 8
      field.nullMask = 1 << UInt8(index % 8)
      field.segmentMask = 1 << UInt64(min(index, 63))
      offset += field.width
      placed.append(field)
    }
    self.fields = placed
    stride = offset
  }

  /// A layout that holds the batch's columns too; itself where it does.
  func extended(for batch: EventBatch) -> RowLayout {
    var (properties, fields) = (properties, fields)
    var changed = false
    for (property, column) in zip(batch.properties, batch.columns) {
      guard let needed = RowField(for: column, count: batch.valueCount) else { continue }
      if let index = properties.firstIndex(of: property) {
        let joined = RowField.joined(fields[index], needed)
        if joined.kind != fields[index].kind || joined.width != fields[index].width {
          fields[index] = joined
          changed = true
        }
      } else {
        properties.append(property)
        fields.append(needed)
        changed = true
      }
    }
    return changed ? RowLayout(type: type, properties: properties, fields: fields) : self
  }
}

extension RowField {
  /// What a column needs; nil where it is absent.
  init?(for column: Column, count: Int) {
    switch column.storage {
    case .absent: return nil
    case .bools: self.init(.bool, width: 1)
    case .ints(let values): self.init(.integer, width: Self.width(values, count))
    case .doubles: self.init(.double, width: 8)
    case .ip4: self.init(.ip4, width: 4)
    case .addresses: self.init(.address, width: 17)
    case .macs: self.init(.mac, width: 8)
    case .strings, .utf8: self.init(.text, width: 8)
    case .octets: self.init(.octets, width: 8)
    case .values: self.init(.value, width: 4)
    }
  }

  private static func width(_ values: [Int64], _ count: Int) -> Int {
    var bits: UInt64 = 0
    values.withUnsafeBufferPointer { values in for row in 0..<min(count, values.count) { bits |= UInt64(bitPattern: values[row]) } }
    return bits <= 0xffff ? 2 : bits <= 0xffff_ffff ? 4 : 8
  }

  /// What holds the values of both.
  static func joined(_ a: RowField, _ b: RowField) -> RowField {
    if a.kind == b.kind { return RowField(a.kind, width: max(a.width, b.width)) }
    switch (a.kind, b.kind) {
    case (.ip4, .address), (.address, .ip4): return RowField(.address, width: 17)
    default: return RowField(.value, width: 4)
    }
  }
}
