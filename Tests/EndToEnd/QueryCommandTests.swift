import Foundation
import Glibc
import TestSupport
import Testing

/// `flowcep query`: the engine alone, over a capture, over lines, over datagrams.
@Suite struct QueryCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  // MARK: The reference's answers, from the capture

  /// A listener call of the reference: when, and its rows, sorted (within one update their order is an accident of hashing there).
  struct Update: Equatable {
    /// In ms.
    var time: Int
    var rows: [String]
  }

  @Test(
    .enabled(if: SharedFolder.isPresent, "the shared capture is not beside the repository"),
    arguments: [
      ("port-scan", 1), ("http-scan", 1), ("brute-force", 1), ("multi-stage", 1), ("multi-stage-joined.8-loops", 8),
    ])
  func captureGivesRecordedAnswers(_ name: String, loops: UInt64) throws {
    let capture = folder.path + "/loops.ipfix"
    let once = SharedFolder.bytes("data/http-attack.ipfix")
    let bytes = loops == 1 ? once : (0..<loops).flatMap { Self.shifted(once, loop: $0) }
    try Data(bytes).write(to: URL(fileURLWithPath: capture))
    let module = SharedFolder.repository.path + "/Tests/Conformance/answers/\(name).epl"
    let recorded = try Self.recorded(name)
    for statement in recorded.isEmpty ? ["Output"] : Set(recorded.map(\.statement)) {
      let result = try Program.run(["query", "-m", module, "-o", statement, "-i", capture, "--clock", "compat"])
      #expect(result.code == 0 && result.error == "", "\(result.error)")
      let given = try Self.updates(result.output)
      let wanted = Self.merged(recorded.filter { $0.statement == statement }.map(\.update))
      #expect(given.count == wanted.count, "\(name), \(statement)")
      if let (a, b) = zip(wanted, given).first(where: { $0 != $1 }) {
        Issue.record("\(statement): \("\(a)".prefix(500)) is recorded, \("\(b)".prefix(500)) given")
      }
    }
  }

  private static func recorded(_ name: String) throws -> [(statement: String, update: Update)] {
    try String(decoding: SharedFolder.bytes("data/answers/\(name).jsonl"), as: UTF8.self).split(separator: "\n").map { line in
      let object = try object(line)
      let time = object["t"] as? Int ?? 0
      let rows = object["new"] as? [[String: Any]] ?? []
      return (object["statement"] as? String ?? "", Update(time: time, rows: rows.map(text).sorted()))
    }
  }

  /// Printed rows carry their time, not their listener call.
  private static func merged(_ updates: [Update]) -> [Update] {
    updates.reduce(into: []) { merged, update in
      if let last = merged.last, last.time == update.time {
        merged[merged.count - 1].rows = (last.rows + update.rows).sorted()
      } else {
        merged.append(update)
      }
    }
  }

  private static func updates(_ lines: String) throws -> [Update] {
    merged(
      try lines.split(separator: "\n").map { line in
        var row = try object(line)
        row["type"] = nil
        let time = row.removeValue(forKey: "timestamp") as? String ?? ""
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: time.contains("."))
        return Update(time: Int((try Date(time, strategy: style).timeIntervalSince1970 * 1000).rounded()), rows: [text(row)])
      })
  }

  private static func object(_ line: Substring) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private static func text(_ row: [String: Any]) -> String {
    row.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }

  /// The capture as its loop of that number: each loop is 383 s long, the first begins at 1600000000.
  private static func shifted(_ capture: [UInt8], loop: UInt64) -> [UInt8] {
    // Where flow start and end lie in the records of each template, and how long a record is.
    let layouts = [256: (28, 44), 257: (30, 46), 258: (31, 47), 259: (31, 111)]
    let shift = (1_600_000_000 + 383 * loop - 1_523_546_564) * 1000
    var bytes = capture
    func be(_ at: Int, _ count: Int) -> UInt64 { bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) } }
    var message = 0
    while message < bytes.count {
      let end = message + Int(be(message + 2, 2))
      var set = message + 16
      while set < end {
        let stop = set + Int(be(set + 2, 2))
        if let (times, length) = layouts[Int(be(set, 2))] {
          for record in stride(from: set + 4, through: stop - length, by: length) {
            for at in [record + times, record + times + 8] {
              let time = be(at, 8) + shift
              for i in 0..<8 { bytes[at + i] = UInt8(truncatingIfNeeded: time >> UInt64(56 - 8 * i)) }
            }
          }
        }
        set = stop
      }
      message = end
    }
    return bytes
  }

  // MARK: Inputs

  @Test func captureIsReadToItsEndOrSaidToBeCut() throws {
    let capture = folder.path + "/capture.ipfix"
    #expect(try Program.run(["generate", "-o", capture, "--records", "5000", "--duration", "300", "--no-attack"]).code == 0)
    let module = try folder.write(
      """
      @Name('Ports') select ipfix.sourceAddress as source, ipfix.destinationTransportPort as port, count(*) as flows
      from IPFIX#time_batch(1 min) group by ipfix.sourceAddress, ipfix.destinationTransportPort having count(*) > 3;
      """, to: "ports.epl")
    let rows = try Program.run(["query", "-m", module, "-i", capture])
    #expect(rows.code == 0 && rows.error == "", "\(rows.error)")
    #expect(rows.output.split(separator: "\n").count > 5)
    #expect(rows.output.hasPrefix(#"{"source":""#) && rows.output.contains(#","type":"Ports","timestamp":"20"#))
    let truncated = try Data(contentsOf: URL(fileURLWithPath: capture)).dropLast(7)
    try truncated.write(to: URL(fileURLWithPath: capture))
    let cut = try Program.run(["query", "-m", module, "-i", capture])
    #expect(cut.code == 1)
    #expect(cut.error.contains("ends in the middle of a message"), "\(cut.error)")
  }

  @Test func datagramsAreAnsweredUntilASignal() throws {
    let module = try folder.write(
      "create schema E (k string, v int); @Name('Big') select k, v from E(v > 1);", to: "big.epl")
    let query = try Program.start(["query", "-m", module, "--listen", "udp:0", "--clock", "system"])
    let line = try query.waitForErrorLine("listening on udp:127.0.0.1:")
    let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
    try Self.send("{\"k\":\"a\",\"v\":1}\n{\"k\":\"b\",\"v\":2}\nnonsense\n", port: port)
    let row = try query.waitForOutputLine("\"k\":\"b\"")
    #expect(row.hasPrefix(#"{"k":"b","v":2,"type":"Big","timestamp":""#))
    query.signal(SIGTERM)
    #expect(try query.waitForExit() == 0)
    #expect(query.outputText.split(separator: "\n").count == 1)
    #expect(query.errorText.contains("3 events; 1 bad lines") || query.errorText.contains("2 events; 1 bad lines"), "\(query.errorText)")
  }

  @Test func linesWithoutATimeGoByTheWallClock() throws {
    let module = try folder.write("create schema E (k string); @Name('All') select k from E;", to: "all.epl")
    let given = try Program.run(["query", "-m", module], input: Array("{\"k\":\"a\"}\n".utf8))
    #expect(given.code == 0 && given.output.hasPrefix(#"{"k":"a","type":"All","timestamp":"20"#), "\(given.output)\(given.error)")
    let refused = try Program.run(["query", "-m", module, "--clock", "watermark"], input: Array("{\"k\":\"a\"}\n".utf8))
    #expect(refused.code == 2 && refused.error.contains("have no time for the watermark clock"), "\(refused.error)")
    let flows = try folder.write("@Name('Flows') select count(*) as flows from IPFIX#time_batch(1 min);", to: "flows.epl")
    let lines = [1_600_000_000_000, 1_600_000_030_000, 1_600_000_200_000].map { "{\"ipfix.flowEndMilliseconds\":\($0)}\n" }.joined()
    let rows = try Program.run(["query", "-m", flows, "--clock", "compat"], input: Array(lines.utf8))
    #expect(rows.output == "{\"flows\":2,\"type\":\"Flows\",\"timestamp\":\"2020-09-13T12:30:00Z\"}\n", "\(rows.output)\(rows.error)")
  }

  private static func send(_ text: String, port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let bytes = Array(text.utf8)
    let count = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard count == bytes.count else { throw Failure("cannot send to port \(port)") }
  }
}
