import IPFIX
import PluginABI
import Testing

/// Nothing that a packet says can break the decoder, or a session that was healthy before.
@Suite struct HostileTests {
  private func expectHealthy(_ decoding: Decoding) {
    let records = decoding.decode(Example.message())
    #expect(records.count == 6)
    #expect(records.last?.number("exportedMessageTotalCount") == 256)
  }

  @Test func truncatedAtEveryByte() {
    let good = Example.message()
    let decoding = Decoding()
    for length in 0..<good.count {
      #expect(decoding.decode(Array(good[..<length])).isEmpty)
    }
    #expect(decoding.counts.messages == UInt64(good.count))
    #expect(decoding.counts[.shortMessage] == 16)
    #expect(decoding.counts[.badMessageLength] == UInt64(good.count - 16))
    expectHealthy(decoding)
  }

  @Test func truncatedAtEveryByteWithAFittingLength() {
    let good = Example.message()
    let whole = Decoding().decode(good)
    for length in 16..<good.count {
      let decoding = Decoding()
      var message = Array(good[..<length])
      message[2] = UInt8(length >> 8)
      message[3] = UInt8(length & 255)
      let records = decoding.decode(message)
      #expect(records.isEmpty || records == Array(whole[..<records.count]))
      expectHealthy(decoding)
    }
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 254, 255, 256, 65534, 65535])
  func anyTwoBytesSetTo(value: Int) {
    let good = Example.message()
    for place in 0..<good.count - 1 {
      let decoding = Decoding()
      var message = good
      message[place] = UInt8(value >> 8)
      message[place + 1] = UInt8(value & 255)
      decoding.decode(message)
      #expect(decoding.counts.messages == 1)
    }
  }

  @Test func recordsThatRunOverTheirSet() {
    let decoding = Decoding()
    decoding.decode(Example.message())
    // A URL of 200 bytes in a set of 24.
    var message: [UInt8] = [0, 10, 0, 40] + Array(repeating: 0, count: 11) + [7]
    message += [1, 44, 0, 24, 192, 0, 2, 9, 200] + Array(repeating: 65, count: 15)
    #expect(decoding.decode(message).isEmpty)
    #expect(decoding.counts[.badRecord] == 1)
    expectHealthy(decoding)
  }

  @Test(
    arguments: [
      [0, 2, 0, 3], [0, 2, 0, 255], [0, 2, 0, 8, 1, 0, 0, 1], [0, 2, 0, 8, 0, 5, 0, 1], [0, 3, 0, 10, 1, 0, 0, 1, 0, 2],
      [0, 3, 0, 14, 1, 0, 0, 1, 0, 0, 0, 8, 0, 4], [0, 2, 0, 12, 1, 0, 0, 1, 0x80, 8, 0, 4], [0, 2, 0, 12, 1, 0, 0, 1, 0, 8, 0, 0],
      [0, 2, 0, 12, 1, 0, 255, 255, 0, 8, 0, 4], [0, 2],
    ] as [[UInt8]])
  func malformedTemplatesDiscardTheMessage(set: [UInt8]) {
    let decoding = Decoding()
    let message: [UInt8] = [0, 10, 0, UInt8(16 + set.count)] + Array(repeating: 0, count: 12) + set
    decoding.decode(message)
    #expect(decoding.counts[.badTemplate] + decoding.counts[.badSetLength] == 1)
    expectHealthy(decoding)
  }

  @Test func otherVersionsAreDiscarded() {
    let decoding = Decoding()
    var message = Example.message()
    message[1] = 11
    decoding.decode(message)
    #expect(decoding.counts[.badVersion] == 1)
    expectHealthy(decoding)
  }

  @Test func packetsOutsideTheBytesAreIgnored() {
    // The longest message there can be, of the shortest records there can be.
    let template = TemplateRecord(id: 256, fields: [.init(element: 4, length: 1)])
    let decoding = Decoding()
    decoding.decode(Example.template(template))
    let length = 65535
    let set = length - 16
    let message: [UInt8] =
      [0, 10, 255, 255] + Array(repeating: 0, count: 11) + [7, 1, 0, UInt8(set >> 8), UInt8(set & 255)]
      + Array(repeating: 17, count: set - 4)
    #expect(decoding.decode(message, message).count == 2 * (set - 4))
  }
}
