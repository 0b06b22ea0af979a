import EventModel
import JSONLines
import Testing

@Suite struct JSONLinesTests {
  private let type = EventType(
    name: "E", properties: [.init("t", .long), .init("ipfix.src", .string), .init("ipfix.n", .int), .init("tags", .array(.string))],
    timestampProperty: 0)

  private func read(_ lines: [String], properties: [Int] = [0, 1, 2, 3]) -> (EventBatch?, [LineError]) {
    var errors: [LineError] = []
    var reader = EventReader(type: type, properties: properties)
    reader.onError = { errors.append($0) }
    for line in lines {
      var line = line
      line.withUTF8 { reader.read($0) }
    }
    return (reader.takeBatch(), errors)
  }

  @Test func dottedAndNestedNamesAreOne() throws {
    let (batch, errors) = read([
      #"{"t":1,"ipfix.src":"a","ipfix":{"n":7,"x":{"y":1}}}"#, #"{"ipfix":{"src":"b"},"more":1.5e3,"less":17 ,"t":2,"other":[1,{"a":2}]}"#,
    ])
    let events = try #require(batch)
    #expect(errors.isEmpty)
    #expect(events.times == [1, 2])
    #expect(events.columns[1][0] == .string("a"))
    #expect(events.columns[2][0] == .int(7))
    #expect(events.columns[1][1] == .string("b"))
    #expect(events.columns[2][1].isNull)
  }

  @Test func badLineHarmsNothingElse() throws {
    let (batch, errors) = read([#"{"t":1}"#, "", "{\"t\":2,", #"{"t":"x"}"#, #"{"ipfix.n":1}"#, #"{"t":3}"#])
    #expect(batch?.times == [1, 3])
    #expect(errors.map(\.line) == [2, 3, 4, 5])
  }

  /// What a bad line has given before it is found to be bad is taken back from every column, whatever their shapes are by then.
  @Test func badLinesLeaveNothingInColumns() throws {
    let (batch, errors) = read([
      #"{"t":1,"ipfix":{"src":"one","n":1},"tags":["a"]}"#, #"{"t":2,"ipfix":{"src":"bad","n":2},"tags":["b"],}"#,
      #"{"t":3,"ipfix":{"src":7},"ipfix.n":2.5}"#, #"{"t":4,"ipfix.src":"x","ipfix.n":"y","tags"}"#, #"{"t":5,"ipfix.src":"tw\no"}"#,
      #"{"t":6,"ipfix.src":"first","ipfix":{"src":"last","n":null}}"#,
    ])
    let events = try #require(batch)
    #expect(errors.map(\.line) == [2, 4])
    #expect(events.times == [1, 3, 5, 6])
    let rows = (0..<4).map { row in events.columns.map { $0[row].text ?? "null" }.joined(separator: " ") }
    #expect(rows == ["1 one 1 [a]", "3 7 2.5 null", "5 tw\no null null", "6 last null null"])
  }

  @Test(arguments: [
    #"{"t":1,"x":[1,{"a":"\u12"}]}"#, #"{"t":1,"x":{"a":tru}}"#, #"{"t":1,"x":{"a" 1}}"#, #"{"t":1,"x":[1 2]}"#, #"{"t":1,"x":"a}"#,
    #"{"t":1,"x":01}"#,
    "{\"t\":1,\"x\":\"12345678\u{1}\"}", #"{"t":1,"x":{"a":1,}}"#, #"{"t":1}}"#,
    #"{"t":1,"x":12a}"#, #"{"t":1,"x":1.}"#, #"{"t":1,"x":12"#, #"{"t":1,"x":-}"#,
  ])
  func whatIsSkippedIsCheckedToo(_ line: String) {
    let (batch, errors) = read([line])
    #expect(batch == nil && errors.count == 1)
  }

  @Test func namesThatDifferInTheMiddleAreTold() throws {
    let names = ["ipfix.sourceTransportPortNumber", "ipfix.sourceTransXortPortNumber", "ipfix.a", "ipfix.b.c", "b"]
    let type = EventType(name: "E", properties: names.map { .init($0, .int) })
    var reader = EventReader(type: type, properties: Array(names.indices))
    var line =
      #"{"b":5,"ipfix":{"sourceTransXortPortNumber":2,"a":3,"b":{"c":4,"d":9},"sourceTransportPortNumber":1,"sourceTransYortPortNumber":8}}"#
    line.withUTF8 { reader.read($0) }
    let taken = reader.takeBatch()
    let batch = try #require(taken)
    #expect(batch.columns.map { $0[0] } == [.int(1), .int(2), .int(3), .int(4), .int(5)])
  }

  /// What comes next is expected to be what came next before: lines that break with it are read as they stand.
  @Test func linesInAnyOrderAreRead() throws {
    let orders = [
      #"{"t":1, "ipfix":{"src":"a","n":1}, "x":{"src":"no"}, "tags":["u"]}"#, #"{"t":2, "ipfix":{"n":2,"src":"b"}, "x":{"n":9}}"#,
      #"{"x":{"src":"no","n":9}, "ipfix":{"src":"c","n":3}, "t":3}"#, #"{"t":4,"n":9,"src":"no","ipfix.n":4,"ipfix":{"src":"d"}}"#,
      #"{ "t" : 5 , "ipfix" : { "src" : "e" , "n" : 5 } }"#, #"{"t":6, "ipfix":{"src":"f","n":6, "\u006e":7}}"#,
    ]
    for round in 0..<orders.count {
      let lines = (0..<40).map { orders[($0 * (round + 1) + $0 / 6) % orders.count] }
      let (batch, errors) = read(lines)
      let events = try #require(batch)
      #expect(errors.isEmpty)
      for row in 0..<40 {
        let t = events.times[row]
        #expect(events.columns[1][row].text == ["a", "b", "c", "d", "e", "f"][Int(t) - 1])
        #expect(events.columns[2][row] == .int(t == 6 ? 7 : t))
      }
    }
  }

  /// More kinds of members than are remembered, and longer ones.
  @Test func manyKindsOfMembersAreRead() throws {
    let lines = (0..<300).map { number in
      #"{"m\#(number)":1,"\#(String(repeating: "long", count: 20))\#(number % 3)":2,"t":\#(number),"ipfix":{"o\#(number)":3,"n":\#(number)}}"#
    }
    let (batch, errors) = read(lines + lines)
    let events = try #require(batch)
    #expect(errors.isEmpty && events.count == 600)
    #expect((0..<600).allSatisfy { events.columns[2][$0] == .int(Int64($0 % 300)) })
  }

  @Test func addressesAreReadWhereTheyAreDeclared() throws {
    let type = EventType(name: "E", properties: [.init("a", .address), .init("b", .address)])
    var reader = EventReader(type: type, properties: [0, 1])
    for var line in [#"{"a":"10.0.0.1","b":"2001:db8::1"}"#, #"{"b":"nowhere"}"#, #"{"a":"10.0.0.2","b":"10.0.0.3"}"#] {
      line.withUTF8 { reader.read($0) }
    }
    let taken = reader.takeBatch()
    let batch = try #require(taken)
    #expect((0..<3).map { batch.columns[0][$0].text } == ["10.0.0.1", nil, "10.0.0.2"])
    #expect((0..<3).map { batch.columns[1][$0].text } == ["2001:db8::1", "nowhere", "10.0.0.3"])
    if case .ip4 = batch.columns[0].storage {} else { Issue.record("the first column holds no IPv4 addresses") }
  }

  @Test func escapesAndNumbersAreRead() throws {
    #expect(try JSONReader.parse(#""a\"\\\/\b\f\n\r\té😀""#) == .string("a\"\\/\u{8}\u{c}\n\r\té😀"))
    #expect(try JSONReader.parse("-9223372036854775808") == .int(.min))
    #expect(try JSONReader.parse("9223372036854775808") == .double(9_223_372_036_854_775_808))
    #expect(try JSONReader.parse("-1.5e2") == .double(-150))
    #expect(try JSONReader.parse(" [1, {\"a\": null}] ").array?.count == 2)
  }

  @Test(arguments: ["", "{", "[1,]", "{\"a\" 1}", "01", "1.", "1e", "tru", "\"a", "\"\\x\"", "\"\\u12\"", "1 2", "\u{1}"])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try JSONReader.parse(text) }
  }

  @Test func deepNestingIsRefused() {
    #expect(throws: JSONError.self) { try JSONReader.parse(String(repeating: "[", count: 100_000)) }
  }

  @Test func rowsAreWrittenAsTheReferenceDoes() {
    let row = Event.make(
      EventType(name: "Out", properties: [.init("src", .string), .init("n", .long), .init("mean", .double), .init("none", .int)]),
      time: 0, [.ip4(0x3b02_9944), .int(5), .double(6), .null])
    var bytes: [UInt8] = []
    RowWriter().write(row, type: "Scan", time: 1_523_546_741_646, to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"src":"59.2.153.68","n":5,"mean":6.0,"none":null,"type":"Scan","timestamp":"2018-04-12T15:25:41.646Z"}"# + "\n")
    #expect(JSONText.timestamp(1_523_546_741_000) == "2018-04-12T15:25:41Z")
    #expect(JSONText.timestamp(-1) == "1969-12-31T23:59:59.999Z")
  }
}
