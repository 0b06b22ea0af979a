import Foundation
import Glibc
import TestSupport
import Testing

/// The engine's clock as `flowcep query` shows it: each edge of each mode, from lines to rows.
@Suite struct ClockTests {
  private static let base = 1_600_000_000_000
  private static let module = """
    @Tag(name='timestamp', value='t') create schema E(t long, k string);
    @Name('each') select k, current_timestamp as now from E;
    @Name('minute') select cast(count(*), string) as k, current_timestamp as now from E#time_batch(1 min);

    """
  private let folder: TemporaryFolder
  private let file: String

  init() throws {
    folder = try TemporaryFolder()
    file = try folder.write(Self.module, to: "m.epl")
  }

  /// Times in s from the base; the key is the line's number.
  private func lines(_ times: [Int]) -> String {
    times.enumerated().map { "{\"t\":\(Self.base + $1 * 1000),\"k\":\"\($0)\"}\n" }.joined()
  }

  private func query(_ input: String, _ statement: String, _ arguments: String...) throws -> (rows: [String], error: String) {
    let given = try Program.run(["query", "-m", file, "-o", statement] + arguments, input: Array(input.utf8))
    #expect(given.code == 0, "\(given.error)")
    return (try Self.rows(given.output), given.error)
  }

  /// `key@time`, the time in s from the base.
  private static func rows(_ output: String) throws -> [String] {
    try output.split(separator: "\n").map { line in
      let row = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      return "\(row["k"] as? String ?? "null")@\(((row["now"] as? Int ?? 0) - base) / 1000)"
    }
  }

  // MARK: watermark

  @Test func eventsAreSeenInTimeOrder() throws {
    let given = try query(lines([0, 1, 2, 3, 25, 10, 60, 40]), "each")
    #expect(given.rows == ["0@0", "1@1", "2@2", "3@3", "5@10", "4@25", "7@40", "6@60"] && given.error == "")
  }

  @Test func lateEventIsDeliveredAtTheClockOrDropped() throws {
    let input = lines([0, 1, 2, 3, 100, 10, 71])
    let delivered = try query(input, "each")
    #expect(delivered.rows == ["0@0", "1@1", "2@2", "3@3", "5@70", "6@71", "4@100"])
    #expect(delivered.error == "flowcep: 7 events; 1 late events\n")
    let dropped = try query(input, "each", "--late", "drop")
    #expect(dropped.rows == ["0@0", "1@1", "2@2", "3@3", "6@71", "4@100"])
    #expect(dropped.error == "flowcep: 7 events; 1 late events, 1 of them dropped\n")
    let patient = try query(input, "each", "--lateness", "90")
    #expect(patient.rows == ["0@0", "1@1", "2@2", "3@3", "5@10", "6@71", "4@100"] && patient.error == "")
  }

  /// One event of the year 2106 closes no window.
  @Test func timeFarAheadMovesNothing() throws {
    let input = lines([0, 1, 2, 3, 2_700_000_000, 4, 5, 40])
    let each = try query(input, "each")
    #expect(each.rows.count == 8 && each.rows.suffix(6) == ["1@1", "2@2", "3@3", "5@4", "6@5", "7@40"])
    #expect(each.error == "flowcep: 8 events; 1 events ahead of their time\n")
    #expect(try query(input, "minute").rows.allSatisfy { !$0.contains("@2") })
    // Within the permitted skew it is believed.
    #expect(try query(lines([0, 1, 2, 3, 2000, 4, 2001]), "each", "--max-skew", "3600").rows.last == "6@2001")
  }

  /// Enough messages agree: time goes on at once, timers fire at their own times, and nobody is late.
  @Test func agreedJumpGoesFromTimerToTimer() throws {
    let input = lines([0, 1, 2, 3, 3600, 3660, 3720, 3780, 3781])
    let each = try query(input, "each")
    #expect(each.rows == ["0@0", "1@1", "2@2", "3@3", "4@3600", "5@3660", "6@3720", "7@3780", "8@3781"] && each.error == "")
    #expect(try query(input, "minute").rows == ["4@60", "0@120", "1@3660", "1@3720", "1@3780"])
  }

  @Test(arguments: [31, 120, 900]) func sparseStreamHasNoLateEvents(_ step: Int) throws {
    let times = (0..<9).map { $0 * step }
    let given = try query(lines(times), "each")
    #expect(given.rows == times.enumerated().map { "\($0)@\($1)" } && given.error == "")
    let dropping = try query(lines(times), "each", "--late", "drop")
    #expect(dropping.rows == given.rows && dropping.error == "")
  }

  @Test func endOfInputClosesNoWindowUnlessToldTo() throws {
    let input = lines([0, 1, 2, 3, 130])
    #expect(try query(input, "minute").rows == ["4@60", "0@120"])
    #expect(try query(input, "minute", "--flush").rows == ["4@60", "0@120", "1@180"])
    // Fewer events than the clock needs to be sure of the time.
    #expect(try query(lines([0]), "minute").rows == [])
    #expect(try query(lines([0]), "minute", "--flush").rows == ["1@60"])
    #expect(try query("", "minute", "--flush").rows == [])
  }

  @Test func quietStreamGoesOnWithTheWall() throws {
    let query = try Program.start(
      ["query", "-m", file, "-o", "minute", "--listen", "udp:0", "--idle-after", "1", "--lateness", "0"])
    let line = try query.waitForErrorLine("listening on udp:127.0.0.1:")
    let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
    // The last event comes a second before the minute ends: the clock reaches it by itself.
    try Self.send(lines([0, 1, 58, 59]), to: port)
    let row = try query.waitForOutputLine("\"k\":\"4\"")
    #expect(try Self.rows(row) == ["4@60"])
    query.signal(SIGTERM)
    #expect(try query.waitForExit() == 0)
  }

  @Test func linesWithoutATimeAreCountedAndHarmNothing() throws {
    let bad = [
      "{\"k\":\"a\"}", "{\"t\":null,\"k\":\"b\"}", "{\"t\":\"soon\",\"k\":\"c\"}", "{\"t\":1.5,\"k\":\"d\"}", "{\"t\":true,\"k\":\"e\"}",
      "{}", "[1]", "",
    ]
    let given = try query(lines([0, 1]) + bad.joined(separator: "\n") + "\n" + lines([2, 3]), "each")
    #expect(given.rows == ["0@0", "1@1", "0@2", "1@3"])
    #expect(
      given.error.contains("line 3: the timestamp t is no integer\n") && given.error.contains("flowcep: 4 events; 8 bad lines\n"),
      "\(given.error)")
  }

  @Test(arguments: ["watermark", "compat"]) func extremeTimesDoNoHarm(_ clock: String) throws {
    let times = [
      "9223372036854775807", "-9223372036854775808", "0", "1600000000000", "-1", "4611686018427387904", "9223372036854775806",
      "1600000001000",
    ]
    let input = times.enumerated().map { "{\"t\":\($1),\"k\":\"\($0)\"}\n" }.joined()
    let given = try query(input, "each", "--clock", clock)
    #expect(given.rows.count == times.count, "\(given.error)")
    _ = try query(input + input, "minute", "--clock", clock)
  }

  // MARK: compat and system

  @Test func compatFollowsEachEventAlsoBackwards() throws {
    #expect(try query(lines([0, 100, 10, 50]), "each", "--clock", "compat").rows == ["0@0", "1@100", "2@10", "3@50"])
    #expect(try query(lines([0, 100, 10, 50]), "minute", "--clock", "compat").rows == ["1@100"])
  }

  @Test func systemGoesByTheWall() throws {
    let before = Int(Date().timeIntervalSince1970)
    let rows = try query(lines([0, 5]), "each", "--clock", "system").rows
    #expect(rows.count == 2)
    for row in rows { #expect((Int(row.split(separator: "@").last ?? "") ?? 0) + Self.base / 1000 >= before) }
  }

  private static func send(_ text: String, to port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    place.sin_addr.s_addr = inet_addr("127.0.0.1")
    let bytes = Array(text.utf8)
    let count = withUnsafePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    #expect(count == bytes.count)
  }
}
