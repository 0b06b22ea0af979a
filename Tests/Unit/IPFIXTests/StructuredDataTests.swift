import IPFIX
import PluginABI
import Testing

/// RFC 6313: lists are read whatever they hold, and shown as bytes where they lie.
@Suite struct StructuredDataTests {
  // basicList 291, subTemplateList 292, subTemplateMultiList 293; addresses, and a list inside.
  static let inner = TemplateRecord(id: 260, fields: [.init(element: 8, length: 4), .init(element: 82, length: Wire.variableLength)])
  static let ports = TemplateRecord(id: 261, fields: [.init(element: 7, length: 2)])
  static let nested = TemplateRecord(id: 262, fields: [.init(element: 4, length: 1), .init(element: 291, length: Wire.variableLength)])

  static func outer(_ element: UInt16, length: UInt16 = Wire.variableLength) -> TemplateRecord {
    TemplateRecord(id: 300, fields: [.init(element: 4, length: 1), .init(element: element, length: length), .init(element: 11, length: 2)])
  }
  static func counted(_ bytes: [UInt8]) -> [UInt8] {
    bytes.count < 255 ? [UInt8(bytes.count)] + bytes : [255, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
  }
  static func record(_ list: [UInt8]) -> [UInt8] { [6] + counted(list) + [0, 80] }

  private func decode(_ element: UInt16, _ list: [UInt8], _ decoding: Decoding = Decoding(FLOWCEP_TRANSPORT_UDP)) -> (String, Decoding) {
    var encoder = MessageEncoder(maximumLength: 65535)
    for template in [Self.inner, Self.ports, Self.nested, Self.outer(element)] { encoder.add(template) }
    encoder.addRecord(template: 300, Self.record(list))
    decoding.decode(encoder.finish(exportTime: 1))
    return (decoding.json.first ?? "", decoding)
  }

  private func value(_ name: String, _ line: String) -> String {
    let head = "{\"@type\": \"ipfix.entry\", \"protocolIdentifier\": \"TCP\", \"\(name)\": "
    let tail = ", \"destinationTransportPort\": 80}"
    return line.hasPrefix(head) && line.hasSuffix(tail) ? String(line.dropFirst(head.count).dropLast(tail.count)) : "unexpected: \(line)"
  }

  @Test func basicListOfFixedLength() {
    let (line, decoding) = decode(291, [3, 0, 8, 0, 4, 192, 0, 2, 1, 192, 0, 2, 2])
    #expect(
      value("basicList", line)
        == #"{"@type": "basicList", "semantic": "allOf", "fieldID": "sourceIPv4Address", "data": ["192.0.2.1", "192.0.2.2"]}"#)
    #expect(decoding.counts.unreadableLists == 0)
  }

  @Test func basicListOfVariableLengthAndEnterprise() {
    let names =
      [3, 0x80, 2, 255, 255, 0, 0, 0x9a, 0x4b] + Self.counted(Array("/a".utf8))
      + Self.counted(Array(String(repeating: "b", count: 300).utf8))
    let (line, _) = decode(291, names)
    let text = value("basicList", line)
    #expect(text.hasPrefix(#"{"@type": "basicList", "semantic": "allOf", "fieldID": "HTTPRequestURL", "data": ["/a", "bbb"#))
  }

  @Test func emptyLists() {
    #expect(
      value("basicList", decode(291, [255, 0, 8, 0, 4]).0)
        == #"{"@type": "basicList", "semantic": "undefined", "fieldID": "sourceIPv4Address", "data": []}"#)
    #expect(value("subTemplateList", decode(292, [0, 1, 4]).0) == #"{"@type": "subTemplateList", "semantic": "noneOf", "data": []}"#)
    #expect(
      value("subTemplateMultiList", decode(293, [1]).0) == #"{"@type": "subTemplateMultiList", "semantic": "exactlyOneOf", "data": []}"#)
    #expect(value("subTemplateList", decode(292, [0, 9, 9]).0) == #"{"@type": "subTemplateList", "semantic": "noneOf", "data": []}"#)
  }

  @Test func subTemplateList() {
    let list = [4, 1, 4, 192, 0, 2, 1] + Self.counted(Array("eth0".utf8)) + [192, 0, 2, 2, 0]
    #expect(
      value("subTemplateList", decode(292, list).0) == #"{"@type": "subTemplateList", "semantic": "ordered", "data": "#
        + #"[{"sourceIPv4Address": "192.0.2.1", "interfaceName": "eth0"}, {"sourceIPv4Address": "192.0.2.2", "interfaceName": ""}]}"#)
  }

  @Test func subTemplateMultiList() {
    let list: [UInt8] = [2, 1, 5, 0, 8, 0, 22, 0, 25, 1, 4, 0, 9, 192, 0, 2, 1, 0, 1, 5, 0, 4]
    #expect(
      value("subTemplateMultiList", decode(293, list).0) == #"{"@type": "subTemplateMultiList", "semantic": "oneOrMoreOf", "data": "#
        + #"[[{"sourceTransportPort": 22}, {"sourceTransportPort": 25}], [{"sourceIPv4Address": "192.0.2.1", "interfaceName": ""}], []]}"#)
  }

  @Test func listsInsideLists() {
    let numbers: [UInt8] = [3, 0, 7, 0, 2, 0, 22, 0, 23]
    let list = [3, 1, 6, 17] + Self.counted(numbers) + [6] + Self.counted(numbers)
    let text = value("subTemplateList", decode(292, list).0)
    let inside = #"{"@type": "basicList", "semantic": "allOf", "fieldID": "sourceTransportPort", "data": [22, 23]}"#
    #expect(
      text == #"{"@type": "subTemplateList", "semantic": "allOf", "data": [{"protocolIdentifier": "UDP", "basicList": "# + inside
        + #"}, {"protocolIdentifier": "TCP", "basicList": "# + inside + "}]}")
    // A basicList of basicLists.
    let deep = [3, 1, 0x23, 255, 255] + Self.counted(numbers) + Self.counted(numbers)
    #expect(
      value("basicList", decode(291, deep).0)
        == #"{"@type": "basicList", "semantic": "allOf", "fieldID": "basicList", "data": [\#(inside), \#(inside)]}"#)
  }

  @Test func nestingIsBounded() {
    var list: [UInt8] = [3, 0, 7, 0, 2, 0, 22]
    for _ in 0..<40 { list = [3, 1, 0x23, 255, 255] + Self.counted(list) }
    let (line, decoding) = decode(291, list)
    #expect(decoding.counts.unreadableLists == 1)
    #expect(line.contains("\"0x") && line.hasSuffix("\"destinationTransportPort\": 80}"))
  }

  @Test(
    arguments: [
      (291, [3, 0, 8, 0, 4, 192, 0, 2]), (291, [3, 0, 8, 0, 0, 1]), (291, [3, 0, 82, 255, 255, 9, 65]), (291, [3, 0x80, 8, 0, 4]),
      (292, [3, 1, 4, 192, 0, 2, 1, 9]), (292, [3, 1, 5, 0]), (292, [3, 9, 9, 1, 2]), (292, [3, 0, 2, 1, 2]),
      (293, [3, 1, 5, 0, 7, 0, 22, 0]), (293, [3, 9, 9, 0, 6, 1, 2]), (293, [3, 1, 5, 255, 255, 0, 22]), (293, [3, 1, 5, 0, 3]),
      (291, [3, 0, 8]), (292, [3, 1]), (291, [3]),
    ] as [(UInt16, [UInt8])])
  func listsThatLie(element: UInt16, list: [UInt8]) {
    let (line, decoding) = decode(element, list)
    #expect(decoding.counts.records == 1)
    #expect(decoding.counts.unreadableLists == 1, "\(line)")
    #expect(line.hasSuffix("\"destinationTransportPort\": 80}"))
    #expect(line.contains("0x"))
    _ = decode(292, [3, 1, 5, 0, 22], decoding)
    #expect(
      value("subTemplateList", decoding.json.first ?? "")
        == #"{"@type": "subTemplateList", "semantic": "allOf", "data": [{"sourceTransportPort": 22}]}"#)
  }

  @Test func everyBytePatternOfAListIsHarmless() {
    let list = [3, 1, 6, 17] + Self.counted([3, 0, 7, 0, 2, 0, 22, 0, 23]) + [6] + Self.counted([3, 0, 82, 255, 255, 2, 65, 66])
    for element in [291, 292, 293] as [UInt16] {
      for place in list.indices {
        for value in [0, 1, 2, 3, 127, 128, 254, 255] as [UInt8] {
          var broken = list
          broken[place] = value
          let (line, _) = decode(element, broken)
          #expect(line.hasSuffix("\"destinationTransportPort\": 80}"))
        }
      }
      for length in 0...list.count { #expect(!decode(element, Array(list[..<length])).0.isEmpty) }
    }
  }
}
