import CLinux
import Glibc
import PluginKit

/// Has a file's bytes written to the disk as they come, and lets the page cache forget all but the newest of them.
///
/// A file that only grows would push out of the page cache what others read, leave seconds of records to one flush, and ask for memory
/// never touched before, which costs more than memory that has just been given back. Only where the disk keeps up: where asking takes
/// long, the page cache takes up what comes.
struct WriteBehind {
  private let host: Host
  /// Bytes since the system was asked last.
  private var count = 0
  private var restsUntil: UInt64 = 0

  /// Bytes from one time of asking to the next.
  private static let step = 8 << 20
  /// Bytes that stay in the page cache, for whoever follows the file.
  private static let kept = 128 << 20
  /// Nanoseconds: asking takes a tenth of a millisecond where the disk keeps up.
  private static let long: UInt64 = 50_000_000
  private static let rest: UInt64 = 10_000_000_000

  init(_ host: Host) { self.host = host }

  /// So many bytes have been written at the file's end.
  mutating func wrote(_ bytes: Int, to descriptor: Int32) {
    count += bytes
    guard count >= Self.step else { return }
    let piece = count
    count = 0
    let start = host.monotonicNanoseconds
    guard start >= restsUntil else { return }
    // Asked anew each time: others may have cut the file off, or write to it too.
    let from = Int(lseek(descriptor, 0, SEEK_CUR)) - piece
    flowcep_begin_writing(descriptor, off_t(max(from, 0)), off_t(piece))
    if from >= Self.kept { posix_fadvise(descriptor, off_t(from - Self.kept), off_t(piece), POSIX_FADV_DONTNEED) }
    let end = host.monotonicNanoseconds
    if end - start > Self.long { restsUntil = end + Self.rest }
  }
}
