public import PluginKit

/// Says who was refused and why, but no more than so much: whoever is refused can try as often as he likes.
public struct RefusalLog {
  private let host: Host
  private var said = 0
  private var unsaid = 0
  private var until: UInt64 = 0

  private static let most = 20
  private static let period: UInt64 = 10_000_000_000

  public init(_ host: Host) { self.host = host }

  public mutating func say(_ text: String) {
    let now = host.monotonicNanoseconds
    if now >= until {
      if unsaid > 0 { host.log(.warning, "\(unsaid) further refusals in the last while") }
      (said, unsaid, until) = (0, 0, now + Self.period)
    }
    guard said < Self.most else {
      unsaid += 1
      return
    }
    said += 1
    host.log(.warning, text)
  }
}
