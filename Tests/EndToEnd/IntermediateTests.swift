import Foundation
import TestSupport
import Testing

@Suite("Intermediates", .serialized) struct IntermediateTests {
  private static let start = "ipfix.flowStartMilliseconds", end = "ipfix.flowEndMilliseconds"

  /// A capture's records, before and after an intermediate.
  private static func records(_ intermediate: String, environment: [String: String] = [:]) throws -> [(
    before: [String: Any], after: [String: Any]
  )] {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 4000)
    let output = "<json><detailedInfo>yes</detailedInfo><output><type>print</type></output></json>"
    func objects(_ intermediates: String) throws -> [[String: Any]] {
      let text = OutputFixture.configuration(output, file: capture.path)
        .replacingOccurrences(of: "</collectingProcess>", with: "</collectingProcess>" + intermediates)
      let file = try folder.write(text, to: "startup.xml")
      let run = try Program.run(["run", "-c", file], environment: environment)
      guard run.code == 0 else { throw Failure(run.error) }
      return try run.output.split(separator: "\n").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
    }
    let (before, after) = (try objects(""), try objects("<intermediatePlugins>\(intermediate)</intermediatePlugins>"))
    #expect(before.count == 4000 && after.count == 4000)
    return Array(zip(before, after))
  }

  private static func number(_ record: [String: Any], _ name: String) -> Int { record[name] as? Int ?? 0 }

  @Test("shift: all times of a session move by one distance, export times with them")
  func shift() throws {
    var distances: Set<Int> = []
    for (before, after) in try Self.records("<timestamp><mode>shift</mode></timestamp>") {
      for name in [Self.start, Self.end] { distances.insert(Self.number(after, name) - Self.number(before, name)) }
      distances.insert(1000 * (Self.number(after, "ipfixcol.export_time") - Self.number(before, "ipfixcol.export_time")))
    }
    #expect(distances.count == 1 && distances.allSatisfy { $0 > 0 && $0 % 1000 == 0 })
  }

  @Test("timenow: per message, start and end by the same whole seconds; the export time stays")
  func timenow() throws {
    let now = Int(Date().timeIntervalSince1970)
    for (before, after) in try Self.records("<timenow/>") {
      let distance = Self.number(after, Self.start) - Self.number(before, Self.start)
      #expect(distance == Self.number(after, Self.end) - Self.number(before, Self.end) && distance % 1000 == 0)
      #expect(Self.number(after, "ipfixcol.export_time") == Self.number(before, "ipfixcol.export_time"))
      #expect((now...now + 600).contains(Self.number(before, "ipfixcol.export_time") + distance / 1000))
    }
  }

  @Test("truncation keeps the upper half of an address, and everything else")
  func truncation() throws {
    for (before, after) in try Self.records("<anonymize><type>truncation</type></anonymize>") {
      if let address = before["ipfix.sourceIPv4Address"] as? String {
        let kept = address.split(separator: ".").prefix(2).joined(separator: ".")
        #expect(after["ipfix.sourceIPv4Address"] as? String == kept + ".0.0")
      }
      if let address = after["ipfix.destinationIPv6Address"] as? String { #expect(address.hasSuffix("::")) }
      #expect(Self.number(before, "ipfix.octetDeltaCount") == Self.number(after, "ipfix.octetDeltaCount"))
    }
  }

  @Test("Crypto-PAn: equal addresses stay equal, prefixes stay shared, a list of elements leaves the others alone")
  func cryptoPAn() throws {
    let key = "0123456789abcdefghijklmnopqrstuv"
    let name = "ipfix.sourceIPv4Address", other = "ipfix.destinationIPv4Address"
    let text =
      "<anonymization_ip><type>cryptopan</type><keyVariable>FLOWCEP_TEST_KEY</keyVariable><element>sourceIPv4Address</element></anonymization_ip>"
    var (known, prefixes): ([String: String], [Substring: Substring]) = ([:], [:])
    for (before, after) in try Self.records(text, environment: ["FLOWCEP_TEST_KEY": key]) {
      guard let address = before[name] as? String, let replaced = after[name] as? String else { continue }
      #expect(before[other] as? String == after[other] as? String && known[address] ?? replaced == replaced)
      known[address] = replaced
      let (prefix, newPrefix) = (Self.firstHalf(address), Self.firstHalf(replaced))
      #expect(prefixes[prefix] ?? newPrefix == newPrefix)
      prefixes[prefix] = newPrefix
    }
    #expect(Set(known.values).count == known.count && known.contains { $0 != $1 })
  }

  private static func firstHalf(_ address: String) -> Substring {
    let parts = address.split(separator: ".")
    return address[..<parts[1].endIndex]
  }

  @Test("Crypto-PAn without a key is an error, and the key is never shown")
  func keys() throws {
    let folder = try TemporaryFolder()
    func check(_ options: String) throws -> (code: Int32, error: String) {
      let text = OutputFixture.configuration("<count/>").replacingOccurrences(
        of: "</collectingProcess>",
        with: "</collectingProcess><intermediatePlugins><anonymize><type>cryptopan</type>\(options)</anonymize></intermediatePlugins>")
      let run = try Program.run(["check", "-c", try folder.write(text, to: "startup.xml")])
      return (run.code, run.error + run.output)
    }
    let none = try check("")
    #expect(none.code == 2 && none.error.contains("Crypto-PAn needs a key"))
    let short = try check("<key>tooshortsecret</key>")
    #expect(short.code == 2 && !short.error.contains("tooshortsecret") && short.error.contains("32 characters"))
    #expect(try check("<key>0123456789abcdefghijklmnopqrstuv</key>").code == 0)
    let file = try folder.write(String(repeating: "0f", count: 32) + "\n", to: "key")
    #expect(try check("<keyFile>\(file)</keyFile>").code == 0)
  }
}
