import Foundation
import Replay
import Synthesis
import TestSupport
import Testing

@Suite struct ReplayTests {
  /// A synthetic capture in a file that goes with the test.
  final class TemporaryCapture {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).ipfix").path
    private(set) var bytes: [UInt8] = []

    init(records: Int = 2_000, keeping count: Int? = nil) throws {
      var options = SynthesisOptions()
      (options.records, options.attacks, options.durationSeconds) = (records, 0, 120)
      var made: [UInt8] = []
      try CaptureGenerator(options).write { made += $0 }
      bytes = Array(made.prefix(count ?? made.count))
      try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  func send(
    _ capture: TemporaryCapture, to receiver: Receiver, _ transport: Peer.Transport, _ change: (inout ReplayOptions) -> Void = { _ in }
  ) throws -> ReplayTotals {
    var options = ReplayOptions()
    change(&options)
    let peer = Peer(host: "127.0.0.1", port: receiver.port, transport: transport)
    return try Replayer(Capture(path: capture.path), options).send(to: peer)
  }

  @Test func streamIsTheFile() throws {
    let capture = try TemporaryCapture(records: 20_000), receiver = try Receiver(tcp: true)
    let totals = try send(capture, to: receiver, .tcp)
    #expect(receiver.stream() == capture.bytes)
    #expect(totals.bytes == capture.bytes.count)
  }

  @Test func datagramsAreMessages() throws {
    let capture = try TemporaryCapture(records: 1_000), receiver = try Receiver(tcp: false)
    let totals = try send(capture, to: receiver, .udp)
    let datagrams = receiver.datagrams()
    #expect(datagrams.count == totals.messages)
    #expect(datagrams.map(\.count) == ReadBack(capture.bytes).messageLengths)
    #expect(Array(datagrams.joined()) == capture.bytes)
  }

  @Test func loopsGoOnWhereTheLastOneEnded() throws {
    let capture = try TemporaryCapture(), receiver = try Receiver(tcp: true)
    _ = try send(capture, to: receiver, .tcp) { ($0.loops, $0.observationDomain) = (3, 77) }
    let once = ReadBack(capture.bytes), thrice = ReadBack(receiver.stream())
    #expect(thrice.faults.isEmpty)
    #expect(thrice.records.count == 6_000)
    #expect(thrice.records.allSatisfy { $0.domain == 77 })
    // Without --shift, nothing else changes.
    for (again, first) in zip(thrice.records[4_000...], once.records) {
      #expect(again.values == first.values && again.exportTime == first.exportTime)
    }
  }

  @Test func shiftMovesAllTimes() throws {
    let capture = try TemporaryCapture(), receiver = try Receiver(tcp: true)
    _ = try send(capture, to: receiver, .tcp) { ($0.loops, $0.shiftsTimes) = (3, true) }
    let once = ReadBack(capture.bytes), thrice = ReadBack(receiver.stream())
    #expect(thrice.faults.isEmpty)
    let first = try #require(once.records.first), last = try #require(once.records.last)
    let span = last.exportTime - first.exportTime
    for loop in 0..<3 {
      for (again, original) in zip(thrice.records[(2_000 * loop)...], once.records) {
        let moved = span * UInt64(loop)
        #expect(again.exportTime == original.exportTime + moved)
        #expect(again.number(152) == original.number(152) + moved * 1000)
        #expect(again.number(153) == original.number(153) + moved * 1000)
        #expect(again.source == original.source)
      }
    }
  }

  @Test func paceLosesNothing() throws {
    let capture = try TemporaryCapture(), receiver = try Receiver(tcp: true)
    _ = try send(capture, to: receiver, .tcp) { $0.pace = .ratio(1_000) }
    #expect(receiver.stream() == capture.bytes)
  }

  @Test func errorsSayWhatAndWhere() throws {
    let refused = try Receiver(tcp: false)
    let capture = try TemporaryCapture()
    #expect { try send(capture, to: refused, .tcp) } throws: {
      "\($0)" == "cannot connect to 127.0.0.1:\(refused.port) over TCP: Connection refused"
    }
    let cut = try TemporaryCapture(keeping: 2_000)
    #expect { try Capture(path: cut.path) } throws: { "\($0)".contains("ends in the middle of a message: at offset ") }
    #expect { try Capture(path: "/nowhere/x.ipfix") } throws: { "\($0)" == "cannot read /nowhere/x.ipfix: No such file or directory" }
  }
}
