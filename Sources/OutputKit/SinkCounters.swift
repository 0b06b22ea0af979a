public import PluginKit

/// The counters of one destination of an output. Those of the first are the ledger's: its records = delivered + each drop. An output
/// that serves several destinations at once counts the others as information, under names of their own.
public struct SinkCounters: Sendable {
  public let delivered: Counter
  public let peerAway: Counter
  public let peerSlow: Counter
  public let stopping: Counter
  /// Of the delivered ones: acknowledged by the peer's TCP, perhaps never read by the peer.
  public let unconfirmed: Counter
  private let host: Host
  private let ordinal: Int

  /// - Parameter ordinal: from 0, in the order of the configuration.
  public init(_ host: Host, ordinal: Int = 0) {
    self.host = host
    self.ordinal = ordinal
    func dropped(_ reason: String, _ help: String) -> Counter { Self.dropped(host, ordinal, reason, help) }
    delivered = ordinal == 0 ? host.deliveredCounter() : host.informationCounter("delivered-\(ordinal + 1)", help: "Records that reached destination \(ordinal + 1).")
    peerAway = dropped("peer-away", "Records dropped because the peer was away and the buffer full, or at the end.")
    peerSlow = dropped("peer-slow", "Records dropped because the peer was slow and the buffer full.")
    stopping = dropped("stopping", "Records that were not sent when the collector's time was up.")
    unconfirmed = host.informationCounter(
      ordinal == 0 ? "unconfirmed" : "unconfirmed-\(ordinal + 1)",
      help: "Of the delivered records: acknowledged by the peer's TCP, but perhaps never read by the peer.")
  }

  /// A further reason to drop.
  public func dropped(_ reason: String, help: String) -> Counter { Self.dropped(host, ordinal, reason, help) }

  private static func dropped(_ host: Host, _ ordinal: Int, _ reason: String, _ help: String) -> Counter {
    ordinal == 0 ? host.droppedCounter(reason, help: help) : host.informationCounter("\(reason)-\(ordinal + 1)", help: help)
  }
}
