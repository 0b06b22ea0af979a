/// What a flow record is about; each kind has a template for IPv4 and one for IPv6.
enum FlowKind: Int, CaseIterable {
  case icmp, udp, tcp, http

  var name: String {
    switch self {
    case .icmp: "icmp"
    case .udp: "udp"
    case .tcp: "tcp"
    case .http: "http"
    }
  }
}

/// The URL of a record of kind `http`.
enum FlowURL {
  case none
  /// A page of a scenario.
  case page(Page)
  /// A page of the background, whose text is derived from the number.
  case hashed(UInt64)
}

/// The URLs that scenarios name.
enum Page: Int, CaseIterable {
  case wordpressLogin, login, root, updates

  var text: String {
    switch self {
    case .wordpressLogin: "/wp-login.php"
    case .login: "/login"
    case .root: "/"
    case .updates: "/updates/latest.json"
    }
  }
}

/// One flow, before it is encoded. Times are milliseconds since 1970.
struct Flow {
  var kind: FlowKind
  var source: HostAddress
  var destination: HostAddress
  var protocolNumber: UInt8
  var tcpFlags: UInt8 = 0
  var sourcePort: UInt16 = 0
  var destinationPort: UInt16 = 0
  /// ICMP type · 256 + code.
  var icmpTypeCode: UInt16 = 0
  var octets: UInt64
  var packets: UInt64
  var start: UInt64
  var end: UInt64
  var url: FlowURL = .none
}

/// Flags of a TCP header, as a flow's records gather them.
enum TCPFlags {
  static let syn: UInt8 = 0x02
  static let ack: UInt8 = 0x10
  static let resetAck: UInt8 = 0x14
  static let complete: UInt8 = 0x1B  // FIN, SYN, PSH, ACK
  static let open: UInt8 = 0x1A  // SYN, PSH, ACK
}
