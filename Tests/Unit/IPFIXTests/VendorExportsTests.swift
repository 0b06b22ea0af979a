import PluginABI
import Testing

/// Messages like those that vendors' exporters send: what their templates look like, what they pad, which numbers they use.
@Suite struct VendorExportsTests {
  private typealias F = Export.Field
  private let a: [UInt8] = [192, 0, 2, 1]
  private let b: [UInt8] = [198, 51, 100, 7]
  private let any = Export.variable

  /// Decodes a datagram; each record is a line that must say all of its texts.
  private func expect(_ message: [UInt8], _ records: [[String]], _ place: SourceLocation = #_sourceLocation) {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(message)
    let lines = decoding.json
    #expect(lines.count == records.count, "\(lines)", sourceLocation: place)
    for (line, texts) in zip(lines, records) {
      for text in texts { #expect(line.contains(text), "no \(text) in \(line)", sourceLocation: place) }
    }
  }

  private func n(_ value: UInt64, _ bytes: Int) -> [UInt8] { Export.number(value, bytes) }

  @Test func routerWithSamplersAndInterfaceNames() {
    // Two templates in one set, an options template that is padded, sampler and interface tables between the data.
    let templates = Export.set(
      0, Export.template(256, [F(8, 4), F(12, 4), F(10, 2), F(6, 1), F(4, 1), F(48, 1)]), Export.template(257, [F(27, 16), F(31, 3)]))
    let options = Export.set(1, padded: true, Export.options9(258, scopes: [F(1, 4)], [F(48, 1), F(49, 1), F(50, 4), F(84, 8)]))
    let interfaces = Export.set(1, padded: true, Export.options9(259, scopes: [F(2, 4)], [F(82, 16)]))
    let flow = a + b + n(3, 2) + [0x1b, 6, 1]
    expect(
      Export.version9(
        templates, options, interfaces, Export.set(256, padded: true, flow, flow),
        Export.set(258, padded: true, n(0, 4), [1, 2], n(100, 4), Export.text("SAMPLER", 8)),
        Export.set(259, n(3, 4), Export.text("TenGigE0/0/0/7", 16)),
        Export.set(257, padded: true, [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1], n(0x12345, 3))),
      [
        ["\"ingressInterface\": 3", "\"samplerId\": 1"], ["\"sourceIPv4Address\": \"192.0.2.1\""],
        ["\"samplerMode\": 2", "\"samplerRandomInterval\": 100", "SAMPLER"], ["\"ingressInterface\": 3", "TenGigE0/0/0/7"],
        ["\"sourceIPv6Address\": \"2001:db8::1\"", "\"flowLabelIPv6\": 74565"],
      ])
  }

  @Test func firewallWithEventsAndAccessLists() {
    let fields = [F(148, 4), F(8, 4), F(225, 4), F(227, 2), F(233, 1), F(33002, 2), F(323, 8), F(33000, 12), F(40000, 20)]
    let record = n(8500, 4) + a + [203, 0, 113, 5] + n(40000, 2) + [2] + n(2030, 2) + n(1_700_000_000_123, 8) + (1...12).map(UInt8.init)
    expect(
      Export.version9(Export.set(0, Export.template(263, fields)), Export.set(263, padded: true, record, Export.text("DOM\\alice", 20))),
      [
        [
          "\"flowId\": 8500", "\"postNATSourceIPv4Address\": \"203.0.113.5\"", "\"postNAPTSourceTransportPort\": 40000",
          "\"firewallEvent\": 2",
          "\"firewallEventExtended\": 2030", "\"observationTimeMilliseconds\": 1700000000123",
          "\"ingressAclId\": \"0x0102030405060708090a0b0c\"",
          "\"userName\": \"DOM\\\\alice",
        ]
      ])
  }

  @Test func firewallWithTheNumbersBeforeIANA() {
    let fields = [F(40001, 4), F(40002, 4), F(40003, 2), F(40004, 2), F(40005, 1)]
    expect(
      Export.version9(Export.set(0, Export.template(264, fields)), Export.set(264, padded: true, a, b, n(1024, 2), n(80, 2), [2])),
      [
        [
          "\"postNATSourceIPv4Address\": \"192.0.2.1\"", "\"postNATDestinationIPv4Address\": \"198.51.100.7\"",
          "\"postNAPTSourceTransportPort\": 1024", "\"postNAPTDestinationTransportPort\": 80", "\"firewallEvent\": 2",
        ]
      ])
  }

  @Test func firewallWithApplicationsAndUsers() {
    let fields = [F(8, 4), F(346, 4), F(56701, 32), F(56702, 64)]
    expect(
      Export.version9(
        Export.set(0, Export.template(257, fields)),
        Export.set(257, a, n(25461, 4), Export.text("web-browsing", 32), Export.text("corp\\bob", 64))),
      [["\"privateEnterpriseNumber\": 25461", "\"appId\": \"web-browsing", "\"userId\": \"corp\\\\bob"]])
  }

  @Test func firewallWithApplicationsInOptions() {
    let flows = Export.set(0, Export.template(258, [F(1, 8), F(95, 9), F(65, 2), F(89, 1), F(8, 4)]))
    let options = Export.set(1, padded: true, Export.options9(256, scopes: [F(1, 2)], [F(95, 9), F(96, 24)]))
    expect(
      Export.version9(
        flows, options, Export.set(258, padded: true, n(5, 8), [20, 0, 0, 0x30, 0x44, 0, 0, 0x40, 0x3c], n(1, 2), [64], a),
        Export.set(256, padded: true, n(0, 2), [20, 0, 0, 0x30, 0x44, 0, 0, 0x40, 0x3c], Export.text("HTTPS.BROWSER", 24))),
      [["\"octetDeltaCount\": 5", "\"applicationId\": \"0x14000030440000403c\"", "\"forwardingStatus\": 64"], ["HTTPS.BROWSER"]])
  }

  @Test func carrierRouterWithoutPadding() {
    let fields = [F(8, 4), F(16, 4), F(1, 8), F(52, 1), F(152, 8), F(243, 2)]
    let options = Export.options(512, scopes: [F(149, 4)], [F(160, 8), F(34, 4), F(130, 4), F(131, 16)])
    expect(
      Export.ipfix(
        Export.set(2, Export.template(256, fields)), Export.set(3, options),
        Export.set(256, a, n(4_200_000_000, 4), n(1 << 40, 8), [63], n(1_700_000_000_001, 8), n(100, 2)),
        Export.set(512, n(1, 4), n(1_600_000_000_000, 8), n(1000, 4), [10, 9, 8, 7], [UInt8](repeating: 0, count: 16))),
      [
        ["\"bgpSourceAsNumber\": 4200000000", "\"octetDeltaCount\": 1099511627776", "\"minimumTTL\": 63", "\"dot1qVlanId\": 100"],
        ["\"samplingInterval\": 1000", "\"systemInitTimeMilliseconds\": 1600000000000", "\"exporterIPv6Address\": \"::\""],
      ])
  }

  @Test func scopeWithoutLength() {
    let options = Export.set(1, padded: true, Export.options9(576, scopes: [F(1, 0)], [F(34, 4), F(36, 2), F(37, 2)]))
    expect(
      Export.version9(options, Export.set(576, n(100, 4), n(60, 2), n(30, 2))),
      [["\"samplingInterval\": 100", "\"flowActiveTimeout\": 60", "\"flowIdleTimeout\": 30"]])
  }

  @Test func virtualSwitchWithTenants() {
    let fields = [F(8, 4), F(880, 1, of: 6876), F(881, 4, of: 6876), F(887, 2, of: 6876), F(210, 1), F(239, 1), F(351, 8)]
    expect(
      Export.ipfix(
        Export.set(2, Export.template(256, fields)),
        Export.set(256, padded: true, a, [6, 10, 0, 0, 1], n(443, 2), [0, 1], n(1 << 56 + 5, 8))),
      [
        [
          "\"tenantProtocol\": 6", "\"tenantSourceIPv4\": \"10.0.0.1\"", "\"tenantDestPort\": 443", "\"biflowDirection\": 1",
          "\"layer2SegmentId\": \(1 << 56 + 5)",
        ]
      ])
  }

  @Test func probeWithBothDirectionsAndAListOfHeaders() {
    let flows = Export.template(45873, [F(1, 8), F(1, 8, of: 29305), F(8, 4), F(293, any)])
    let headers = Export.template(49155, [F(184, 4), F(184, 4, of: 29305), F(14, 1, of: 6871), F(16398, 1, of: 6871)])
    let list: [UInt8] = [3] + n(49155, 2) + n(14, 2) + n(1, 4) + n(2, 4) + [2, 18]
    expect(
      Export.ipfix(Export.set(2, flows, headers), Export.set(45873, n(100, 8), n(200, 8), a, Export.value(list, long: true))),
      [
        [
          "\"octetDeltaCount\": 100", "\"reverseOctetDeltaCount\": 200", "\"@type\": \"subTemplateMultiList\"", "\"tcpSequenceNumber\": 1",
          "\"reverseTcpSequenceNumber\": 2", "\"initialTCPFlags\": 2", "\"reverseInitialTCPFlags\": 18",
        ]
      ])
  }

  @Test func applicationVisibilityWithVariableLengths() {
    let fields = [F(95, any), F(12235, any, of: 9), F(12236, 4, of: 9), F(234, 4), F(8, 4)]
    expect(
      Export.ipfix(
        Export.set(2, Export.template(266, fields)),
        Export.set(266, Export.value([3, 0, 0, 80]), Export.value("example.com", long: true), a, n(1, 4), b),
        Export.set(266, Export.value([UInt8]()), Export.value(String(repeating: "h", count: 300)), a, n(2, 4), b)),
      [
        ["\"appHTTPHost\": \"example.com\"", "\"clientIPv4Address\": \"192.0.2.1\"", "\"ingressVRFID\": 1"],
        [String(repeating: "h", count: 300), "\"applicationId\": null", "\"ingressVRFID\": 2"],
      ])
  }

  @Test func enterprisesThatNobodyKnows() {
    for enterprise in [637, 2636, 3054, 8741, 10704, 12276, 15397, 26866, 35632, 41916] as [UInt32] {
      let template = Export.template(256, [F(8, 4), F(1, any, of: enterprise), F(32767, 4, of: enterprise)])
      expect(
        Export.ipfix(Export.set(2, template), Export.set(256, padded: true, a, Export.value("text"), n(5, 4))),
        [["\"e\(enterprise)id1\": \"0x74657874\"", "\"e\(enterprise)id32767\": \"5\""]])
    }
  }

  @Test func countersOfThreeBytesAndOne() {
    let fields = [F(22, 4), F(1, 3), F(2, 1), F(8, 4), F(10, 2)]
    expect(
      Export.version9(Export.set(0, Export.template(260, fields)), Export.set(260, padded: true, n(1, 4), n(70000, 3), [5], a, n(1, 2))),
      [["\"octetDeltaCount\": 70000", "\"packetDeltaCount\": 5"]])
  }

  @Test func zerosBehindTheLastSetOfAMessageInAFile() {
    // A file says nothing of where datagrams end; what is nothing but zeros belongs to the message before.
    let message = Export.version9(Export.set(0, Export.template(256, [F(8, 4)])), Export.set(256, a))
    for zeros in [0, 4, 6, 8, 21] {
      let one = message + [UInt8](repeating: 0, count: zeros)
      #expect(
        Decoding.datagrams(one + one + NetFlowTests.message5(count: 1)) == [one, one, NetFlowTests.message5(count: 1)], "\(zeros) zeros")
    }
  }

  @Test func carrierRouterWithLabelsAndInstances() {
    let fields = [F(70, 3), F(71, 3), F(46, 1), F(47, 4), F(90, 8), F(91, 1), F(234, 4), F(89, 1), F(61, 1)]
    let names = Export.set(1, padded: true, Export.options9(257, scopes: [F(1, 4)], [F(234, 4), F(236, 16)]))
    expect(
      Export.version9(
        Export.set(0, Export.template(258, fields)), names,
        Export.set(258, padded: true, n(0x0186a1, 3), n(0x0186b0, 3), [5], b, n(0x0000_fde8_0000_0064, 8), [24], n(1, 4), [64, 1]),
        Export.set(257, n(0, 4), n(1, 4), Export.text("CUSTOMER-A", 16))),
      [
        [
          "\"mplsTopLabelStackSection\": \"0x0186a1\"", "\"mplsLabelStackSection2\": \"0x0186b0\"", "\"mplsTopLabelType\": 5",
          "\"mplsTopLabelIPv4Address\": \"198.51.100.7\"", "\"mplsTopLabelPrefixLength\": 24", "\"ingressVRFID\": 1",
          "\"flowDirection\": 1",
        ],
        ["\"ingressVRFID\": 1", "\"VRFname\": \"CUSTOMER-A"],
      ])
  }

  @Test func translatorWithEventsAndBlocksOfPorts() {
    let fields = [
      F(230, 1), F(323, 8), F(234, 4), F(4, 1), F(8, 4), F(225, 4), F(7, 2), F(227, 2), F(229, 1), F(361, 2), F(362, 2), F(363, 2),
      F(283, 4),
    ]
    let record =
      [4] + n(1_700_000_000_123, 8) + n(0, 4) + [17] + a + b + n(1, 2) + n(2, 2) + [1] + n(1024, 2) + n(2047, 2) + n(1, 2) + n(9, 4)
    for message in [
      Export.version9(Export.set(0, Export.template(259, fields)), Export.set(259, padded: true, record)),
      Export.ipfix(Export.set(2, Export.template(259, fields)), Export.set(259, record)),
    ] {
      expect(
        message,
        [
          [
            "\"natEvent\": 4", "\"observationTimeMilliseconds\": 1700000000123", "\"postNATSourceIPv4Address\": \"198.51.100.7\"",
            "\"postNAPTSourceTransportPort\": 2", "\"natOriginatingAddressRealm\": 1", "\"portRangeStart\": 1024", "\"portRangeEnd\": 2047",
            "\"portRangeStepSize\": 1", "\"natPoolId\": 9",
          ]
        ])
    }
  }

  @Test func wirelessControllerWithStations() {
    let fields = [F(365, 6), F(367, 6), F(366, 4), F(147, 33), F(61, 1), F(95, 4), F(195, 1)]
    let record = [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187] + a + Export.text("SSID-x", 33) + [1] + n(0x0d00_0001, 4) + [46]
    expect(
      Export.version9(Export.set(0, Export.template(261, fields)), Export.set(261, padded: true, record)),
      [
        [
          "\"staMacAddress\": \"00:11:22:33:44:55\"", "\"wtpMacAddress\": \"66:77:88:99:aa:bb\"", "\"staIPv4Address\": \"192.0.2.1\"",
          "\"wlanSSID\": \"SSID-x", "\"applicationId\": \"218103809\"", "\"ipDiffServCodePoint\": 46",
        ]
      ])
  }

  @Test func probeWithListsInLists() {
    // A list of many templates holds a list of names, each of which holds a list of addresses, one of them empty.
    let templates = Export.set(
      2, Export.template(0xb000, [F(8, 4), F(293, any)]), Export.template(0xc600, [F(292, any)]),
      Export.template(0xcf00, [F(199, 4, of: 6871), F(175, 2, of: 6871), F(179, any, of: 6871), F(292, any)]),
      Export.template(0xce00, [F(8, 4)]))
    let one: [UInt8] = n(3600, 4) + n(1, 2) + Export.value("www.example.org.") + Export.value([3] + n(0xce00, 2) + a)
    let two: [UInt8] = n(60, 4) + n(28, 2) + Export.value("b.") + Export.value([3] + n(0xce00, 2))
    let inner: [UInt8] = Export.value([3] + n(0xcf00, 2) + one + two)
    let outer: [UInt8] = [3] + n(0xc600, 2) + n(UInt64(4 + inner.count), 2) + inner
    expect(
      Export.ipfix(templates, Export.set(0xb000, a, Export.value(outer, long: true))),
      [
        [
          "\"dnsTTL\": 3600, \"dnsQRType\": 1, \"dnsQName\": \"www.example.org.\"", "\"data\": [{\"sourceIPv4Address\": \"192.0.2.1\"}]",
          "\"dnsQName\": \"b.\"", "\"data\": []",
        ]
      ])
  }
}
