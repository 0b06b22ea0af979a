import IPFIX
import PluginABI
import Testing

@Suite struct SequenceTests {
  private func prepared(_ transport: Int) -> Decoding {
    let decoding = Decoding(transport)
    decoding.decode(Example.template(Example.fixed, sequence: 0))
    return decoding
  }

  @Test func noneLost() {
    let decoding = prepared(FLOWCEP_TRANSPORT_TCP)
    decoding.decode(Example.data(3, sequence: 0), Example.data(2, sequence: 3), Example.data(1, sequence: 5))
    #expect(decoding.counts.lostRecords == 0)
    #expect(decoding.counts.sequenceGaps == 0)
  }

  @Test func gapsAreCountedInRecords() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Example.data(3, sequence: 0), Example.data(2, sequence: 10), Example.data(1, sequence: 15))
    #expect(decoding.counts.sequenceGaps == 2)
    #expect(decoding.counts.lostRecords == 10)
  }

  @Test func wrapsAround() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Example.template(Example.fixed, sequence: 0xffff_fffe))
    decoding.decode(Example.data(3, sequence: 0xffff_fffe), Example.data(1, sequence: 1), Example.data(1, sequence: 3))
    #expect(decoding.counts.lostRecords == 1)
    #expect(decoding.counts.sequenceRestarts == 0)
  }

  @Test func lateOnesAreTakenBack() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(
      Example.data(3, sequence: 0), Example.data(2, sequence: 5, exportTime: 101), Example.data(2, sequence: 3, exportTime: 100),
      Example.data(1, sequence: 7, exportTime: 101))
    #expect(decoding.counts.lostRecords == 2)
    #expect(decoding.counts.recoveredRecords == 2)
    #expect(decoding.counts.reorderedMessages == 1)
    #expect(decoding.counts.sequenceGaps == 1)
  }

  @Test func restartsAreNoLoss() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(
      Example.data(3, sequence: 0), Example.data(3, sequence: 3), Example.data(2, sequence: 0, exportTime: 200),
      Example.data(2, sequence: 2, exportTime: 201))
    #expect(decoding.counts.sequenceRestarts == 1)
    #expect(decoding.counts.lostRecords == 0)
  }

  @Test func recordsOfUnknownTemplatesAreNotLost() {
    let decoding = Decoding(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Example.data(3, sequence: 0), Example.template(Example.fixed, sequence: 3), Example.data(1, sequence: 3))
    #expect(decoding.counts.undecodedRecords == 3)
    #expect(decoding.counts.lostRecords == 0)
    #expect(decoding.counts.lateRecords == 3)
    #expect(decoding.counts.records == 4)
  }

  @Test func afterADiscardedMessageTheNextIsTakenAsItComes() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    var broken = Example.data(3, sequence: 0)
    broken[18] = 0
    broken[19] = 3
    decoding.decode(broken, Example.data(1, sequence: 3))
    #expect(decoding.counts[.badSetLength] == 1)
    #expect(decoding.counts.lostRecords == 0)
  }

  @Test func theFirstMessageMayComeLate() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    let other = Decoding(FLOWCEP_TRANSPORT_UDP)
    other.decode(
      Example.template(Example.fixed, sequence: 3), Example.data(2, sequence: 3), Example.data(3, sequence: 0), Example.data(1, sequence: 5)
    )
    #expect(other.counts.reorderedMessages == 1)
    #expect(other.counts.sequenceRestarts == 0 && other.counts.lostRecords == 0)
    #expect(decoding.counts.sequenceRestarts == 0)
  }

  @Test func repeatedMessagesAreNotRecovered() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(Example.data(3, sequence: 0), Example.data(2, sequence: 3), Example.data(2, sequence: 3), Example.data(1, sequence: 5))
    #expect(decoding.counts.repeatedMessages == 1)
    #expect(decoding.counts.recoveredRecords == 0 && decoding.counts.lostRecords == 0)
  }

  @Test func leapsAreRestarts() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    decoding.decode(
      Example.data(3, sequence: 0), Example.data(2, sequence: 0x7000_0000, exportTime: 101), Example.data(1, sequence: 0x7000_0002))
    #expect(decoding.counts.sequenceRestarts == 1)
    #expect(decoding.counts.lostRecords == 0)
  }

  @Test func timesAtTheirExtremes() {
    let decoding = prepared(FLOWCEP_TRANSPORT_UDP)
    for time in [0, UInt32.max, 0, 1, UInt32.max] {
      for sequence in [0, UInt32.max, 0x7fff_ffff, 0x8000_0000, 1] {
        #expect(decoding.decode(Example.data(1, sequence: sequence, exportTime: time)).count == 1)
      }
    }
    decoding.decode(Example.data(2, sequence: 1000, exportTime: 100), Example.data(2, sequence: 1002, exportTime: 100))
    let before = decoding.counts.lostRecords
    decoding.decode(Example.data(2, sequence: 1006, exportTime: 101))
    #expect(decoding.counts.lostRecords == before + 2)
  }
}
