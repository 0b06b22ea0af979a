/// Finds where messages end in a file of datagrams, one after another: IPFIX, NetFlow 9 and NetFlow 5, also mixed.
///
/// NetFlow has no length in its header: a message of version 5 ends behind its records, one of version 9 where another message
/// begins or the file ends.
public enum DatagramFramer {
  /// What begins at the first of `bytes`.
  ///
  /// - Parameter atEnd: nothing follows `bytes`.
  public static func step(_ bytes: UnsafeRawBufferPointer, atEnd: Bool = false) -> MessageFramer.Step {
    guard bytes.count >= 4, let start = bytes.baseAddress else { return .needs(4) }
    switch load16(start, 0) {
    case Wire.version5:
      let length = Wire.messageHeader5 + Int(load16(start, 2)) * Wire.record5
      guard length <= longest else { return .bad(.length(load16(start, 2))) }
      return bytes.count >= length ? .message(length: length) : .needs(length)
    case Wire.version9: return step9(start, bytes.count, atEnd)
    default: return MessageFramer.step(bytes)
    }
  }

  /// No datagram is longer.
  private static let longest = 65535

  private static func step9(_ start: UnsafeRawPointer, _ count: Int, _ atEnd: Bool) -> MessageFramer.Step {
    var place = Wire.messageHeader9
    guard count >= place else { return .needs(place) }
    while place <= longest {
      if atEnd, NetFlow9.isZero(start, place, min(count, place + 4)), count - place < 4 { return .message(length: count) }
      // Four bytes, and up to three of padding before them.
      guard count - place >= 7 || atEnd && count - place >= 4 else { return .needs(place + 7) }
      if beginsMessage(start, place) { return .message(length: place) }
      if let set = NetFlow9.set(start, at: place, messageEnd: count) {
        place = set.end
        continue
      }
      if let aligned = NetFlow9.behindPadding(start, at: place, messageEnd: count), count - aligned >= 4, beginsMessage(start, aligned) {
        return .message(length: aligned)
      }
      if let end = zerosEnd(start, place, count, atEnd) { return end }
      let length = load16(start, place + 2)
      guard length >= Wire.setHeader, place + Int(length) > count else { return .bad(.length(length)) }
      return .needs(place + Int(length))
    }
    return .bad(.length(UInt16.max))
  }

  /// What lies behind a message's last set and is nothing but zeros, up to the next message or the file's end; nil where it is something else.
  private static func zerosEnd(_ start: UnsafeRawPointer, _ place: Int, _ count: Int, _ atEnd: Bool) -> MessageFramer.Step? {
    guard load32(start, place) == 0 else { return nil }
    var end = place
    while end < count, end <= longest, start.load(fromByteOffset: end, as: UInt8.self) == 0 { end += 1 }
    // The next message begins with a byte of zero.
    if count - end >= 1, end <= longest { return beginsMessage(start, end - 1) ? .message(length: end - 1) : nil }
    return end > longest ? nil : atEnd ? .message(length: count) : .needs(count + 1)
  }

  /// Versions are no ids of sets: 2 to 255 are reserved.
  private static func beginsMessage(_ start: UnsafeRawPointer, _ place: Int) -> Bool {
    let word = load16(start, place)
    return word == Wire.version5 || word == Wire.version9 || word == Wire.version
  }
}
