import PluginABI
public import PluginKit

/// The counters of one destination of an output: its records = delivered + each drop. Of several destinations each has an account
/// of its own.
public struct SinkCounters: Sendable {
  public let delivered: Counter
  public let peerAway: Counter
  public let peerSlow: Counter
  public let stopping: Counter
  /// Of the delivered ones: acknowledged by the peer's TCP, perhaps never read by the peer.
  public let unconfirmed: Counter
  private let host: Host
  private let destination: String?

  /// - Parameter destination: its name, where the output has several: `udp 127.0.0.1:4444`.
  public init(_ host: Host, destination: String? = nil) {
    self.host = host
    self.destination = destination
    func counter(_ name: String, _ kind: Int, _ help: String) -> Counter { Self.counter(host, destination, name, kind, help) }
    delivered = counter("delivered", FLOWCEP_COUNT_DELIVERED, "Records that reached their destination.")
    peerAway = counter(
      "peer-away", FLOWCEP_COUNT_DROPPED, "Records dropped because the peer was away and the buffer full, or at the end.")
    peerSlow = counter("peer-slow", FLOWCEP_COUNT_DROPPED, "Records dropped because the peer was slow and the buffer full.")
    stopping = counter("stopping", FLOWCEP_COUNT_DROPPED, "Records that were not sent when the collector's time was up.")
    unconfirmed = counter(
      "unconfirmed", FLOWCEP_COUNT_INFORMATION,
      "Of the delivered records: acknowledged by the peer's TCP, but perhaps never read by the peer.")
  }

  /// A further reason to drop.
  public func dropped(_ reason: String, help: String) -> Counter {
    Self.counter(host, destination, reason, FLOWCEP_COUNT_DROPPED, help)
  }

  private static func counter(_ host: Host, _ destination: String?, _ name: String, _ kind: Int, _ help: String) -> Counter {
    guard let destination else { return host.counter(name, kind: UInt32(kind), help: help) }
    return host.counter(name, kind: UInt32(kind), label: "destination", value: destination, help: help)
  }
}
