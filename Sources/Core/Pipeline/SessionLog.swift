public import PluginHost
public import Telemetry

/// An input's lines about its sessions, so many in a minute: who invents sessions, or sends what makes no sense, must not fill a disk.
public struct SessionLog {
  private let services: HostServices
  private let name: InstanceName
  private var said = 0
  private var unsaid = 0
  private var until: UInt64 = 0

  public static let most = 5000
  private static let period: UInt64 = 60_000_000_000

  public init(_ services: HostServices, _ name: InstanceName) { (self.services, self.name) = (services, name) }

  /// - Parameter now: monotonic, in nanoseconds.
  public mutating func say(_ level: HostServices.LogLevel, _ text: @autoclosure () -> String, now: UInt64 = Clock.monotonic()) {
    if now >= until {
      finish()
      (said, until) = (0, now + Self.period)
    }
    guard said < Self.most else {
      unsaid += 1
      return
    }
    said += 1
    services.log(level, name, text())
  }

  /// Says how much was not said.
  public mutating func finish() {
    if unsaid > 0 { services.log(.warning, name, "\(unsaid) further lines about sessions are left out") }
    unsaid = 0
  }
}
