public import PluginABI

/// A batch as the wall shows it: sealed bytes, and where the records lie in them.
///
/// Borrows what the host owns: valid until the call that handed it over returns, or until a retained reference is released.
public struct Batch {
  public enum Kind: UInt32, Sendable { case records = 1, sessionOpened, sessionClosed, tick, end }

  public let raw: UnsafePointer<flowcep_batch>

  @inlinable public init(_ raw: UnsafePointer<flowcep_batch>) { self.raw = raw }

  @inlinable public var kind: Kind { Kind(rawValue: raw.pointee.kind) ?? .tick }
  @inlinable public var recordCount: Int { Int(raw.pointee.record_count) }
  @inlinable public var bytes: UnsafeRawPointer { UnsafeRawPointer(raw.pointee.bytes) }
  @inlinable public var byteCount: Int { raw.pointee.byte_count }

  @inlinable public var records: UnsafeBufferPointer<flowcep_record> {
    UnsafeBufferPointer(start: raw.pointee.records, count: Int(raw.pointee.record_count))
  }
  @inlinable public var messages: UnsafeBufferPointer<flowcep_message> {
    UnsafeBufferPointer(start: raw.pointee.messages, count: Int(raw.pointee.message_count))
  }
  @inlinable public var templateCount: Int { Int(raw.pointee.template_count) }

  @inlinable public func template(at index: Int) -> TemplateView {
    TemplateView(raw.pointee.templates[index]!)
  }

  /// The session of a `sessionOpened` or `sessionClosed` batch.
  @inlinable public var session: UnsafePointer<flowcep_session>? { raw.pointee.session }
  /// Wall clock when the batch was made, in nanoseconds since 1970.
  @inlinable public var timeNanoseconds: UInt64 { raw.pointee.time_ns }

  @inlinable public func bytes(of record: flowcep_record) -> UnsafeRawPointer { bytes + Int(record.offset) }
}

/// A template as the wall shows it. Immutable; lives as long as a batch that refers to it.
public struct TemplateView {
  public enum Kind: UInt16, Sendable { case flow = 1, options, detection }

  public let raw: UnsafePointer<flowcep_template>

  @inlinable public init(_ raw: UnsafePointer<flowcep_template>) { self.raw = raw }

  @inlinable public var id: UInt16 { raw.pointee.id }
  @inlinable public var kind: Kind { Kind(rawValue: raw.pointee.kind) ?? .flow }
  /// Never used again in this process: caches key on it.
  @inlinable public var serial: UInt64 { raw.pointee.serial }
  @inlinable public var fieldCount: Int { Int(raw.pointee.field_count) }
  @inlinable public var scopeCount: Int { Int(raw.pointee.scope_count) }
  @inlinable public var fields: UnsafeBufferPointer<flowcep_field> {
    UnsafeBufferPointer(start: raw.pointee.fields, count: Int(raw.pointee.field_count))
  }
  /// Bytes of every record, or 0 where a field has variable length.
  @inlinable public var recordLength: Int { Int(raw.pointee.record_length) }
  @inlinable public var minimumLength: Int { Int(raw.pointee.minimum_length) }
  /// A detection's type, empty for others.
  public var name: String { raw.pointee.name.map { String(cString: $0) } ?? "" }

  public func fieldName(_ index: Int) -> String { String(cString: fields[index].name) }

  /// The first field with that name or alias, with or without a prefix such as `iana:`. Once per template, never per record.
  public func fieldIndex(named written: String) -> Int? {
    let bare = written.lastIndex(of: ":").map { String(written[written.index(after: $0)...]) } ?? written
    return fields.firstIndex { field in
      if String(cString: field.name) == bare { return true }
      var alias = field.aliases
      while let next = alias?.pointee {
        if String(cString: next) == bare { return true }
        alias = alias?.advanced(by: 1)
      }
      return false
    }
  }

  /// The first field with that element.
  public func fieldIndex(enterprise: UInt32, element: UInt16) -> Int? {
    fields.firstIndex { $0.enterprise == enterprise && $0.element == element }
  }
}
