import PluginABI
import RecordBatch

/// The template that stands for the values of a basicList: one field of one element.
final class ListElement {
  let template: Template
  var batchStamp: UInt64 = 0
  var batchIndex: UInt32 = 0
  init(_ template: Template) { self.template = template }
}

// Structured data (RFC 6313): its lengths are checked, and what it refers to is put into the batch, so that a reader needs neither
// the session's templates nor an element registry (see StructuredData).
extension SessionDecoder {
  typealias Bytes = UnsafeMutableRawBufferPointer

  /// Resolves the lists in the batch's records from `first` on, all of one template.
  func resolveLists(from first: Int, _ slot: TemplateTable.Slot, _ domain: Domain, _ sink: Sink) {
    let all = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(sink.batch.raw.pointee.bytes))
    let template = slot.pointee.template
    for index in first..<sink.batch.recordCount {
      let record = sink.batch.records[index]
      resolve(template, Bytes(start: all.map { $0 + Int(record.offset) }, count: Int(record.length)), domain, sink, depth: 1)
    }
  }

  /// The lists among a record's fields.
  private func resolve(_ template: Template, _ record: Bytes, _ domain: Domain, _ sink: Sink, depth: Int) {
    var end = 0
    for field in template.view.fields {
      guard let value = fieldRange(field.length, at: end, in: UnsafeRawBufferPointer(record)) else { return }
      if field.type >= UInt16(FLOWCEP_BASIC_LIST) {
        resolve(field.type, Bytes(rebasing: record[value]), domain, sink, depth: depth)
      }
      end = value.upperBound
    }
  }

  private func resolve(_ type: UInt16, _ value: Bytes, _ domain: Domain, _ sink: Sink, depth: Int) {
    guard let start = value.baseAddress, value.count >= 3 else {
      if value.count > 0 { pending.unreadableLists += 1 }
      return
    }
    switch Int(type) {
    case FLOWCEP_BASIC_LIST: resolveBasic(value, start, domain, sink, depth)
    case FLOWCEP_SUB_TEMPLATE_LIST: resolveRecords(value, at: 1, header: 3, domain, sink, depth)
    default:
      var place = 1
      while value.count - place >= 4 {
        let length = Int(load16(start, place + 2))
        guard length >= 4, length <= value.count - place else { break }
        resolveRecords(Bytes(rebasing: value[place..<place + length]), at: 0, header: 4, domain, sink, depth)
        place += length
      }
      if place < value.count { pending.unreadableLists += 1 }
    }
  }

  /// A run of records of one template, whose id is at `place`.
  private func resolveRecords(
    _ bytes: Bytes, at place: Int, header: Int, _ domain: Domain, _ sink: Sink, _ depth: Int
  ) {
    guard let start = bytes.baseAddress else { return }
    let content = Bytes(rebasing: bytes[header...])
    guard depth <= limits.listDepth, let slot = templateOrKept(load16(start, place), in: domain),
      let index = reference(slot, sink), isWhole(slot.pointee.template, content)
    else { return refuse(bytes, at: place, isEmpty: content.isEmpty) }
    write16(index, start, place)
    guard slot.pointee.extras?.hasLists == true else { return }
    let template = slot.pointee.template
    var rest = content
    while let length = recordLength(UnsafePointer(template.raw), UnsafeRawBufferPointer(rest)) {
      resolve(template, Bytes(rebasing: rest[..<length]), domain, sink, depth: depth + 1)
      rest = Bytes(rebasing: rest[length...])
    }
  }

  private func resolveBasic(
    _ value: Bytes, _ start: UnsafeMutableRawPointer, _ domain: Domain, _ sink: Sink, _ depth: Int
  ) {
    let id = load16(start, 1)
    let hasEnterprise = id & Wire.enterpriseBit != 0
    let header = hasEnterprise ? 9 : 5
    guard value.count >= header, depth <= limits.listDepth else { return refuse(value, at: 1, isEmpty: false) }
    let length = load16(start, 3)
    let content = Bytes(rebasing: value[header...])
    let field = TemplateRecord.Field(
      enterprise: hasEnterprise ? load32(start, 5) : 0, element: id & ~Wire.enterpriseBit, length: length)
    // Values of no length would be without number.
    guard length != 0 || content.isEmpty, let element = listElement(field), let index = reference(element, sink),
      isWhole(element.template, content)
    else { return refuse(value, at: 1, isEmpty: content.isEmpty) }
    write16(index | id & Wire.enterpriseBit, start, 1)
    guard let type = element.template.view.fields.first?.type, type >= UInt16(FLOWCEP_BASIC_LIST) else { return }
    var end = 0
    while end < content.count, let item = fieldRange(length, at: end, in: UnsafeRawBufferPointer(content)) {
      resolve(type, Bytes(rebasing: content[item]), domain, sink, depth: depth + 1)
      end = item.upperBound
    }
  }

  /// Whether records of the template fill the bytes.
  private func isWhole(_ template: Template, _ content: Bytes) -> Bool {
    var rest = UnsafeRawBufferPointer(content)
    while !rest.isEmpty {
      guard let length = recordLength(UnsafePointer(template.raw), rest) else { return false }
      rest = UnsafeRawBufferPointer(rebasing: rest[length...])
    }
    return true
  }

  private func refuse(_ bytes: Bytes, at place: Int, isEmpty: Bool) {
    guard let start = bytes.baseAddress, bytes.count >= place + 2 else { return }
    write16(UInt16(FLOWCEP_LIST_UNREADABLE) | load16(start, place) & Wire.enterpriseBit, start, place)
    if !isEmpty { pending.unreadableLists += 1 }
  }

  private func write16(_ value: UInt16, _ start: UnsafeMutableRawPointer, _ place: Int) {
    start.storeBytes(of: value.bigEndian, toByteOffset: place, as: UInt16.self)
  }

  // MARK: References

  private func listElement(_ field: TemplateRecord.Field) -> ListElement? {
    if let known = listElements[field] { return known }
    guard listElements.count < limits.describedElements else { return nil }
    let described = field.described(by: registry, described, isScope: false)
    let element = ListElement(Template(id: 0, kind: .flow, fields: [described]))
    listElements[field] = element
    return element
  }

  private func reference(_ element: ListElement, _ sink: Sink) -> UInt16? {
    if element.batchStamp != sink.stamp {
      element.batchIndex = sink.batch.index(of: element.template)
      element.batchStamp = sink.stamp
    }
    return element.batchIndex < UInt32(FLOWCEP_LIST_UNREADABLE) ? UInt16(element.batchIndex) : nil
  }

  private func reference(_ slot: TemplateTable.Slot, _ sink: Sink) -> UInt16? {
    if slot.pointee.batchStamp != sink.stamp {
      slot.pointee.batchIndex = sink.batch.index(of: slot.pointee.template)
      slot.pointee.batchStamp = sink.stamp
    }
    return slot.pointee.batchIndex < UInt32(FLOWCEP_LIST_UNREADABLE) ? UInt16(slot.pointee.batchIndex) : nil
  }
}
