import Foundation
import InformationElements
import TestSupport

/// What tshark's JSON says of a capture's records, and our records in its words.
enum TsharkDecode {
  /// The values of a record by tshark's key; of several under one key, in the order of the record.
  typealias Values = [String: [String]]

  /// For each datagram, its records.
  static func read(_ file: String) throws -> [[Values]] {
    let name = file.split(separator: ".")[0] + ".tshark.json"
    let url = SharedFolder.repository.appendingPathComponent("Tests/Data/samples/\(name)")
    let packets = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]] ?? []
    return packets.map { packet in
      let layers = (packet["_source"] as? [String: Any])?["layers"] as? [String: Any]
      return records(layers?["cflow"] as? [String: Any] ?? [:])
    }
  }

  private static func records(_ message: [String: Any]) -> [Values] {
    numbered(message, "pdu").map(values)
      + (numbered(message, "Set") + numbered(message, "FlowSet")).flatMap {
        numbered($0, "Flow").map(values)
      }
  }

  /// The members "Set 1 …", "Set 2 …" in that order.
  private static func numbered(_ object: [String: Any], _ word: String) -> [[String: Any]] {
    object.compactMap { key, value -> (Int, [String: Any])? in
      let parts = key.split { $0 == " " || $0 == "/" }
      guard parts.count > 1, parts[0] == word, let number = Int(parts[1]), let object = value as? [String: Any] else { return nil }
      return (number, object)
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private static func values(_ record: [String: Any]) -> Values {
    var values: Values = [:]
    for (key, value) in record {
      if key == "cflow.timedelta_tree", let times = value as? [String: Any] {
        for (key, time) in times { values[key] = texts(time) }
      } else if !key.hasSuffix("_tree"), key != "cflow.timedelta", key != "cflow.padding" {
        values[key] = texts(value)
      }
    }
    return values
  }

  private static func texts(_ value: Any) -> [String] { value as? [String] ?? (value as? String).map { [$0] } ?? [] }

  // MARK: Ours

  static func values(of record: Decoding.Record, isVersion9: Bool, exportTime: UInt64) -> Values {
    var values: Values = [:]
    for field in record.fields {
      // An empty value of variable length is not shown.
      if field.bytes.isEmpty { continue }
      let name = forward(field.name)
      if name == "icmpTypeCodeIPv6" {
        values["cflow.icmp_ipv6_type", default: []].append("\(field.bytes[0])")
        values["cflow.icmp_ipv6_code", default: []].append("\(field.bytes[1])")
      } else if name == "flowStartDeltaMicroseconds" || name == "flowEndDeltaMicroseconds" {
        let time = exportTime * 1000 - record.number(name) / 1000
        values[name.hasPrefix("flowStart") ? "cflow.abstimestart" : "cflow.abstimeend"] = [
          date(AbstractType.dateTimeMilliseconds.rawValue, time)
        ]
      } else if isVersion9, record.isOptions, let (key, form) = scopes[name] {
        values[key] = [text(field, form)]
      } else if name == "flowStartSysUpTime", field.bytes.allSatisfy({ $0 == 0 }), !isVersion9 {
        // Of a start at zero, tshark makes an absolute time.
        values["cflow.abstimestart"] = ["Jan  1, 1970 00:00:00.000000000 UTC"]
      } else {
        let (key, form) = names[name] ?? ("? \(field.name)", .number)
        values[key, default: []].append(text(field, form))
      }
    }
    return values
  }

  private static func forward(_ name: String) -> String {
    guard name.hasPrefix("reverse") else { return name }
    let rest = name.dropFirst(7)
    return rest.prefix(1).lowercased() + rest.dropFirst()
  }

  enum Form { case number, hex, address, mac, string, uptime, time, bytes }

  private static func text(_ field: Decoding.Field, _ form: Form) -> String {
    let bytes = field.bytes
    let number = bytes.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    switch form {
    case .number: return "\(number)"
    case .hex: return "0x" + bytes.map(hex).joined()
    case .mac, .bytes: return bytes.map(hex).joined(separator: ":")
    case .string: return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    case .address: return address(bytes)
    case .uptime: return "\(number / 1000).\(padded(number % 1000, 3))000000"
    case .time: return date(field.type, number)
    }
  }

  private static func hex(_ byte: UInt8) -> String { byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16) }

  private static func padded(_ number: UInt64, _ digits: Int) -> String {
    let text = "\(number)"
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  private static func address(_ bytes: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: 64)
    var copy = bytes
    inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, &copy, &text, 64)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// `Nov 14, 2023 22:13:20.542025999 UTC`
  private static func date(_ type: UInt16, _ number: UInt64) -> String {
    var (seconds, fraction) = (number / 1000, number % 1000 * 1_000_000)
    if type >= AbstractType.dateTimeMicroseconds.rawValue {
      (seconds, fraction) = ((number >> 32) - 2_208_988_800, ((number & 0xffff_ffff) * 1_000_000_000) >> 32)
    }
    var moment = time_t(seconds)
    var parts = tm()
    gmtime_r(&moment, &parts)
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(UInt64($0), 2) }.joined(separator: ":")
    return "\(months[Int(parts.tm_mon)]) \(padded(UInt64(parts.tm_mday), 2)), \(parts.tm_year + 1900) \(clock).\(padded(fraction, 9)) UTC"
  }

  /// What NetFlow 9 calls a scope.
  private static let scopes: [String: (String, Form)] = [
    "exportingProcessId": ("cflow.scope_system", .bytes), "ingressInterface": ("cflow.scope_interface", .number),
  ]

  private static let names: [String: (String, Form)] = [
    "sourceIPv4Address": ("cflow.srcaddr", .address), "destinationIPv4Address": ("cflow.dstaddr", .address),
    "sourceIPv6Address": ("cflow.srcaddrv6", .address), "destinationIPv6Address": ("cflow.dstaddrv6", .address),
    "ipNextHopIPv4Address": ("cflow.nexthop", .address), "exporterIPv4Address": ("cflow.exporter_addr", .address),
    "exporterIPv6Address": ("cflow.exporter_addr_v6", .address),
    "sourceMacAddress": ("cflow.srcmac", .mac), "destinationMacAddress": ("cflow.dstmac", .mac),
    "postDestinationMacAddress": ("cflow.post_dstmac", .mac),
    "flowStartSysUpTime": ("cflow.timestart", .uptime), "flowEndSysUpTime": ("cflow.timeend", .uptime),
    "flowStartMilliseconds": ("cflow.abstimestart", .time), "flowEndMilliseconds": ("cflow.abstimeend", .time),
    "flowStartMicroseconds": ("cflow.abstimestart", .time), "flowEndMicroseconds": ("cflow.abstimeend", .time),
    "systemInitTimeMilliseconds": ("cflow.sys_init_time", .time),
    "tcpControlBits": ("cflow.tcpflags", .hex), "ipClassOfService": ("cflow.tos", .hex),
    "icmpTypeCodeIPv4": ("cflow.icmp_type_code_ipv4", .hex),
    "interfaceName": ("cflow.if_name", .string), "exportingProcessId": ("cflow.flow_exporter", .number),
    "notSentPacketTotalCount": ("cflow.notsent_packets", .number), "observationPointId": ("cflow.observation_point_id", .number),
    "flowDirection": ("cflow.direction", .number), "ethernetType": ("cflow.ethernet_type", .number),
    "ethernetHeaderLength": ("cflow.ethernet_header_length", .number), "ingressInterface": ("cflow.inputint", .number),
    "ingressInterfaceType": ("cflow.ingress_interface_type", .number), "ipVersion": ("cflow.ip_version", .number),
    "ipTTL": ("cflow.ip_ttl", .number), "protocolIdentifier": ("cflow.protocol", .number),
    "ipDiffServCodePoint": ("cflow.ip_dscp", .number),
    "ipPrecedence": ("cflow.ip_precedence", .number), "sourceTransportPort": ("cflow.srcport", .number),
    "destinationTransportPort": ("cflow.dstport", .number), "droppedPacketDeltaCount": ("cflow.drop_packets", .number),
    "droppedPacketTotalCount": ("cflow.drop_total_packets", .number), "packetDeltaCount": ("cflow.packets", .number),
    "packetTotalCount": ("cflow.permanent_packets", .number),
    "ingressUnicastPacketTotalCount": ("cflow.ingress_unicast_packet_total_count", .number),
    "ingressMulticastPacketTotalCount": ("cflow.ingress_multicast_packet_total_count", .number),
    "ingressBroadcastPacketTotalCount": ("cflow.ingress_broadcast_packet_total_count", .number),
    "egressUnicastPacketTotalCount": ("cflow.egress_unicast_packet_total_count", .number),
    "egressBroadcastPacketTotalCount": ("cflow.egress_broadcast_packet_total_count", .number),
    "postMCastPacketDeltaCount": ("cflow.mulpackets", .number), "postMCastPacketTotalCount": ("cflow.post_total_mulpackets", .number),
    "layer2OctetDeltaCount": ("cflow.layer2_octet_delta_count", .number),
    "layer2OctetTotalCount": ("cflow.layer2_octet_total_count", .number),
    "flowEndReason": ("cflow.flow_end_reason", .number), "droppedOctetDeltaCount": ("cflow.drop_octets", .number),
    "droppedOctetTotalCount": ("cflow.drop_total_octets", .number), "octetDeltaCount": ("cflow.octets", .number),
    "octetTotalCount": ("cflow.permanent_octets", .number), "octetDeltaSumOfSquares": ("cflow.delta_octets_squared", .number),
    "octetTotalSumOfSquares": ("cflow.total_octets_squared", .number), "minimumIpTotalLength": ("cflow.length_min", .number),
    "maximumIpTotalLength": ("cflow.length_max", .number), "postMCastOctetDeltaCount": ("cflow.muloctets", .number),
    "postMCastOctetTotalCount": ("cflow.post_total_muloctets", .number), "tcpAckTotalCount": ("cflow.total_tcp_ack", .number),
    "tcpFinTotalCount": ("cflow.total_tcp_fin", .number), "tcpPshTotalCount": ("cflow.total_tcp_psh", .number),
    "tcpRstTotalCount": ("cflow.total_tcp_rst", .number), "tcpSynTotalCount": ("cflow.total_tcp_syn", .number),
    "tcpUrgTotalCount": ("cflow.total_tcp_urg", .number), "egressInterface": ("cflow.outputint", .number),
    "egressInterfaceType": ("cflow.egress_interface_type", .number), "meteringProcessId": ("cflow.mp_id", .number),
    "samplingPacketInterval": ("cflow.sampling_packet_interval", .number), "samplingPacketSpace": ("cflow.sampling_packet_space", .number),
    "selectorAlgorithm": ("cflow.selector_algorithm", .number), "icmpTypeIPv6": ("cflow.icmp_ipv6_type", .number),
    "icmpCodeIPv6": ("cflow.icmp_ipv6_code", .number), "vlanId": ("cflow.vlanid", .number), "postVlanId": ("cflow.post_vlanid", .number),
    "bgpSourceAsNumber": ("cflow.srcas", .number), "bgpDestinationAsNumber": ("cflow.dstas", .number),
    "sourceIPv4PrefixLength": ("cflow.srcmask", .number), "destinationIPv4PrefixLength": ("cflow.dstmask", .number),
    "samplingInterval": ("cflow.sampling_interval", .number), "samplingAlgorithm": ("cflow.sampling_algorithm", .number),
  ]
}
