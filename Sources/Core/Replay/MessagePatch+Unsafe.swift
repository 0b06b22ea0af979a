/// Rewrites copies of a capture's messages: sequence numbers and times that go on from loop to loop, another observation domain.
struct MessagePatch {
  let index: CaptureIndex?
  let domain: UInt32?
  /// Seconds by which times move on from one loop to the next; 0 leaves them.
  let step: UInt32

  /// Whether a message of this loop differs from the file's.
  func changes(loop: Int) -> Bool { domain != nil || (index != nil && loop > 0) }

  /// - Parameter message: a copy of message `number`, whole.
  func apply(to message: UnsafeMutableRawBufferPointer, number: Int, loop: Int) {
    if let index, loop > 0 {
      let own = read32(message, 12)
      write32(message, 8, read32(message, 8) &+ (index.sequenceSteps[own] ?? 0) &* UInt32(truncatingIfNeeded: loop))
      if step > 0 { shiftTimes(message, number, by: UInt64(step) * UInt64(loop), index) }
    }
    if let domain { write32(message, 12, domain) }
  }

  private func shiftTimes(_ message: UnsafeMutableRawBufferPointer, _ number: Int, by seconds: UInt64, _ index: CaptureIndex) {
    let short = UInt32(truncatingIfNeeded: seconds)
    write32(message, 4, read32(message, 4) &+ short)
    for i in index.starts[number]..<index.starts[number + 1] {
      let field = index.fields[i], offset = Int(field.offset)
      switch field.form {
      case .seconds, .ntp: write32(message, offset, read32(message, offset) &+ short)
      case .milliseconds:
        let time = UInt64(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        message.storeBytes(of: (time &+ seconds &* 1000).bigEndian, toByteOffset: offset, as: UInt64.self)
      }
    }
  }

  private func read32(_ message: UnsafeMutableRawBufferPointer, _ offset: Int) -> UInt32 {
    UInt32(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  private func write32(_ message: UnsafeMutableRawBufferPointer, _ offset: Int, _ value: UInt32) {
    message.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
  }
}
