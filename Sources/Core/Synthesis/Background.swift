/// Everyday traffic in the mix of the model capture: of 13,898 flows 2,470 ICMP, 1,206 UDP, 8,132 TCP and 2,090 HTTP.
///
/// The population grows with the rate, so that no client stands out however many records are asked for: a client opens about
/// six flows a minute, to at most four servers, and meets none of the shipped detections' thresholds.
struct Background {
  private var random: SeededRandom
  private let clients: Int
  private let servers: Int

  init(seed: UInt64, flowsPerMinute: Int) {
    random = SeededRandom(seed: seed ^ 0x6261_636B_6772_6E64)
    clients = min(4_000_000, max(300, flowsPerMinute / 6))
    servers = min(120_000, max(60, clients / 8))
  }

  /// The next flow, which ended at `end` (milliseconds since 1970).
  mutating func flow(endingAt end: UInt64) -> Flow {
    let dice = random.below(13_898 as UInt64)
    let ipv6 = random.next() & 31 == 0
    let client = random.below(clients)
    // Each client has four servers of its own.
    let habit = SeededRandom.mix(UInt64(client) << 2 | random.next() & 3)
    let server = Int(habit % UInt64(servers))
    let here = Network.client(client, ipv6: ipv6), there = Network.server(server, ipv6: ipv6)
    let duration = self.duration()
    let start = end - duration
    if dice < 2_470 { return icmp(here, there, start, end) }
    if dice < 3_676 { return dns(here, there, start, end) }
    if dice < 11_808 { return tcp(here, there, start, end) }
    return http(here, there, start, end)
  }

  /// Two flows of five last no time at all, some a minute.
  private mutating func duration() -> UInt64 {
    let shape = random.below(20 as UInt64)
    if shape < 8 { return 0 }
    if shape < 12 { return random.below(100 as UInt64) }
    if shape < 16 { return random.below(2_000 as UInt64) }
    return random.below((shape < 19 ? 16_000 : 60_001) as UInt64)
  }

  private mutating func icmp(_ a: HostAddress, _ b: HostAddress, _ start: UInt64, _ end: UInt64) -> Flow {
    let packets = 1 + random.below(4 as UInt64)
    // Echo request, echo reply, port unreachable.
    let types: (UInt16, UInt16, UInt16) = a.isIPv6 ? (32768, 33024, 260) : (2048, 0, 771)
    let kind = random.next() & 3
    let swap = kind == 1
    return Flow(
      kind: .icmp, source: swap ? b : a, destination: swap ? a : b, protocolNumber: a.isIPv6 ? 58 : 1,
      icmpTypeCode: kind == 0 ? types.0 : (swap ? types.1 : types.2), octets: packets * (56 + 4 * random.below(12 as UInt64)),
      packets: packets, start: start, end: end)
  }

  private mutating func dns(_ a: HostAddress, _ b: HostAddress, _ start: UInt64, _ end: UInt64) -> Flow {
    let packets = 1 + random.below(2 as UInt64)
    let reply = random.next() & 1 == 0
    let port = highPort()
    return Flow(
      kind: .udp, source: reply ? b : a, destination: reply ? a : b, protocolNumber: 17, sourcePort: reply ? 53 : port,
      destinationPort: reply ? port : 53, octets: packets * (reply ? 90 + random.below(300 as UInt64) : 50 + random.below(40 as UInt64)),
      packets: packets, start: start, end: end)
  }

  private mutating func tcp(_ a: HostAddress, _ b: HostAddress, _ start: UInt64, _ end: UInt64) -> Flow {
    let reply = random.next() & 1 == 0
    let port = highPort()
    let service = servicePort()
    let packets = packetCount()
    let flags = packets == 1 ? (random.next() & 1 == 0 ? TCPFlags.syn : TCPFlags.ack) : (packets < 4 ? TCPFlags.open : TCPFlags.complete)
    return Flow(
      kind: .tcp, source: reply ? b : a, destination: reply ? a : b, protocolNumber: 6, tcpFlags: flags,
      sourcePort: reply ? service : port, destinationPort: reply ? port : service,
      octets: packets * (40 + (packets < 3 ? 0 : random.below(1_400 as UInt64))), packets: packets, start: start, end: end)
  }

  private mutating func http(_ a: HostAddress, _ b: HostAddress, _ start: UInt64, _ end: UInt64) -> Flow {
    let packets = 4 + packetCount()
    // One request in ten is for the start page, the others for one of the server's 4,096 pages.
    let page = random.below(40_960 as UInt64)
    let url = page < 4_096 ? FlowURL.page(.root) : .hashed(SeededRandom.mix(b.low << 16 | page / 10))
    return Flow(
      kind: .http, source: a, destination: b, protocolNumber: 6, tcpFlags: random.next() & 7 == 0 ? TCPFlags.open : TCPFlags.complete,
      sourcePort: highPort(), destinationPort: random.next() & 15 == 0 ? 8080 : 80,
      octets: packets * (60 + random.below(400 as UInt64)), packets: packets, start: start, end: end, url: url)
  }

  @inline(__always) private mutating func highPort() -> UInt16 { UInt16(truncatingIfNeeded: 32_768 + random.below(28_232 as UInt64)) }

  private mutating func servicePort() -> UInt16 {
    switch random.below(16 as UInt64) {
    case 0..<7: 80
    case 7..<13: 443
    case 13: 22
    case 14: 993
    default: 25
    }
  }

  /// Half of the flows have one packet, one in ten has hundreds.
  private mutating func packetCount() -> UInt64 {
    let shape = random.below(20 as UInt64)
    if shape < 10 { return 1 }
    if shape < 14 { return 2 + random.below(3 as UInt64) }
    if shape < 18 { return 5 + random.below(16 as UInt64) }
    return 20 + random.below(600 as UInt64)
  }
}
