/// Follows the sequence numbers of one observation domain (RFC 7011 §10.1): each message carries the number of data records
/// sent before it, modulo 2³².
struct SequenceTracker {
  /// A message so many records behind is one that came late, not an exporter that began anew.
  private static let reorderWindow = 65536

  /// Nil until the first message, and after one whose records could not be counted.
  private var expected: UInt32?
  private var lastExportTime: UInt32 = 0
  /// Bytes in sets of unknown templates in the last message: their records are missing by number, but were not lost.
  private var unknownBytes = 0

  /// A message whose records were counted.
  ///
  /// - Parameters:
  ///   - records: data records in it that were decoded.
  ///   - unknown: bytes in it in sets of unknown templates.
  mutating func note(
    sequence: UInt32, exportTime: UInt32, records: Int, unknown: Int, mayReorder: Bool, counts: inout DecodeCounts
  ) {
    let ahead = expected.map { Int(Int32(bitPattern: sequence &- $0)) } ?? 0
    if ahead > 0 {
      if ahead <= unknownBytes {
        counts.undecodedRecords += UInt64(ahead)
      } else {
        counts.sequenceGaps += 1
        counts.lostRecords += UInt64(ahead)
      }
    } else if ahead < 0 {
      let late = mayReorder && -ahead <= Self.reorderWindow && exportTime <= lastExportTime && sequence != 0
      if late {
        counts.reorderedMessages += 1
        counts.recoveredRecords += UInt64(min(records, -ahead))
        return
      }
      counts.sequenceRestarts += 1
    }
    expected = sequence &+ UInt32(truncatingIfNeeded: records)
    lastExportTime = exportTime
    unknownBytes = unknown
  }

  /// A message was discarded: the next one's number is taken as it comes.
  mutating func lose() { expected = nil }
}
