import IPFIX
import Testing

@Suite struct FramerTests {
  private func step(_ bytes: [UInt8]) -> MessageFramer.Step { bytes.withUnsafeBytes { MessageFramer.step($0) } }

  @Test func waitsForTheHeaderThenForTheMessage() {
    let message = Example.message()
    for count in 0..<4 { #expect(step(Array(message[..<count])) == .needs(4)) }
    for count in 4..<message.count { #expect(step(Array(message[..<count])) == .needs(message.count)) }
    #expect(step(message) == .message(length: message.count))
    #expect(step(message + [0, 10]) == .message(length: message.count))
  }

  @Test func saysWhatIsBad() {
    #expect(step([0, 9, 0, 20]) == .bad(.version(9)))
    #expect(step([0, 10, 0, 15]) == .bad(.length(15)))
    #expect(step([71, 69, 84, 32]) == .bad(.version(0x4745)))
    #expect(MessageFramer.Reason.version(5).description == "bad version 5, expected 10 (IPFIX)")
  }
}
