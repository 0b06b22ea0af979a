public import InformationElements
import PluginABI
public import RecordBatch

extension TemplateRecord {
  /// The template with the names and types that the registry knows. An element that it does not know is an octet array
  /// named by its numbers.
  ///
  /// A length that the type cannot have (an IPv4 address of 3 bytes) makes the field an octet array under its own name: the bytes
  /// are shown as they are rather than misread.
  public func resolved(with registry: ElementRegistry) -> Template { template(described(with: registry, DescribedElements())) }

  func described(with registry: ElementRegistry, _ exporter: DescribedElements) -> [Template.Field] {
    fields.enumerated().map { $1.described(by: registry, exporter, isScope: $0 < scopeCount) }
  }

  func template(_ described: [Template.Field]) -> Template {
    Template(id: id, kind: isOptions ? .options : .flow, fields: described, scopeCount: min(scopeCount, fields.count))
  }
}

extension TemplateRecord.Field {
  /// - Parameter exporter: what the exporter has described itself (RFC 5610).
  func described(
    by registry: ElementRegistry, _ exporter: DescribedElements = DescribedElements(), isScope: Bool
  ) -> Template.Field {
    var flags: UInt16 = isScope ? UInt16(FLOWCEP_FIELD_SCOPE) : 0
    guard let known = registry.element(enterprise: enterprise, id: element) ?? exporter.element(enterprise: enterprise, id: element)
    else {
      return Template.Field(
        enterprise: enterprise, element: element, length: length, type: AbstractType.octetArray.rawValue, flags: flags,
        name: Element.unknownName(enterprise: enterprise, id: element))
    }
    flags |= UInt16(FLOWCEP_FIELD_KNOWN)
    if known.isReverse { flags |= UInt16(FLOWCEP_FIELD_REVERSE) }
    let type = length == Wire.variableLength || known.type.fits(length: length) ? known.type : .octetArray
    return Template.Field(
      enterprise: enterprise, element: element, length: length, type: type.rawValue, flags: flags, name: known.name,
      aliases: known.aliases)
  }
}

extension AbstractType {
  /// Whether a value of the type may have that many bytes (RFC 7011 §6.2: integers may be reduced, float64 to float32).
  /// Integers longer than their type, as some exporters send them, are read as well.
  fileprivate func fits(length: UInt16) -> Bool {
    switch self {
    case .octetArray, .string, .basicList, .subTemplateList, .subTemplateMultiList: true
    case .float32, .float64: length == 4 || length == 8
    case .macAddress, .ipv4Address, .ipv6Address, .boolean, .dateTimeSeconds, .dateTimeMilliseconds, .dateTimeMicroseconds,
      .dateTimeNanoseconds:
      fullLength == Int(length)
    default: (1...8).contains(length)
    }
  }
}
