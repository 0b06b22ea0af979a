import Glibc
import InformationElements
import PluginABI
import Synchronization

/// The known elements as the extension `flowcep.elements/1` gives them; made when first asked for, and kept.
final class ElementList: @unchecked Sendable {
  private let registry: ElementRegistry
  private let made = Mutex<UInt>(0)

  init(_ registry: ElementRegistry) {
    self.registry = registry
  }

  var raw: UnsafePointer<flowcep_elements>? {
    let address = made.withLock { made in
      if made == 0 { made = UInt(bitPattern: make()) }
      return made
    }
    return UnsafePointer(bitPattern: address)
  }

  private func make() -> UnsafeMutablePointer<flowcep_elements> {
    let elements = registry.elements
    let fields = UnsafeMutablePointer<flowcep_field>.allocate(capacity: max(1, elements.count))
    for (i, element) in elements.enumerated() {
      let aliases = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: element.aliases.count + 1)
      for (j, alias) in element.aliases.enumerated() { (aliases + j).initialize(to: UnsafePointer(strdup(alias))) }
      (aliases + element.aliases.count).initialize(to: nil)
      let flags = FLOWCEP_FIELD_KNOWN | (element.isReverse ? FLOWCEP_FIELD_REVERSE : 0)
      (fields + i).initialize(
        to: flowcep_field(
          enterprise: element.enterprise, element: element.id, length: 0, offset: UInt32(FLOWCEP_NO_OFFSET),
          type: element.type.rawValue, flags: UInt16(flags), name: UnsafePointer(strdup(element.name)), aliases: aliases))
    }
    let list = UnsafeMutablePointer<flowcep_elements>.allocate(capacity: 1)
    list.initialize(
      to: flowcep_elements(
        struct_size: UInt32(MemoryLayout<flowcep_elements>.size), element_stride: UInt32(MemoryLayout<flowcep_field>.stride),
        element_count: elements.count, elements: fields))
    return list
  }
}
