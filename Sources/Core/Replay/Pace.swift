/// How fast a capture is replayed.
public enum Pace: Sendable, Equatable {
  /// As fast as the peer takes it.
  case full
  case bytesPerSecond(Double)
  case messagesPerSecond(Double)
  /// Export times' own distances, so many times as fast: 1 is real time.
  case ratio(Double)
}

/// When each message is due, counted from the replay's start.
struct Schedule {
  private let pace: Pace
  /// With a ratio: when each message of a loop is due, in seconds from the loop's start.
  private let dueInLoop: [Double]
  private let loopSeconds: Double

  init(_ pace: Pace, _ messages: [Capture.Message]) {
    self.pace = pace
    guard case .ratio(let ratio) = pace, let first = messages.first else {
      (dueInLoop, loopSeconds) = ([], 0)
      return
    }
    var due: [Double] = []
    due.reserveCapacity(messages.count)
    var next = 0, second = first.exportTime
    while next < messages.count {
      // A group is what was exported within one second, or says that it was exported before; it is spread evenly over that second.
      second = max(second, messages[next].exportTime)
      let end = messages[next...].firstIndex { $0.exportTime > second } ?? messages.count
      let start = Double(second - first.exportTime)
      for i in next..<end { due.append((start + Double(i - next) / Double(end - next)) / ratio) }
      next = end
    }
    dueInLoop = due
    loopSeconds = Double(second - first.exportTime + 1) / ratio
  }

  /// In nanoseconds, for message `index` of a loop, when `messages` and `bytes` have been sent before it.
  func due(index: Int, loop: Int, messages: Int, bytes: Int) -> UInt64 {
    let seconds: Double =
      switch pace {
      case .full: 0
      case .bytesPerSecond(let rate): Double(bytes) / rate
      case .messagesPerSecond(let rate): Double(messages) / rate
      case .ratio: dueInLoop[index] + Double(loop) * loopSeconds
      }
    return UInt64(min(seconds * 1e9, 9e18))
  }
}
