import Glibc

/// What is sent, how often and how fast.
public struct ReplayOptions: Sendable {
  /// How often the capture is sent; nil: again and again.
  public var loops: Int? = 1
  public var pace = Pace.full
  /// The observation domain that all messages get; nil leaves theirs.
  public var observationDomain: UInt32?
  /// Whether export and flow times go on from loop to loop.
  public var shiftsTimes = false

  public init() {}
}

/// What was sent.
public struct ReplayTotals: Sendable {
  public var messages = 0
  public var bytes = 0
  /// How often, over UDP, the peer's machine has said that nobody listens: messages have been lost.
  public var refusals = 0
}

/// Sends a capture to a collector. On every further loop sequence numbers go on where the last loop ended.
public struct Replayer {
  /// Bytes handed to the kernel in one call over TCP.
  private static let streamPiece = 1 << 18
  private let capture: Capture
  private let options: ReplayOptions

  public init(_ capture: Capture, _ options: ReplayOptions) {
    self.capture = capture
    self.options = options
  }

  /// - Parameter progress: called now and then with what has been sent so far.
  /// - Throws: ``ReplayError`` where the peer cannot be reached or goes away.
  public func send(to peer: Peer, progress: (ReplayTotals) -> Void = { _ in }) throws(ReplayError) -> ReplayTotals {
    let socket = try ReplaySocket(peer)
    let repeats = options.loops != 1
    let patch = MessagePatch(
      index: repeats ? CaptureIndex(capture, times: options.shiftsTimes) : nil, domain: options.observationDomain,
      step: options.shiftsTimes ? capture.span : 0)
    let lengths = capture.messages.map(\.length)
    let limit = peer.transport == .udp ? ReplaySocket.batchLimit : Int.max
    let schedule = Schedule(options.pace, capture.messages)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.streamPiece + 65_536, alignment: 16)
    defer { scratch.deallocate() }
    let start = now()
    var totals = ReplayTotals()
    var loop = 0
    while loop < options.loops ?? .max {
      var next = 0
      while next < lengths.count {
        waitUntil(start + schedule.due(index: next, loop: loop, messages: totals.messages, bytes: totals.bytes))
        let run = dueRun(from: next, loop, limit, schedule, totals, elapsed: now() - start)
        let bytes = patch.changes(loop: loop) ? patched(run, loop, patch, scratch) : plain(run)
        try socket.send(bytes, lengths: lengths[run])
        totals.messages += run.count
        totals.bytes += bytes.count
        totals.refusals = socket.refusals
        next = run.upperBound
        progress(totals)
      }
      loop += 1
    }
    try socket.finish()
    return totals
  }

  /// The messages from `next` on that are due and fit into one call; at least one.
  private func dueRun(
    from next: Int, _ loop: Int, _ limit: Int, _ schedule: Schedule, _ totals: ReplayTotals, elapsed: UInt64
  ) -> Range<Int> {
    var end = next + 1
    var bytes = capture.messages[next].length
    while end < capture.messages.count, end - next < limit, bytes < Self.streamPiece,
      schedule.due(index: end, loop: loop, messages: totals.messages + end - next, bytes: totals.bytes + bytes) <= elapsed
    {
      bytes += capture.messages[end].length
      end += 1
    }
    return next..<end
  }

  /// The messages as they stand in the file.
  private func plain(_ run: Range<Int>) -> UnsafeRawBufferPointer {
    let last = capture.messages[run.upperBound - 1]
    return UnsafeRawBufferPointer(rebasing: capture.bytes[capture.messages[run.lowerBound].offset..<last.offset + last.length])
  }

  private func patched(
    _ run: Range<Int>, _ loop: Int, _ patch: MessagePatch, _ scratch: UnsafeMutableRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    let source = plain(run)
    scratch.copyMemory(from: source)
    var offset = 0
    for number in run {
      let length = capture.messages[number].length
      patch.apply(to: UnsafeMutableRawBufferPointer(rebasing: scratch[offset..<offset + length]), number: number, loop: loop)
      offset += length
    }
    return UnsafeRawBufferPointer(rebasing: scratch[..<source.count])
  }
}

/// The monotonic clock, in nanoseconds.
func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func waitUntil(_ due: UInt64) {
  var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
  while due > now(), clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
}
