/// Lines on their way to a peer: what is still to be handed to the kernel, and what the peer's TCP has yet to acknowledge.
///
/// Pure bookkeeping, of one thread at a time: no socket is touched here. Lines are kept whole in chunks, in the order of arrival; a
/// line goes when all of it is acknowledged.
public final class LineLedger {
  private var chunks: [Chunk] = []
  private var spare: Chunk?
  /// Bytes of all lines that are kept.
  public private(set) var heldBytes = 0
  /// Lines that are neither acknowledged nor dropped.
  public private(set) var heldLines = 0
  /// Bytes handed to the kernel and not acknowledged.
  public private(set) var inFlight = 0
  /// Bytes that the kernel has not been given.
  public private(set) var unsent = 0
  /// What was acknowledged last, for `takeUnconfirmed`: bytes and lines of each step.
  private var recent: [(bytes: Int, lines: Int)] = []
  private var recentBytes = 0

  private static let chunkSize = 1 << 16

  public init() {}

  public var isEmpty: Bool { heldLines == 0 }

  /// Keeps whole lines.
  ///
  /// - Parameter ends: where each line ends in `bytes`, in order; the last is the number of bytes.
  public func append(_ bytes: UnsafeRawBufferPointer, lineEnds ends: UnsafeBufferPointer<Int>) {
    guard let start = bytes.baseAddress, let total = ends.last, total <= bytes.count else { return }
    let chunk = room(for: total)
    chunk.append(start, total, ends)
    heldBytes += total
    unsent += total
    heldLines += ends.count
  }

  private func room(for count: Int) -> Chunk {
    if let last = chunks.last, last.capacity - last.used >= count { return last }
    let chunk: Chunk
    if let spare, spare.capacity >= count {
      chunk = spare
      self.spare = nil
    } else {
      chunk = Chunk(capacity: max(Self.chunkSize, count))
    }
    chunks.append(chunk)
    return chunk
  }

  /// The bytes to hand over next, at most `limit` runs of them. Valid until the ledger is changed.
  public func nextRuns(_ limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    var left = limit
    for chunk in chunks where chunk.sent < chunk.used {
      guard left > 0 else { return }
      body(UnsafeRawBufferPointer(start: chunk.bytes + chunk.sent, count: chunk.used - chunk.sent))
      left -= 1
    }
  }

  /// The kernel has taken so many bytes, in order.
  public func markSent(_ count: Int) {
    var left = min(count, unsent)
    unsent -= left
    inFlight += left
    for chunk in chunks where left > 0 {
      let taken = min(left, chunk.used - chunk.sent)
      chunk.sent += taken
      left -= taken
    }
  }

  /// Notes how many of the bytes handed over are not acknowledged yet.
  ///
  /// - Returns: lines of which the last byte has now been acknowledged.
  @discardableResult
  public func acknowledge(unacknowledged: Int) -> Int {
    let acknowledged = inFlight - max(0, unacknowledged)
    guard acknowledged > 0 else { return 0 }
    inFlight -= acknowledged
    var (left, lines) = (acknowledged, 0)
    for chunk in chunks where left > 0 {
      let taken = min(left, chunk.sent - chunk.acknowledged)
      left -= taken
      let (done, bytes) = chunk.acknowledge(taken)
      lines += done
      heldBytes -= bytes
    }
    heldLines -= lines
    remember(bytes: acknowledged, lines: lines)
    releaseFinished()
    return lines
  }

  /// The connection is gone: what was not acknowledged is to be sent again, from the last whole line on.
  ///
  /// - Returns: lines of which some byte had already been handed over.
  @discardableResult
  public func rewind() -> Int {
    let lines = chunks.reduce(0) { $0 + $1.rewind() }
    inFlight = 0
    unsent = heldBytes
    return lines
  }

  /// Lines among the last `window` acknowledged bytes: a peer's TCP may have acknowledged them and the peer never read them. Forgets them.
  public func takeUnconfirmed(window: Int) -> Int {
    trimRecent(to: window)
    defer { forgetRecent() }
    return recent.reduce(0) { $0 + $1.lines }
  }

  /// The peer has read everything that was acknowledged.
  public func forgetRecent() {
    recent = []
    recentBytes = 0
  }

  /// Drops the oldest lines until `count` more bytes fit into `capacity`. Lines near one that is partly handed over stay.
  ///
  /// - Parameter isConnected: false: nothing is on its way, and every line may go.
  /// - Returns: lines dropped.
  public func dropOldest(toFit count: Int, in capacity: Int, isConnected: Bool) -> Int {
    var (dropped, index) = (0, 0)
    while heldBytes + count > capacity, index < chunks.count {
      let chunk = chunks[index]
      if isConnected, chunk.sent > 0 {
        index += 1
        continue
      }
      dropped += chunk.lineCount
      heldBytes -= chunk.heldBytes
      unsent -= chunk.used - chunk.sent
      chunks.remove(at: index)
    }
    heldLines -= dropped
    return dropped
  }

  private func remember(bytes: Int, lines: Int) {
    recent.append((bytes, lines))
    recentBytes += bytes
    // No receive buffer is larger; the caller's window says better.
    if recent.count > 4096 { trimRecent(to: 1 << 24) }
    if recent.count > 4096 {
      let merged = recent.prefix(2048).reduce((bytes: 0, lines: 0)) { ($0.bytes + $1.bytes, $0.lines + $1.lines) }
      recent.replaceSubrange(0..<2048, with: [merged])
    }
  }

  /// Forgets the oldest steps that lie wholly beyond the last `window` bytes.
  private func trimRecent(to window: Int) {
    var count = 0
    while count < recent.count, recentBytes - recent[count].bytes >= window {
      recentBytes -= recent[count].bytes
      count += 1
    }
    recent.removeFirst(count)
  }

  private func releaseFinished() {
    var count = 0
    while count < chunks.count, chunks[count].lineCount == 0 { count += 1 }
    guard count > 0 else { return }
    let kept = chunks[count - 1]
    chunks.removeFirst(count)
    if kept.capacity == Self.chunkSize {
      kept.clear()
      spare = kept
    }
  }
}

/// Whole lines in one piece of memory.
private final class Chunk {
  let bytes: UnsafeMutableRawPointer
  let capacity: Int
  private(set) var used = 0
  /// Bytes handed to the kernel on this connection, and those of them that are acknowledged.
  var sent = 0
  private(set) var acknowledged = 0
  private var ends: [Int] = []
  /// Index of the first line that is kept.
  private var first = 0

  init(capacity: Int) {
    self.capacity = capacity
    bytes = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { bytes.deallocate() }

  var lineCount: Int { ends.count - first }
  /// Where the first kept line begins.
  private var start: Int { first == 0 ? 0 : ends[first - 1] }
  var heldBytes: Int { used - start }

  func append(_ from: UnsafeRawPointer, _ count: Int, _ lineEnds: UnsafeBufferPointer<Int>) {
    (bytes + used).copyMemory(from: from, byteCount: count)
    for end in lineEnds { ends.append(used + end) }
    used += count
  }

  func acknowledge(_ count: Int) -> (lines: Int, bytes: Int) {
    acknowledged += count
    let (before, begin) = (first, start)
    while first < ends.count, ends[first] <= acknowledged { first += 1 }
    return (first - before, start - begin)
  }

  /// Returns the lines of which a byte had been handed over.
  func rewind() -> Int {
    var touched = 0
    while first + touched < ends.count, (first + touched == 0 ? 0 : ends[first + touched - 1]) < sent { touched += 1 }
    sent = start
    acknowledged = start
    return touched
  }

  func clear() {
    (used, sent, acknowledged, first) = (0, 0, 0, 0)
    ends.removeAll(keepingCapacity: true)
  }
}
