public import SecureTransport

/// Where a capture is sent.
public struct Peer: Sendable, CustomStringConvertible {
  public enum Transport: String, Sendable, CaseIterable { case tcp = "TCP", udp = "UDP" }

  public var host: String
  public var port: UInt16
  public var transport: Transport
  /// TLS over TCP, DTLS over UDP; nil: neither.
  public var security: Security?

  public struct Security: Sendable {
    public var identity: SecureSettings
    /// What the peer's certificate must be of: a name or an address; nil: anything that is vouched for.
    public var serverName: String?

    public init(identity: SecureSettings, serverName: String?) {
      (self.identity, self.serverName) = (identity, serverName)
    }
  }

  public init(host: String, port: UInt16, transport: Transport, security: Security? = nil) {
    (self.host, self.port, self.transport, self.security) = (host, port, transport, security)
  }

  public var description: String {
    let name = security == nil ? transport.rawValue : transport == .tcp ? "TLS" : "DTLS"
    return (host.contains(":") ? "[\(host)]" : host) + ":\(port) over \(name)"
  }
}
