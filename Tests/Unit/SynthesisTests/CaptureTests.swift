import Synthesis
import TestSupport
import Testing

@Suite struct CaptureTests {
  @Test func oneSeedGivesOneCapture() throws {
    let first = try capture(), again = try capture(), other = try capture { $0.seed = 2 }
    #expect(first.bytes == again.bytes)
    #expect(first.truth.json == again.truth.json)
    #expect(first.bytes != other.bytes)
    // Whoever changes what a seed gives changes every figure that was measured with it: do so knowingly.
    #expect(fingerprint(first.bytes) == 12_738_706_712_792_788_491)
  }

  @Test func messagesAreWellFormed() throws {
    let (bytes, truth, totals) = try capture()
    let read = ReadBack(bytes)
    #expect(read.faults.isEmpty)
    #expect(read.records.count == 20_000)
    #expect(truth.records == 20_000)
    #expect(totals.bytes == bytes.count)
    #expect(totals.messages == read.messageLengths.count)
    #expect(read.messageLengths.allSatisfy { $0 <= 1402 })
    #expect(Set(read.records.map(\.template)) == Set(256...263))
  }

  @Test func bigCapturesFillTheirMessages() throws {
    let (bytes, _, totals) = try capture {
      $0.records = 100_000; $0.durationSeconds = 60; $0.attacks = 0
    }
    let perMessage = Double(totals.records) / Double(totals.messages)
    #expect(perMessage > 23 && perMessage < 25)
    #expect(bytes.count / totals.messages > 1300)
  }

  @Test func exportFollowsTheFlow() throws {
    let records = ReadBack(try capture().bytes).records
    var latest: UInt64 = 0
    var furthestBehind: UInt64 = 0
    for (record, next) in zip(records, records.dropFirst()) { #expect(record.exportTime <= next.exportTime) }
    for record in records {
      let wait = record.exportTime * 1000 - record.end
      #expect(wait >= 900 && wait <= 21_000)
      #expect(record.number(152) <= record.end)
      furthestBehind = max(furthestBehind, latest > record.end ? latest - record.end : 0)
      latest = max(latest, record.end)
    }
    #expect(furthestBehind > 10_000 && furthestBehind <= 20_000)
  }

  @Test func mixIsThatOfTheModel() throws {
    let records = ReadBack(
      try capture {
        $0.records = 60_000; $0.attacks = 0
      }.bytes
    ).records
    func share(_ kind: UInt16) -> Double {
      Double(records.count { $0.template == 256 + kind || $0.template == 260 + kind }) / Double(records.count)
    }
    for (kind, count) in [2_470.0, 1_206, 8_132, 2_090].enumerated() {
      #expect(abs(share(UInt16(kind)) - count / 13_898) < 0.01)
    }
  }

  @Test(arguments: [
    (20_000, 200, 1, "an attack needs a capture of at least 382 seconds, not 200"),
    (100, 600, 0, "the attacks and decoys alone need 570 records, more than the 100 asked for"),
    (20_000, 59, 0, "a capture lasts 60 to 864,000 seconds, not 59"),
    (20_000, 600, 201, "a capture has 0 to 200 attacks, not 201"),
  ]) func refusesWhatCannotBe(records: Int, duration: Int, attacks: Int, message: String) {
    var options = SynthesisOptions()
    (options.records, options.durationSeconds, options.attacks) = (records, duration, attacks)
    #expect { try CaptureGenerator(options) } throws: { "\($0)" == message }
  }
}
