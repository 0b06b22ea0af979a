import PluginABI

/// Counts peers that are refused, the first few one by one with the reason: `flowcep status` shows them.
public struct RefusedPeers {
  private let host: Host
  private var counters: [String: Counter] = [:]

  private static let limit = 64

  public init(_ host: Host) {
    self.host = host
  }

  public mutating func note(_ peer: String, _ reason: String) {
    let key = "\(peer): \(reason)"
    if counters[key] == nil, counters.count < Self.limit {
      counters[key] = host.counter(
        "refused", kind: UInt32(FLOWCEP_COUNT_INFORMATION), label: "peer", value: key, help: "How often a peer was refused, and why.")
    }
    counters[key]?.add(1)
  }
}
