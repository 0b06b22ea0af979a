import IPFIX
import Testing

@Suite struct EncoderTests {
  @Test func headerAndSets() {
    var encoder = MessageEncoder(observationDomain: 0x01020304)
    encoder.add(TemplateRecord(id: 256, fields: [.init(element: 8, length: 4), .init(enterprise: 39499, element: 2, length: 64)]))
    #expect(
      encoder.finish(exportTime: 0x5acf7804) == [
        0, 10, 0, 36, 0x5a, 0xcf, 0x78, 0x04, 0, 0, 0, 0, 1, 2, 3, 4, 0, 2, 0, 20, 1, 0, 0, 2, 0, 8, 0, 4, 0x80, 2, 0, 64, 0, 0, 0x9a, 0x4b,
      ])
  }

  @Test func sequenceCountsDataRecords() {
    var encoder = MessageEncoder(sequence: .max)
    encoder.addRecord(template: 256, [1])
    encoder.addRecord(template: 256, [2])
    let first = encoder.finish(exportTime: 0)
    #expect(Array(first[8..<12]) == [255, 255, 255, 255])
    #expect(Array(first[16...]) == [1, 0, 0, 6, 1, 2])
    #expect(encoder.sequence == 1)
    #expect(encoder.isEmpty)
  }

  @Test func refusesWhatDoesNotFit() {
    var encoder = MessageEncoder(maximumLength: 30)
    let taken = [
      encoder.addRecord(template: 256, Array(repeating: 0, count: 8)), encoder.addRecord(template: 256, [1, 2, 3]),
      encoder.addRecord(template: 257, [1]), encoder.addRecord(template: 256, [1, 2]),
    ]
    #expect(taken == [true, false, false, true])
    #expect(encoder.length == 30)
  }
}
