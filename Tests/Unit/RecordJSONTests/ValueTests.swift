import Glibc
import PluginABI
import RecordJSON
import Testing

private func value(_ type: Int, _ bytes: [UInt8], _ change: (inout RecordJSONOptions) -> Void = { _ in }) -> String {
  Fixture.value(type, bytes, change)
}

@Suite("JSON of single values")
struct ValueTests {
  @Test("unsigned integers of every length, at every number of digits")
  func unsigned() {
    var samples: [UInt64] = [0, 255, 256, 65_535, .max, .max - 1, 1 << 63, 1_523_546_560_338]
    var power: UInt64 = 1
    for _ in 0..<20 {
      samples += [power - 1, power, power + 1]
      power = power.multipliedReportingOverflow(by: 10).partialValue
    }
    for sample in samples {
      let bytes = Fixture.bigEndian(sample)
      for length in 1...8 {
        let kept = length == 8 ? sample : sample & (1 << UInt64(8 * length) - 1)
        #expect(value(FLOWCEP_UNSIGNED64, Array(bytes.suffix(length))) == "\(kept)")
      }
    }
  }

  @Test("every number of two bytes, and long ones one after the other, whose upper digits are kept from one to the next")
  func unsignedInTurn() {
    func expect(_ values: [UInt64], length: Int) {
      let records = values.map { Array(Fixture.bigEndian($0).suffix(length)) }
      let lines = Fixture.lines(Fixture.batch([.init("x", FLOWCEP_UNSIGNED64, length)], records: records))
      #expect(lines == values.map { #"{"@type": "ipfix.entry", "ipfix.x": \#($0)}"# })
    }
    expect(Array(0...255), length: 1)
    expect(Array(0...65_535), length: 2)
    let day: UInt64 = 17_000 * 100_000_000
    expect(
      [
        day - 1, day, day + 7, day + 99_999_999, day + 100_000_000, 99_999_999, 100_000_000, 100_000_001, day, .max, day, 0,
        9_999_999_999_999_999, 10_000_000_000_000_000, 9_999_999_900_000_000,
      ], length: 8)
  }

  @Test("signed integers keep their sign at every length")
  func signed() {
    for sample: Int64 in [0, 1, -1, 127, -128] {
      for length in 1...8 {
        #expect(value(FLOWCEP_SIGNED64, Array(Fixture.bigEndian(sample).suffix(length))) == "\(sample)")
      }
    }
    #expect(value(FLOWCEP_SIGNED64, Fixture.bigEndian(Int64.min)) == "\(Int64.min)")
  }

  @Test("floats are read as floats")
  func floats() {
    #expect(value(FLOWCEP_FLOAT64, Fixture.bigEndian((1.5).bitPattern)) == "1.5")
    #expect(value(FLOWCEP_FLOAT64, Fixture.bigEndian((0.1).bitPattern)) == "0.1")
    #expect(value(FLOWCEP_FLOAT64, Fixture.bigEndian((-1e300).bitPattern)) == "-1e+300")
    #expect(value(FLOWCEP_FLOAT64, Fixture.bigEndian(Float(0.25).bitPattern)) == "0.25")
    #expect(value(FLOWCEP_FLOAT32, Fixture.bigEndian(Float(3.1).bitPattern)) == "3.1")
    #expect(value(FLOWCEP_FLOAT64, Fixture.bigEndian(Double.nan.bitPattern)) == "null")
    #expect(value(FLOWCEP_FLOAT32, Fixture.bigEndian(Float.infinity.bitPattern)) == "null")
  }

  @Test("booleans", arguments: [(1, "true"), (2, "false"), (0, "null"), (7, "null")])
  func booleans(byte: UInt8, expected: String) { #expect(value(FLOWCEP_BOOLEAN, [byte]) == expected) }

  @Test("addresses")
  func addresses() {
    #expect(value(FLOWCEP_IPV4_ADDRESS, [59, 2, 153, 68]) == "\"59.2.153.68\"")
    #expect(value(FLOWCEP_IPV4_ADDRESS, [0, 10, 100, 255]) == "\"0.10.100.255\"")
    #expect(value(FLOWCEP_MAC_ADDRESS, [0, 0x1b, 0xff, 9, 0xa0, 5]) == "\"00:1b:ff:09:a0:05\"")
    #expect(value(FLOWCEP_IPV4_ADDRESS, [1, 2, 3]) == "\"0x010203\"")
  }

  @Test(
    "IPv6 addresses as inet_ntop has them",
    arguments: [
      ([0, 0, 0, 0, 0, 0, 0, 0], "::"), ([0, 0, 0, 0, 0, 0, 0, 1], "::1"), ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
      ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
      ([0xfe80, 0, 0, 0, 0x20, 0x300, 0x4000, 0xffff], "fe80::20:300:4000:ffff"),
      ([0, 0, 0, 0, 0, 0xffff, 0x0a00, 0x00ff], "::ffff:10.0.0.255"), ([0, 0, 0, 0, 0, 0, 0x0102, 0x0304], "::1.2.3.4"),
      ([1, 0, 0, 0, 0, 0, 0, 0], "1::"), ([1, 0, 0, 2, 0, 0, 3, 4], "1::2:0:0:3:4"), ([1, 2, 3, 4, 5, 6, 7, 0xabcd], "1:2:3:4:5:6:7:abcd"),
    ] as [([UInt16], String)])
  func ipv6(groups: [UInt16], expected: String) {
    #expect(value(FLOWCEP_IPV6_ADDRESS, groups.flatMap { Fixture.bigEndian($0) }) == "\"\(expected)\"")
  }

  @Test("IPv6 addresses as the system's inet_ntop has them: every set of groups that are zero, the others of one to four digits")
  func ipv6AsTheSystemHasIt() {
    let samples: [[UInt16]] = (0..<256).flatMap { zeros in
      [0x0001, 0x00a2, 0x0b30, 0xc405, 0xffff].map { other in (0..<8).map { zeros >> $0 & 1 == 1 ? 0 : other } }
    }
    let records = samples.map { $0.flatMap { Fixture.bigEndian($0) } }
    let lines = Fixture.lines(Fixture.batch([.init("x", FLOWCEP_IPV6_ADDRESS, 16)], records: records))
    for (line, record) in zip(lines, records) {
      var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
      inet_ntop(AF_INET6, record, &text, socklen_t(text.count))
      let expected = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      #expect(line == #"{"@type": "ipfix.entry", "ipfix.x": "\#(String(decoding: expected, as: UTF8.self))"}"#)
    }
  }

  @Test("octet arrays: numbers in quotes of 1, 2, 4 and 8 bytes, else hexadecimal, empty null")
  func octets() {
    #expect(value(FLOWCEP_OCTET_ARRAY, [7]) == "\"7\"")
    #expect(value(FLOWCEP_OCTET_ARRAY, [1, 0]) == "\"256\"")
    #expect(value(FLOWCEP_OCTET_ARRAY, [0xab, 0, 0xcd]) == "\"0xab00cd\"")
    #expect(value(FLOWCEP_OCTET_ARRAY, []) == "null")
    #expect(Fixture.value(FLOWCEP_OCTET_ARRAY, [], variable: true) == "null")
    #expect(Fixture.value(FLOWCEP_OCTET_ARRAY, [1, 2], variable: true) == "\"0x0102\"")
    #expect(value(FLOWCEP_BASIC_LIST, [1, 2, 3, 4]) == "\"0x01020304\"")
  }

  @Test("lengths that a type cannot have are written as bytes, not read beyond")
  func nonsense() {
    #expect(value(FLOWCEP_UNSIGNED32, [UInt8](repeating: 1, count: 9)) == "\"0x010101010101010101\"")
    #expect(value(FLOWCEP_FLOAT64, [1, 2]) == "\"0x0102\"")
    #expect(value(FLOWCEP_BOOLEAN, [1, 2]) == "\"0x0102\"")
    #expect(value(FLOWCEP_DATE_TIME_MICROSECONDS, [1, 2]) == "\"0x0102\"")
    #expect(Fixture.value(FLOWCEP_UNSIGNED32, [1, 2, 3], variable: true) == "66051")
    #expect(Fixture.value(FLOWCEP_SIGNED32, [0xff], variable: true) == "-1")
  }
}

@Suite("JSON of times")
struct TimeTests {
  let milliseconds = Fixture.bigEndian(UInt64(1_523_546_560_338))
  /// 2018-04-12T15:22:40.5 in NTP format.
  let ntp = Fixture.bigEndian(UInt64(1_523_546_560 + 2_208_988_800) << 32 | 1 << 31)

  @Test("numbers in the element's own unit, since 1970")
  func plain() {
    #expect(value(FLOWCEP_DATE_TIME_SECONDS, Fixture.bigEndian(UInt32(1_523_546_560))) == "1523546560")
    #expect(value(FLOWCEP_DATE_TIME_MILLISECONDS, milliseconds) == "1523546560338")
    #expect(value(FLOWCEP_DATE_TIME_MICROSECONDS, ntp) == "1523546560500000")
    #expect(value(FLOWCEP_DATE_TIME_NANOSECONDS, ntp) == "1523546560500000000")
  }

  @Test("ISO 8601 in UTC")
  func iso8601() {
    func iso(_ type: Int, _ bytes: [UInt8]) -> String { value(type, bytes) { $0.timestamp = .iso8601 } }
    #expect(iso(FLOWCEP_DATE_TIME_SECONDS, Fixture.bigEndian(UInt32(1_523_546_560))) == "\"2018-04-12T15:22:40.000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_MILLISECONDS, milliseconds) == "\"2018-04-12T15:22:40.338Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_MICROSECONDS, ntp) == "\"2018-04-12T15:22:40.500000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_NANOSECONDS, ntp) == "\"2018-04-12T15:22:40.500000000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_MILLISECONDS, Fixture.bigEndian(UInt64(0))) == "\"1970-01-01T00:00:00.000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_SECONDS, Fixture.bigEndian(UInt32(951_782_399))) == "\"2000-02-28T23:59:59.000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_SECONDS, Fixture.bigEndian(UInt32(951_782_400))) == "\"2000-02-29T00:00:00.000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_SECONDS, Fixture.bigEndian(UInt32.max)) == "\"2106-02-07T06:28:15.000Z\"")
    #expect(iso(FLOWCEP_DATE_TIME_MILLISECONDS, Fixture.bigEndian(UInt64.max)) == "\"+584556019-04-03T14:25:51.615Z\"")
  }

  @Test("local time without a zone")
  func local() {
    let text = value(FLOWCEP_DATE_TIME_MILLISECONDS, milliseconds) { $0.timestamp = .formatted }
    #expect(text.count == "\"2018-04-12T15:22:40.338\"".count && text.hasSuffix(":40.338\""))
    let fine = value(FLOWCEP_DATE_TIME_NANOSECONDS, ntp) { $0.timestamp = .formatted }
    #expect(fine.hasSuffix(":40.500\""))
  }

  @Test("days change with the records")
  func days() {
    let times: [UInt32] = [86_399, 86_400, 86_399, 1_523_546_560]
    let batch = Fixture.batch([.init("x", FLOWCEP_DATE_TIME_SECONDS, 4)], records: times.map { Fixture.bigEndian($0) })
    let lines = Fixture.lines(batch) { $0.timestamp = .iso8601 }
    let expected = ["1970-01-01T23:59:59", "1970-01-02T00:00:00", "1970-01-01T23:59:59", "2018-04-12T15:22:40"]
    #expect(lines == expected.map { #"{"@type": "ipfix.entry", "ipfix.x": "\#($0).000Z"}"# })
  }
}

@Suite("JSON of strings")
struct TextTests {
  private func text(_ bytes: [UInt8], drops: Bool = false) -> String {
    let both = [false, true].map { Fixture.value(FLOWCEP_STRING, bytes, variable: $0) { $0.escapesNonPrintable = !drops } }
    return both[0] == both[1] ? both[0] : "fixed \(both[0]), variable \(both[1])"
  }

  @Test("each special character at each place of a word")
  func everywhere() {
    let cases: [(UInt8, String, String)] = [
      (34, "\\\"", "\\\""), (92, "\\\\", "\\\\"), (10, "\\n", ""), (13, "\\r", ""), (9, "\\t", ""), (8, "\\b", ""), (12, "\\f", ""),
      (0, "\\u0000", ""),
      (31, "\\u001f", ""), (127, "\u{7f}", "\u{7f}"), (47, "/", "/"), (0xff, "\\u00ff", "\\u00ff"), (0x80, "\\u0080", "\\u0080"),
    ]
    for (byte, escaped, dropped) in cases {
      for length in [1, 7, 8, 9, 17] {
        for place in 0..<length {
          var bytes = Array("abcdefghijklmnopqrstu".utf8.prefix(length))
          let (before, after) = (String(decoding: bytes[..<place], as: UTF8.self), String(decoding: bytes[(place + 1)...], as: UTF8.self))
          bytes[place] = byte
          #expect(text(bytes) == "\"\(before)\(escaped)\(after)\"")
          #expect(text(bytes, drops: true) == "\"\(before)\(dropped)\(after)\"")
        }
      }
    }
  }

  @Test("UTF-8 stays, what is not becomes Latin-1")
  func utf8() {
    for sample in ["grüße, мир", "日本語のテキスト", "😀 end", "plain ascii only", ""] { #expect(text(Array(sample.utf8)) == "\"\(sample)\"") }
    #expect(text([0xc3]) == "\"\\u00c3\"")
    #expect(text([0xe2, 0x82]) == "\"\\u00e2\\u0082\"")
    #expect(text([0xc0, 0xaf]) == "\"\\u00c0\\u00af\"")
    #expect(text([0xed, 0xa0, 0x80]) == "\"\\u00ed\\u00a0\\u0080\"")
    #expect(text([0xf4, 0x90, 0x80, 0x80]) == "\"\\u00f4\\u0090\\u0080\\u0080\"")
    #expect(text([0xfc, 0x62]) == "\"\\u00fcb\"")
  }

  @Test("padding is dropped with the control characters, or escaped")
  func padding() {
    let padded = Array("/wp-login.php".utf8) + [UInt8](repeating: 0, count: 51)
    #expect(text(padded, drops: true) == "\"/wp-login.php\"")
    #expect(text(padded) == "\"/wp-login.php\(String(repeating: "\\u0000", count: 51))\"")
    #expect(text([UInt8](repeating: 0, count: 64), drops: true) == "\"\"")
    #expect(text(Array("a\0\0b".utf8) + [0], drops: true) == "\"ab\"")
  }
}
