/// A part of a message, with lengths checked once: from `start` up to `end`.
struct SetBody {
  let id: UInt16
  /// Offsets in the message, behind the set's header.
  let start: Int
  let end: Int
}

@inline(__always)
func load16(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt16 {
  UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
}

@inline(__always)
func load32(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt32 {
  UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
}

/// The set at `offset`, or nil where its header lies about its length or does not fit.
@inline(__always)
func setBody(_ message: UnsafeRawPointer, at offset: Int, messageEnd: Int) -> SetBody? {
  guard messageEnd - offset >= Wire.setHeader else { return nil }
  let length = Int(load16(message, offset + 2))
  guard length >= Wire.setHeader, length <= messageEnd - offset else { return nil }
  return SetBody(id: load16(message, offset), start: offset + Wire.setHeader, end: offset + length)
}

/// Walks the records of a template set or options template set. False where one is malformed or runs over the set's end.
///
/// A rest that cannot be a record (fewer than 4 bytes, or a template id of 0) is padding.
func walkTemplates(
  _ message: UnsafeRawPointer, _ set: SetBody, fieldLimit: Int, _ visit: (TemplateRecord) -> Void
) -> Bool {
  let isOptions = set.id == Wire.optionsTemplateSet
  var place = set.start
  while set.end - place >= 4 {
    let id = load16(message, place)
    let count = Int(load16(message, place + 2))
    place += 4
    if id == 0 { return true }
    guard id >= Wire.firstTemplate || (count == 0 && id == set.id) else { return false }
    if count == 0 {
      visit(TemplateRecord(id: id, fields: [], scopeCount: isOptions ? 1 : 0))
      continue
    }
    var scopeCount = 0
    if isOptions {
      guard set.end - place >= 2 else { return false }
      scopeCount = Int(load16(message, place))
      place += 2
      guard scopeCount >= 1, scopeCount <= count else { return false }
    }
    guard (set.end - place) / 4 >= count else { return false }
    var fields: [TemplateRecord.Field] = []
    fields.reserveCapacity(min(count, fieldLimit))
    for _ in 0..<count {
      guard set.end - place >= 4 else { return false }
      var element = load16(message, place)
      let length = load16(message, place + 2)
      place += 4
      var enterprise: UInt32 = 0
      if element & Wire.enterpriseBit != 0 {
        guard set.end - place >= 4 else { return false }
        enterprise = load32(message, place)
        element &= ~Wire.enterpriseBit
        place += 4
      }
      fields.append(TemplateRecord.Field(enterprise: enterprise, element: element, length: length))
    }
    guard TemplateRecord.isSound(fields) else { return false }
    visit(TemplateRecord(id: id, fields: fields, scopeCount: scopeCount))
  }
  return true
}
