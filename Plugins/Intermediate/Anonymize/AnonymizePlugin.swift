import CryptoPAn
public import PluginABI
import PluginKit
import RecordBatch

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  intermediateEntry(hostVersion, AnonymizeOptions.description) { host, options throws(PluginError) in
    try AnonymizePlugin(host, options)
  }
}

/// Replaces the addresses of each record in place.
final class AnonymizePlugin: IntermediatePlugin {
  private let host: Host
  private let method: AnonymizeMethod
  /// The only elements to replace; none: all addresses.
  private let elements: [String]
  /// The address fields of each template, by serial.
  private var fields: [UInt64: [AddressField]] = [:]

  private static let keptTemplates = 4096

  init(_ host: Host, _ options: Options) throws(PluginError) {
    self.host = host
    method = try AnonymizeMethod(options)
    elements = options.texts("element")
  }

  func process(_ batch: Batch) throws(PluginError) {
    let wanted = (0..<batch.templateCount).map { fields(of: batch.template(at: $0)) }
    guard wanted.contains(where: { !$0.isEmpty }) else { return try host.emit(batch) }
    let writable = try host.makeWritable(batch)
    switch method {
    case .cryptoPAn(let cipher):
      forEachAddress(writable, wanted) { address, isIPv6 in
        if isIPv6 { cipher.addIPv6(address) } else { cipher.addIPv4(address) }
      }
      cipher.flush()
    case .truncation:
      forEachAddress(writable, wanted) { address, isIPv6 in
        if isIPv6 {
          address.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        } else {
          address.storeBytes(of: 0, toByteOffset: 2, as: UInt16.self)
        }
      }
    }
    try host.emit(writable)
  }

  /// - Parameter wanted: the address fields by template index.
  @inline(__always)
  private func forEachAddress(_ batch: Batch, _ wanted: [[AddressField]], _ body: (UnsafeMutableRawPointer, Bool) -> Void) {
    let bytes = UnsafeMutableRawPointer(mutating: batch.bytes)
    // One flat list for all templates: an array in an array would cost a reference count for each record.
    let flat = wanted.flatMap { $0.map { (offset: $0.offset, isIPv6: $0.isIPv6) } }
    let starts = wanted.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    flat.withUnsafeBufferPointer { flat in
      starts.withUnsafeBufferPointer { starts in
        for record in batch.records {
          let template = Int(record.template_index)
          for index in starts[template]..<starts[template + 1] {
            let field = flat[index]
            let start = bytes + Int(record.offset)
            body(field.offset >= 0 ? start + field.offset : place(wanted[template][index - starts[template]], start), field.isIPv6)
          }
        }
      }
    }
  }

  /// Behind a field of variable length.
  private func place(_ field: AddressField, _ record: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    let found = field.locator.bytes(in: record).baseAddress ?? UnsafeRawPointer(record)
    return record + (found - UnsafeRawPointer(record))
  }

  private func fields(of template: TemplateView) -> [AddressField] {
    if let known = fields[template.serial] { return known }
    if fields.count >= Self.keptTemplates { fields.removeAll() }
    let named = Set(elements.flatMap { template.fieldIndices(named: $0) })
    let found = (0..<template.fieldCount).compactMap { index in
      elements.isEmpty || named.contains(index) ? AddressField(template, index) : nil
    }
    fields[template.serial] = found
    return found
  }
}

/// An address in the records of one template.
struct AddressField {
  /// From the record's first byte; -1 behind a field of variable length.
  let offset: Int
  let isIPv6: Bool
  let locator: FieldLocator

  /// Nil where the field is no address of the right length.
  init?(_ template: TemplateView, _ index: Int) {
    let field = template.fields[index]
    switch (Int(field.type), field.length) {
    case (FLOWCEP_IPV4_ADDRESS, 4): isIPv6 = false
    case (FLOWCEP_IPV6_ADDRESS, 16): isIPv6 = true
    default: return nil
    }
    offset = field.offset == FLOWCEP_NO_OFFSET ? -1 : Int(field.offset)
    locator = FieldLocator(template, field: index)
  }
}

extension TemplateView {
  /// All fields that answer to a name: an element may repeat.
  func fieldIndices(named name: String) -> [Int] {
    guard let first = fieldIndex(named: name) else { return [] }
    let (enterprise, element) = (fields[first].enterprise, fields[first].element)
    return fields.indices.filter { fields[$0].enterprise == enterprise && fields[$0].element == element }
  }
}
