import InformationElements
import Testing

@Suite struct RegistryTests {
  let registry = ElementRegistry([
    Element(id: 1, name: "octetDeltaCount", type: .unsigned64, semantics: .deltaCounter, units: "octets"),
    Element(id: 8, name: "sourceIPv4Address", type: .ipv4Address),
    Element(enterprise: 39499, id: 2, scope: "flowmon", name: "HTTPRequestURL", aliases: ["httpUrl"], type: .string),
    Element(enterprise: 6871, id: 122, scope: "cert", name: "httpUrl", type: .string),
    Element(enterprise: 6871, id: 14, scope: "cert", name: "initialTCPFlags", type: .unsigned16),
    Element(enterprise: 9, id: 8, scope: "cisco", name: "octetDeltaCount", type: .unsigned32),
  ])

  @Test func findsByNumber() {
    #expect(registry.element(enterprise: 0, id: 8)?.name == "sourceIPv4Address")
    #expect(registry.element(enterprise: 39499, id: 2)?.type == .string)
    #expect(registry.element(enterprise: 39499, id: 3) == nil)
  }

  @Test(
    arguments: [
      ("octetDeltaCount", 0, 1), ("iana:octetDeltaCount", 0, 1), ("cisco:octetDeltaCount", 9, 8), ("HTTPRequestURL", 39499, 2),
      ("httpUrl", 39499, 2), ("flowmon:httpUrl", 39499, 2), ("cert:httpUrl", 6871, 122), ("reverseOctetDeltaCount", 29305, 1),
      ("octetDeltaCount@reverse", 29305, 1), ("iana:reverseOctetDeltaCount", 29305, 1), ("reverseInitialTCPFlags", 6871, 16398),
    ] as [(String, UInt32, UInt16)])
  func findsByName(name: String, enterprise: UInt32, id: UInt16) {
    let found = registry.element(named: name)
    #expect(found?.enterprise == enterprise)
    #expect(found?.id == id)
  }

  @Test(arguments: ["octetdeltacount", "flowmon:octetDeltaCount", "nosuch:httpUrl", "reverse", "reverseHttpUrl", ""])
  func findsNothing(name: String) {
    #expect(registry.element(named: name) == nil)
  }

  @Test func reverseElementsDerive() {
    let reverse = registry.element(enterprise: 29305, id: 1)
    #expect(reverse?.name == "reverseOctetDeltaCount")
    #expect(reverse?.aliases == ["octetDeltaCount@reverse"])
    #expect(reverse?.isReverse == true)
    #expect(reverse?.type == .unsigned64)
    #expect(registry.element(enterprise: 29305, id: 2) == nil)
    #expect(registry.element(enterprise: 6871, id: 16398)?.name == "reverseInitialTCPFlags")
  }

  @Test func laterOnesReplaceAndKeepTheNames() {
    let own = ElementRegistry(
      registry.elements + [Element(enterprise: 39499, id: 2, scope: "mine", name: "url", type: .octetArray)])
    let found = own.element(enterprise: 39499, id: 2)
    #expect(found?.name == "url")
    #expect(found?.aliases == ["HTTPRequestURL", "httpUrl"])
    #expect(own.element(named: "httpUrl")?.name == "url")
    #expect(own.element(named: "mine:url")?.type == .octetArray)
    #expect(own.elements.count == registry.elements.count)
  }

  @Test func typesHaveNamesAndNumbers() {
    #expect(AbstractType(name: "ipv6address") == .ipv6Address)
    #expect(AbstractType(name: "unsigned7") == nil)
    #expect(AbstractType.subTemplateMultiList.rawValue == 22)
    #expect(AbstractType.allCases.allSatisfy { AbstractType(name: $0.name) == $0 })
    #expect(Semantics(name: "snmpGauge")?.rawValue == 8)
  }
}
