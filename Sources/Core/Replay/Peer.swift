/// Where a capture is sent.
public struct Peer: Sendable, CustomStringConvertible {
  public enum Transport: String, Sendable, CaseIterable { case tcp = "TCP", udp = "UDP" }

  public var host: String
  public var port: UInt16
  public var transport: Transport

  public init(host: String, port: UInt16, transport: Transport) {
    (self.host, self.port, self.transport) = (host, port, transport)
  }

  public var description: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port) over \(transport.rawValue)" }
}
