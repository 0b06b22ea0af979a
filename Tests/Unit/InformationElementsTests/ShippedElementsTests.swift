import Configuration
import Diagnostics
import Foundation
import InformationElements
import TestSupport
import Testing

/// The files of `config/elements`, as they ship.
@Suite struct ShippedElementsTests {
  static let shipped: (registry: ElementRegistry, diagnostics: DiagnosticList) = {
    var diagnostics = DiagnosticList()
    let folder = SharedFolder.repository.appendingPathComponent("config/elements").path
    let elements = ElementFiles.read(ElementFiles.files(in: folder), into: &diagnostics)
    return (ElementRegistry(elements), diagnostics)
  }()

  @Test func haveNoMistakes() {
    #expect(Self.shipped.diagnostics.all.isEmpty)
    #expect(Self.shipped.registry.elements.count == 1761)
  }

  @Test(
    arguments: [
      ("flowStartMilliseconds", 0, 152, .dateTimeMilliseconds), ("flowmon:HTTPRequestURL", 39499, 2, .string),
      ("httpUrl", 39499, 2, .string),
      ("flowmon:HTTPRequestHost", 39499, 1, .string), ("tcpControlBits", 0, 6, .unsigned16), ("srhSegmentsIPv6Left", 0, 498, .unsigned8),
      ("vmware:tenantSourceIPv4", 6876, 881, .ipv4Address), ("DNSName", 8057, 2, .string),
      ("reverseFlowStartMilliseconds", 29305, 152, .dateTimeMilliseconds),
    ] as [(String, UInt32, UInt16, AbstractType)])
  func answer(name: String, enterprise: UInt32, id: UInt16, type: AbstractType) {
    let found = Self.shipped.registry.element(named: name)
    #expect(found?.enterprise == enterprise)
    #expect(found?.id == id)
    #expect(found?.type == type)
  }

  @Test func ianaIsComplete() {
    let iana = Self.shipped.registry.elements.filter { $0.enterprise == 0 }
    #expect(iana.count == 481)
    #expect(iana.allSatisfy { $0.scope == "iana" })
    #expect(Self.shipped.registry.element(named: "sourceIPv4Address")?.id == 8)
  }
}
