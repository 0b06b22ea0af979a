/// A field of a template: information element, length in bytes, enterprise (0 = IANA).
struct FlowField {
  var element: UInt16
  var length: UInt16
  var enterprise: UInt32 = 0

  init(_ element: UInt16, _ length: UInt16, enterprise: UInt32 = 0) {
    (self.element, self.length, self.enterprise) = (element, length, enterprise)
  }
}

/// The eight layouts of a synthetic capture: 256…259 for IPv4 and 260…263 for IPv6, in the order of ``FlowKind``.
struct FlowTemplate {
  var id: UInt16
  var fields: [FlowField]

  var recordLength: Int { fields.reduce(0) { $0 + Int($1.length) } }

  /// The length of a URL field; shorter URLs are padded with NULs.
  static let urlLength = 64

  static let all: [FlowTemplate] = [false, true].flatMap { ipv6 in
    FlowKind.allCases.map { FlowTemplate(id: UInt16(256 + $0.rawValue + (ipv6 ? 4 : 0)), fields: fields($0, ipv6: ipv6)) }
  }

  /// The element numbers are IANA's: 1 octetDeltaCount, 2 packetDeltaCount, 4 protocolIdentifier, 6 tcpControlBits, 7 and 11 the
  /// ports, 8 and 12 (27 and 28) the addresses, 32 (139) icmpTypeCode, 60 ipVersion, 152 and 153 flow start and end.
  private static func fields(_ kind: FlowKind, ipv6: Bool) -> [FlowField] {
    let source = ipv6 ? FlowField(27, 16) : FlowField(8, 4)
    let destination = ipv6 ? FlowField(28, 16) : FlowField(12, 4)
    let ports = kind != .icmp
    var fields = [FlowField(1, 8), FlowField(2, 8), FlowField(4, 1)]
    if kind == .tcp || kind == .http { fields.append(FlowField(6, 1)) }
    if ports { fields.append(FlowField(7, 2)) }
    fields.append(source)
    if ports { fields.append(FlowField(11, 2)) }
    fields.append(destination)
    if kind == .icmp { fields.append(FlowField(ipv6 ? 139 : 32, 2)) }
    fields += [FlowField(60, 1), FlowField(152, 8), FlowField(153, 8)]
    if kind == .http { fields.append(FlowField(2, UInt16(urlLength), enterprise: 39499)) }
    return fields
  }

  /// One IPFIX template set with all eight, as RFC 7011 §3.4.1 lays it out.
  static let templateSet: [UInt8] = {
    var body: [UInt8] = []
    func put16(_ value: UInt16) { body += [UInt8(value >> 8), UInt8(value & 0xFF)] }
    for template in all {
      put16(template.id)
      put16(UInt16(template.fields.count))
      for field in template.fields {
        put16(field.enterprise == 0 ? field.element : field.element | 0x8000)
        put16(field.length)
        if field.enterprise != 0 {
          put16(UInt16(field.enterprise >> 16))
          put16(UInt16(field.enterprise & 0xFFFF))
        }
      }
    }
    let length = UInt16(body.count + 4)
    return [0, 2, UInt8(length >> 8), UInt8(length & 0xFF)] + body
  }()
}
