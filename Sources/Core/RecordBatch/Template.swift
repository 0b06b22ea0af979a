public import PluginABI
import Synchronization

/// A template, the host's side: owns the C struct that plugins see, names and aliases included. Immutable.
public final class Template: @unchecked Sendable {
  /// What a field is to become; offsets are worked out by the template.
  public struct Field: Sendable {
    public var enterprise: UInt32
    public var element: UInt16
    /// Bytes, or 65535 for variable length.
    public var length: UInt16
    /// An abstract data type by its number in RFC 5610.
    public var type: UInt16
    public var flags: UInt16
    public var name: String
    public var aliases: [String]
    /// Bytes before it that belong to no field; only where no field has variable length.
    public var gap: UInt16 = 0

    public init(
      enterprise: UInt32, element: UInt16, length: UInt16, type: UInt16, flags: UInt16 = UInt16(FLOWCEP_FIELD_KNOWN),
      name: String, aliases: [String] = []
    ) {
      self.enterprise = enterprise
      self.element = element
      self.length = length
      self.type = type
      self.flags = flags
      self.name = name
      self.aliases = aliases
    }
  }

  public let raw: UnsafeMutablePointer<flowcep_template>
  private let fields: UnsafeMutablePointer<flowcep_field>
  private var texts: [UnsafeMutablePointer<CChar>] = []
  private var aliasLists: [UnsafeMutablePointer<UnsafePointer<CChar>?>] = []

  private static let nextSerial = Atomic<UInt64>(1)

  /// - Parameters:
  ///   - gap: bytes behind the last field that belong to no field.
  ///   - name: a detection's type; empty for others.
  public init(
    id: UInt16, kind: TemplateView.Kind, fields described: [Field], scopeCount: Int = 0, gap: UInt16 = 0, name: String = ""
  ) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<flowcep_template>.stride + MemoryLayout<UnsafeRawPointer>.stride, alignment: 16)
    raw = memory.bindMemory(to: flowcep_template.self, capacity: 1)
    fields = .allocate(capacity: max(1, described.count))
    var offset: UInt32? = 0
    var minimum = 0
    for (i, field) in described.enumerated() {
      let variable = field.length == UInt16(FLOWCEP_VARIABLE_LENGTH)
      offset = offset.map { $0 + UInt32(field.gap) }
      fields.advanced(by: i).initialize(
        to: flowcep_field(
          enterprise: field.enterprise, element: field.element, length: field.length, offset: offset ?? FLOWCEP_NO_OFFSET_VALUE,
          type: field.type, flags: field.flags, name: nil, aliases: nil))
      minimum += Int(field.gap) + (variable ? 1 : Int(field.length))
      offset = variable ? nil : offset.map { $0 + UInt32(field.length) }
    }
    offset = offset.map { $0 + UInt32(gap) }
    raw.initialize(
      to: flowcep_template(
        struct_size: UInt32(MemoryLayout<flowcep_template>.size), id: id, kind: kind.rawValue,
        serial: Self.nextSerial.wrappingAdd(1, ordering: .relaxed).oldValue, fields: fields,
        field_stride: UInt32(MemoryLayout<flowcep_field>.stride), field_count: UInt16(described.count),
        scope_count: UInt16(scopeCount), record_length: offset ?? 0, minimum_length: UInt32(minimum + Int(gap)), name: nil))
    ownerSlot(behind: raw).initialize(to: UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()))
    for (i, field) in described.enumerated() {
      fields[i].name = keep(field.name)
      fields[i].aliases = UnsafePointer(keep(field.aliases))
    }
    if !name.isEmpty { raw.pointee.name = keep(name) }
  }

  deinit {
    texts.forEach { $0.deallocate() }
    aliasLists.forEach { $0.deallocate() }
    fields.deallocate()
    UnsafeMutableRawPointer(raw).deallocate()
  }

  public var view: TemplateView { TemplateView(raw) }

  /// The template whose C struct this is. Only for pointers that a `Template` gave out.
  @inlinable
  public static func from(_ raw: UnsafePointer<flowcep_template>) -> Template {
    Unmanaged<Template>.fromOpaque(ownerSlot(behind: UnsafeMutablePointer(mutating: raw)).pointee).takeUnretainedValue()
  }

  private func keep(_ text: String) -> UnsafePointer<CChar> {
    let copy = copyCString(text)
    texts.append(copy)
    return UnsafePointer(copy)
  }

  private func keep(_ aliases: [String]) -> UnsafeMutablePointer<UnsafePointer<CChar>?> {
    let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: aliases.count + 1)
    for (i, alias) in aliases.enumerated() { list.advanced(by: i).initialize(to: keep(alias)) }
    list.advanced(by: aliases.count).initialize(to: nil)
    aliasLists.append(list)
    return list
  }
}
