/// A template as it stands on the wire (RFC 7011 §3.4): numbers without meaning yet.
public struct TemplateRecord: Sendable, Hashable {
  public struct Field: Sendable, Hashable {
    public var enterprise: UInt32
    /// Without the enterprise bit.
    public var element: UInt16
    /// Bytes, or 65535 for variable length.
    public var length: UInt16

    public init(enterprise: UInt32 = 0, element: UInt16, length: UInt16) {
      self.enterprise = enterprise
      self.element = element
      self.length = length
    }
  }

  public var id: UInt16
  /// None: the template is withdrawn.
  public var fields: [Field]
  /// How many of the first fields are scope fields.
  public var scopeCount: Int
  public var isOptions: Bool

  /// - Parameter isOptions: scope fields make it an options template; NetFlow 9 has some without any.
  public init(id: UInt16, fields: [Field], scopeCount: Int = 0, isOptions: Bool? = nil) {
    self.id = id
    self.fields = fields
    self.scopeCount = scopeCount
    self.isOptions = isOptions ?? (scopeCount > 0)
  }

  /// Whether records of these fields have a length, and of fields without one not so many that a small message becomes a large output:
  /// those cost the sender nothing, and everybody else their names.
  static func isSound(_ fields: [Field]) -> Bool {
    var (empty, bytes) = (0, 0)
    for field in fields {
      if field.length == 0 { empty += 1 } else { bytes += field.length == Wire.variableLength ? 1 : Int(field.length) }
    }
    return isSound(emptyFields: empty, bytes: bytes)
  }

  /// - Parameter bytes: of the shortest record.
  static func isSound(emptyFields: Int, bytes: Int) -> Bool { bytes > 0 && emptyFields <= min(64, bytes + 8) }

  var setID: UInt16 { isOptions ? Wire.optionsTemplateSet : Wire.templateSet }

  var wireBytes: [UInt8] {
    var bytes: [UInt8] = []
    func append(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
    append(id)
    append(UInt16(fields.count))
    if isOptions, !fields.isEmpty { append(UInt16(scopeCount)) }
    for field in fields {
      append(field.element | (field.enterprise == 0 ? 0 : Wire.enterpriseBit))
      append(field.length)
      if field.enterprise != 0 {
        append(UInt16(field.enterprise >> 16))
        append(UInt16(truncatingIfNeeded: field.enterprise))
      }
    }
    return bytes
  }
}
