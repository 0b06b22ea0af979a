/// NetFlow version 9 (RFC 3954), as exporters write it: sets that are padded to four bytes or not, with a length that counts the
/// padding or does not.
enum NetFlow9 {
  /// The set at `offset`, or behind the padding there that the set before did not count; nil where there is none. Of an id that is
  /// reserved only where nothing else makes sense.
  static func set(_ message: UnsafeRawPointer, at offset: Int, messageEnd: Int) -> SetBody? {
    if let set = plausibleSet(message, at: offset, messageEnd: messageEnd), offset & 3 == 0 || !isPadding(message, set) { return set }
    let aligned = behindPadding(message, at: offset, messageEnd: messageEnd)
    if let aligned, let set = plausibleSet(message, at: aligned, messageEnd: messageEnd) { return set }
    return reservedSet(message, at: offset, messageEnd) ?? aligned.flatMap { reservedSet(message, at: $0, messageEnd) }
  }

  /// The next multiple of four, where nothing but zeros lies before it.
  static func behindPadding(_ message: UnsafeRawPointer, at offset: Int, messageEnd: Int) -> Int? {
    let aligned = (offset + 3) & ~3
    guard aligned > offset, aligned <= messageEnd, isZero(message, offset, aligned) else { return nil }
    return aligned
  }

  /// Whether bytes are all zero: what is left of a message may be padding.
  static func isZero(_ message: UnsafeRawPointer, _ from: Int, _ end: Int) -> Bool {
    for place in from..<end where message.load(fromByteOffset: place, as: UInt8.self) != 0 { return false }
    return true
  }

  private static func reservedSet(_ message: UnsafeRawPointer, at offset: Int, _ messageEnd: Int) -> SetBody? {
    guard let set = setBody(message, at: offset, messageEnd: messageEnd), set.id > Wire.optionsTemplateSet9 else { return nil }
    return set
  }

  private static func plausibleSet(_ message: UnsafeRawPointer, at offset: Int, messageEnd: Int) -> SetBody? {
    guard let set = setBody(message, at: offset, messageEnd: messageEnd) else { return nil }
    return set.id <= Wire.optionsTemplateSet9 || set.id >= Wire.firstTemplate ? set : nil
  }

  /// Whether what looks like a template set (id 0) at an odd place is rather padding and what follows it.
  private static func isPadding(_ message: UnsafeRawPointer, _ set: SetBody) -> Bool {
    set.id == Wire.templateSet9 && !walkTemplates(message, set, fieldLimit: 0, { _ in })
  }

  /// Walks the records of a template set or options template set. False where one is malformed or runs over the set's end.
  static func walkTemplates(
    _ message: UnsafeRawPointer, _ set: SetBody, fieldLimit: Int, _ visit: (TemplateRecord) -> Void
  ) -> Bool {
    let isOptions = set.id == Wire.optionsTemplateSet9
    var place = set.start
    while set.end - place >= (isOptions ? 6 : 4) {
      let id = load16(message, place)
      if id == 0 { return true }
      guard id >= Wire.firstTemplate else { return false }
      var count = Int(load16(message, place + 2))
      var scopeCount = 0
      place += 4
      if isOptions {
        // Lengths in bytes (§6.1), not numbers of fields.
        guard count % 4 == 0, load16(message, place) % 4 == 0 else { return false }
        scopeCount = count / 4
        count = scopeCount + Int(load16(message, place)) / 4
        place += 2
      }
      // Defines nothing, and says nothing about the rest.
      if count == 0 { continue }
      guard (set.end - place) / 4 >= count else { return false }
      var fields: [TemplateRecord.Field] = []
      fields.reserveCapacity(min(count, fieldLimit))
      var (empty, bytes) = (0, 0)
      for index in 0..<count {
        let length = load16(message, place + 2)
        if length == 0 { empty += 1 } else { bytes += length == Wire.variableLength ? 1 : Int(length) }
        if fieldLimit > 0 { fields.append(field(load16(message, place), length, isScope: index < scopeCount)) }
        place += 4
      }
      guard TemplateRecord.isSound(emptyFields: empty, bytes: bytes) else { return false }
      // An options template without a scope is one all the same.
      if fieldLimit > 0 { visit(TemplateRecord(id: id, fields: fields, scopeCount: scopeCount, isOptions: isOptions)) }
    }
    return true
  }

  /// Field types are IANA's elements up to 32767; what is beyond has a number space of its own, as other collectors have it.
  private static func field(_ type: UInt16, _ length: UInt16, isScope: Bool) -> TemplateRecord.Field {
    if isScope, let element = scopeElement(type) { return .init(element: element, length: length) }
    if type & Wire.enterpriseBit != 0 { return .init(enterprise: extraEnterprise, element: type & ~Wire.enterpriseBit, length: length) }
    return .init(element: type, length: length)
  }

  /// The information element that stands for a scope (§6.1): System, Interface, Line Card, Cache, Template.
  private static func scopeElement(_ type: UInt16) -> UInt16? {
    switch type {
    case 1: 144  // exportingProcessId
    case 2: 10  // ingressInterface
    case 3: 141  // lineCardId
    case 4: 143  // meteringProcessId
    case 5: 145  // templateId
    default: nil
    }
  }

  /// Not enterprises: the number spaces of field types that IANA does not have (config/elements).
  static let enterprise: UInt32 = 0xffff_fffe
  static let extraEnterprise: UInt32 = 0xffff_ffff
}
