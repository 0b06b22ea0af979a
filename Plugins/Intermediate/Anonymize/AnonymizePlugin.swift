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
    replace(writable, wanted)
    try host.emit(writable)
  }

  private func replace(_ batch: Batch, _ wanted: [[AddressField]]) {
    let bytes = UnsafeMutableRawPointer(mutating: batch.bytes)
    for record in batch.records {
      for field in wanted[Int(record.template_index)] {
        let address = bytes + (field.locator.bytes(in: batch.bytes(of: record)).baseAddress.map { $0 - batch.bytes } ?? 0)
        switch (method, field.isIPv6) {
        case (.cryptoPAn(let cipher), false): cipher.addIPv4(address)
        case (.cryptoPAn(let cipher), true): cipher.addIPv6(address)
        case (.truncation, false): address.storeBytes(of: 0, toByteOffset: 2, as: UInt16.self)
        case (.truncation, true): address.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        }
      }
    }
    if case .cryptoPAn(let cipher) = method { cipher.flush() }
  }

  private func fields(of template: TemplateView) -> [AddressField] {
    if let known = fields[template.serial] { return known }
    if fields.count >= Self.keptTemplates { fields.removeAll() }
    let named = Set(elements.compactMap { template.fieldIndices(named: $0) }.joined())
    let found = (0..<template.fieldCount).compactMap { index in
      elements.isEmpty || named.contains(index) ? AddressField(template, index) : nil
    }
    fields[template.serial] = found
    return found
  }
}

/// An address in the records of one template.
struct AddressField {
  let locator: FieldLocator
  let isIPv6: Bool

  /// Nil where the field is no address of the right length.
  init?(_ template: TemplateView, _ index: Int) {
    let field = template.fields[index]
    switch (Int(field.type), field.length) {
    case (FLOWCEP_IPV4_ADDRESS, 4): isIPv6 = false
    case (FLOWCEP_IPV6_ADDRESS, 16): isIPv6 = true
    default: return nil
    }
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
