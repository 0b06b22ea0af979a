import PluginABI
import RecordBatch
import RecordJSON
import Testing

@Suite("JSON of records")
struct RecordTests {
  private let port = Fixture.Field("destinationTransportPort", FLOWCEP_UNSIGNED16, 2, element: 11)

  @Test("fields in the template's order, with the prefix")
  func order() {
    let url = Fixture.Field.variable("HTTPRequestURL", FLOWCEP_STRING)
    let batch = Fixture.batch([url, port], records: [[3, 47, 97, 34, 0, 80], [0, 1, 187], [255, 0, 2, 104, 105, 0, 22]])
    #expect(
      Fixture.lines(batch) == [
        #"{"@type": "ipfix.entry", "ipfix.HTTPRequestURL": "/a\"", "ipfix.destinationTransportPort": 80}"#,
        #"{"@type": "ipfix.entry", "ipfix.HTTPRequestURL": "", "ipfix.destinationTransportPort": 443}"#,
        #"{"@type": "ipfix.entry", "ipfix.HTTPRequestURL": "hi", "ipfix.destinationTransportPort": 22}"#,
      ])
    #expect(
      Fixture.lines(batch) { $0.prefix = "" }.first
        == #"{"@type": "ipfix.entry", "HTTPRequestURL": "/a\"", "destinationTransportPort": 80}"#)
    #expect(Fixture.lines(batch) { $0.prefix = "a\"b." }.last?.contains(#""a\"b.HTTPRequestURL": "hi""#) == true)
  }

  @Test("unknown elements are left out or named by PEN and id")
  func unknown() {
    let fields = [Fixture.Field("e9id7", FLOWCEP_OCTET_ARRAY, 3, enterprise: 9, element: 7, known: false), port]
    let batch = Fixture.batch(fields, records: [[1, 2, 3, 0, 80]])
    #expect(Fixture.lines(batch) == [#"{"@type": "ipfix.entry", "ipfix.destinationTransportPort": 80}"#])
    #expect(
      Fixture.lines(batch) { $0.ignoresUnknown = false } == [
        #"{"@type": "ipfix.entry", "ipfix.e9id7": "0x010203", "ipfix.destinationTransportPort": 80}"#
      ])
    let nothing = Fixture.batch([fields[0]], records: [[1, 2, 3]])
    #expect(Fixture.lines(nothing) == [#"{"@type": "ipfix.entry"}"#])
  }

  @Test("an element that repeats becomes an array at its first place")
  func repeats() {
    let label = Fixture.Field("mplsLabel", FLOWCEP_UNSIGNED8, 1)
    let batch = Fixture.batch([label, port, label, label], records: [[1, 0, 80, 2, 3]])
    #expect(Fixture.lines(batch) == [#"{"@type": "ipfix.entry", "ipfix.mplsLabel": [1, 2, 3], "ipfix.destinationTransportPort": 80}"#])
    let address = Fixture.Field("a", FLOWCEP_IPV4_ADDRESS, 4)
    let text = Fixture.batch([address, address], records: [[1, 2, 3, 4, 5, 6, 7, 8]])
    #expect(Fixture.lines(text) == [#"{"@type": "ipfix.entry", "ipfix.a": ["1.2.3.4", "5.6.7.8"]}"#])
  }

  @Test("TCP flags and protocols")
  func special() {
    let fields = [
      Fixture.Field("tcpControlBits", FLOWCEP_UNSIGNED16, 2, element: 6),
      Fixture.Field("protocolIdentifier", FLOWCEP_UNSIGNED8, 1, element: 4),
    ]
    let batch = Fixture.batch(fields, records: [[0xff, 0x1b, 6], [0, 0, 255], [0, 63, 135]])
    let head = #"{"@type": "ipfix.entry", "ipfix.tcpControlBits": "#
    #expect(
      Fixture.lines(batch) { $0.formatsTCPFlags = true } == [
        head + #"".AP.SF", "ipfix.protocolIdentifier": "TCP"}"#, head + #""......", "ipfix.protocolIdentifier": "255"}"#,
        head + #""UAPRSF", "ipfix.protocolIdentifier": "Mobility-Header"}"#,
      ])
    #expect(
      Fixture.lines(batch) { $0.namesProtocols = false } == [
        head + #"65307, "ipfix.protocolIdentifier": 6}"#, head + #"0, "ipfix.protocolIdentifier": 255}"#,
        head + #"63, "ipfix.protocolIdentifier": 135}"#,
      ])
  }

  @Test("metadata, observation domain and details of the message")
  func extras() {
    let batch = Fixture.batch([port], records: [[0, 80]])
    let line = Fixture.lines(batch) {
      $0.metadata = true
      $0.observationDomain = true
      $0.detailedInfo = true
    }
    let head = #"{"@type": "ipfix.entry", "ipfix.destinationTransportPort": 80, "ipfix.metadata": "#
    let metadata = #"{"srcAS": "0", "dstAS": "0", "srcCountry": "0", "dstCountry": "0", "srcName": "", "dstName": "", "profiles": []}"#
    let details =
      #", "ipfix.odid": 77, "ipfixcol.packet_length": 1402, "ipfixcol.export_time": 1523546564, "ipfixcol.sequence_number": 4000000000, "ipfixcol.template_id": 300}"#
    #expect(line == [head + metadata + details])
  }

  @Test("a detection has its columns, typed, and its type last")
  func detection() {
    let fields = [
      Fixture.Field("attacker", FLOWCEP_IPV4_ADDRESS, 4), Fixture.Field.variable("url", FLOWCEP_STRING),
      Fixture.Field("count", FLOWCEP_SIGNED64, 8),
      Fixture.Field("rate", FLOWCEP_FLOAT64, 8), Fixture.Field("host", FLOWCEP_STRING, 0, null: true),
      Fixture.Field("isNew", FLOWCEP_BOOLEAN, 1),
      Fixture.Field("timestamp", FLOWCEP_DATE_TIME_MILLISECONDS, 8),
    ]
    let record =
      [59, 2, 153, 68, 2, 47, 0] + Fixture.bigEndian(Int64(-5)) + Fixture.bigEndian((2.0).bitPattern) + [1]
      + Fixture.bigEndian(UInt64(1_523_546_560_338))
    let batch = Fixture.batch(fields, records: [record], kind: .detection, name: "Brute\"Force")
    let expected =
      #"{"attacker": "59.2.153.68", "url": "/\u0000", "count": -5, "rate": 2.0, "host": null, "isNew": true, "timestamp": "2018-04-12T15:22:40.338Z", "type": "Brute\"Force"}"#
    for escapes in [true, false] { #expect(Fixture.lines(batch) { $0.escapesNonPrintable = escapes } == [expected]) }
    let empty = Fixture.batch([], records: [[]], kind: .detection, name: "E")
    #expect(Fixture.lines(empty) == [#"{"type": "E"}"#])
    let own = Fixture.batch([.variable("type", FLOWCEP_STRING)], records: [[1, 97]], kind: .detection, name: "E")
    #expect(Fixture.lines(own) == [#"{"type": "a"}"#])
  }

  @Test("an array of a detection is written as it is")
  func array() {
    var field = Fixture.Field.variable("tags", FLOWCEP_STRING)
    field.flags |= UInt32(FLOWCEP_FIELD_JSON)
    let text = Array(#"["a\"b",1]"#.utf8)
    let batch = Fixture.batch([field], records: [[UInt8(text.count)] + text], kind: .detection, name: "E")
    #expect(Fixture.lines(batch) == [#"{"tags": ["a\"b",1], "type": "E"}"#])
  }

  @Test("a limit ends a call between records; the next goes on")
  func limit() {
    let batch = Fixture.batch([port], records: (0..<5000).map { Fixture.bigEndian(UInt16($0)) })
    let writer = RecordJSONWriter(options: RecordJSONOptions())
    var (next, total, calls) = (0, 0, 0)
    while next < 5000 {
      next = writer.append(batch.raw, from: next, limit: 10_000)
      #expect(writer.bytes.count == writer.lineEnds.last)
      total += writer.lineCount
      calls += 1
      writer.removeAll()
    }
    #expect(total == 5000 && calls > 20)
    #expect(writer.append(batch.raw) == 5000 && writer.lineCount == 5000)
  }

  @Test("a record that lies about its length is not read beyond its end")
  func lies() {
    let batch = Fixture.batch([.variable("x", FLOWCEP_STRING)], records: [[200, 97], [1, 97]])
    let lines = Fixture.lines(batch)
    #expect(lines.last == #"{"@type": "ipfix.entry", "ipfix.x": "a"}"#)
  }
}
