/// Follows the sequence numbers of one observation domain, modulo 2³²: IPFIX counts the data records sent before a message
/// (RFC 7011 §10.1), NetFlow 5 too, NetFlow 9 the messages.
///
/// Lost, late, sent twice and begun anew look alike in one number; the rest of the header tells them apart.
struct SequenceTracker {
  /// A message so many units behind is one that came late, not an exporter that began anew.
  private static let reorderWindow = 65536
  /// More cannot be lost in a second: an exporter whose number leaps further has begun anew.
  private static let mostPerSecond = 1 << 22

  enum Unit { case records, messages }

  /// What a message says that matters here.
  struct Message {
    var sequence: UInt32
    var exportTime: UInt32
    /// What the message itself counts for.
    var units: Int
    /// Bytes in it in sets of unknown templates.
    var unknownBytes = 0
    /// When the exporter began, in milliseconds since 1970, where the header says so.
    var boot: Int64?
  }

  let unit: Unit
  /// Nil until the first message, and after one whose records could not be counted.
  private var expected: UInt32?
  private var last = Message(sequence: 0, exportTime: 0, units: 0)
  /// The lowest number since the exporter began.
  private var lowest: UInt32 = 0
  /// Lost so far, and not come late.
  private var missing = 0

  init(_ unit: Unit) { self.unit = unit }

  /// True where the exporter began anew.
  mutating func note(_ message: Message, mayReorder: Bool, counts: inout DecodeCounts) -> Bool {
    let restarts = counts.sequenceRestarts
    follow(message, mayReorder: mayReorder, &counts)
    return counts.sequenceRestarts != restarts
  }

  private mutating func follow(_ message: Message, mayReorder: Bool, _ counts: inout DecodeCounts) {
    let ahead = expected.map { Int(Int32(bitPattern: message.sequence &- $0)) } ?? 0
    if expected == nil {
      if missing == 0 { lowest = message.sequence }
    } else if ahead > 0 {
      if ahead <= last.unknownBytes, unit == .records {
        counts.undecodedRecords += UInt64(ahead)
      } else if ahead > plausibleLoss(until: message.exportTime) {
        restart(at: message.sequence, &counts)
      } else {
        counts.sequenceGaps += 1
        add(ahead, to: &counts.lostRecords, or: &counts.lostMessages)
        missing += ahead
      }
    } else if ahead < 0 {
      if mayReorder, isLate(message, behind: -ahead) { return takeLate(message, behind: -ahead, &counts) }
      restart(at: message.sequence, &counts)
    }
    expected = message.sequence &+ UInt32(truncatingIfNeeded: message.units)
    last = message
  }

  /// A message was discarded: the next one's number is taken as it comes.
  mutating func lose() { expected = nil }

  private func plausibleLoss(until exportTime: UInt32) -> Int {
    let seconds = exportTime >= last.exportTime ? Int(exportTime - last.exportTime) : 0
    return (seconds + 1) * Self.mostPerSecond
  }

  private func isLate(_ message: Message, behind: Int) -> Bool {
    guard behind <= Self.reorderWindow, message.exportTime <= last.exportTime else { return false }
    if let boot = message.boot, let before = last.boot { return boot - before < 5000 }
    // Zero is where an exporter begins: anew, unless it is the beginning that came late.
    return message.sequence != 0 || lowest != 0 && message.units <= Int(lowest)
  }

  private mutating func takeLate(_ message: Message, behind: Int, _ counts: inout DecodeCounts) {
    counts.reorderedMessages += 1
    if Int32(bitPattern: message.sequence &- lowest) < 0 {
      // From before the first that was seen: never missed.
      lowest = message.sequence
      return
    }
    let recovered = min(message.units, behind, missing)
    if recovered == 0, message.units > 0 { counts.repeatedMessages += 1 }
    missing -= recovered
    add(recovered, to: &counts.recoveredRecords, or: &counts.recoveredMessages)
  }

  private mutating func restart(at sequence: UInt32, _ counts: inout DecodeCounts) {
    counts.sequenceRestarts += 1
    (lowest, missing) = (sequence, 0)
  }

  private func add(_ number: Int, to records: inout UInt64, or messages: inout UInt64) {
    if unit == .records { records += UInt64(number) } else { messages += UInt64(number) }
  }
}
