/// The scripted part of a capture: attackers, and others that only look like attackers, with what is true of each.
struct Scenario {
  /// The scripted flows, in no order.
  private(set) var flows: [Flow] = []
  private(set) var attacks: [GroundTruth.Attack] = []
  private(set) var decoys: [GroundTruth.Decoy] = []
  private var random: SeededRandom
  private let start: UInt64
  private let duration: UInt64
  private let attackCount: Int

  /// How long an attack takes from the first probe to the last password, in seconds.
  static let attackSeconds = 172
  /// Quiet after the last attack, so that every window over it closes before the capture ends, in seconds.
  static let quietSeconds = 180
  /// The shortest capture that has room for an attack, in seconds.
  static let shortestWithAttack = 30 + attackSeconds + quietSeconds

  init(options: SynthesisOptions) {
    random = SeededRandom(seed: options.seed ^ 0x7363_656E_6172_696F)
    start = UInt64(options.start) * 1000
    duration = UInt64(options.durationSeconds) * 1000
    attackCount = options.attacks
    for index in 0..<options.attacks { addAttack(index) }
    addDecoys()
  }

  private mutating func addFlow(_ flow: Flow, to stage: inout GroundTruth.Stage) {
    flows.append(flow)
    stage.add(flow)
  }
}

// The multi-stage attack: find web servers, find those with a login page, guess passwords on four of them.
extension Scenario {
  private mutating func addAttack(_ index: Int) {
    // Attackers take turns over the whole capture; every second one comes by IPv6.
    let room = duration - UInt64(Scenario.attackSeconds + Scenario.quietSeconds) * 1000
    let first = min(60_000, room / 10)
    let begin = start + first + (room - first) * UInt64(index) / UInt64(attackCount)
    let ipv6 = index % 2 == 1
    let attacker = Network.attacker(index, ipv6: ipv6)
    let targets = hosts(random.within(300...800), ipv6: ipv6)
    let pages = Array(targets.prefix(random.within(50...57)))

    let scan = portScan(by: attacker, targets: targets, from: begin, lasting: 31_000)
    var visits = GroundTruth.Stage()
    for (i, host) in pages.enumerated() {
      let time = begin + 16_000 + 20_000 * UInt64(i) / UInt64(pages.count)
      addFlow(request(.wordpressLogin, from: attacker, to: host, at: time), to: &visits)
    }
    var victims: [GroundTruth.Victim] = []
    for (i, host) in pages.suffix(4).enumerated() {
      var tries = GroundTruth.Stage()
      for n in 0..<33 {
        let time = begin + 40_000 + UInt64(i) * 33_000 + UInt64(n) * 1_000
        addFlow(request(.wordpressLogin, from: attacker, to: host, at: time), to: &tries)
      }
      victims.append(GroundTruth.Victim(address: host.text, tries: tries))
    }
    attacks.append(
      GroundTruth.Attack(
        source: attacker.text, isIPv6: ipv6, port: 80, url: Page.wordpressLogin.text, portScan: scan, httpScan: visits, victims: victims))
  }

  /// Two small flows to port 80 of every target: the probe, and what is left of the handshake.
  private mutating func portScan(
    by source: HostAddress, targets: [HostAddress], from begin: UInt64, lasting length: UInt64
  ) -> GroundTruth.Stage {
    var stage = GroundTruth.Stage()
    for (i, target) in targets.enumerated() {
      let time = begin + length * UInt64(i) / UInt64(targets.count)
      let port = UInt16(40_000 + random.below(20_000))
      addFlow(probe(from: source, port: port, to: target, flags: TCPFlags.syn, packets: 1, at: time), to: &stage)
      let packets = UInt64(random.within(1...3))
      let flags = random.next() & 3 == 0 ? TCPFlags.resetAck : TCPFlags.ack
      addFlow(probe(from: source, port: port, to: target, flags: flags, packets: packets, at: time + 40), to: &stage)
    }
    return stage
  }

  private func probe(
    from source: HostAddress, port: UInt16, to target: HostAddress, flags: UInt8, packets: UInt64, at time: UInt64
  ) -> Flow {
    Flow(
      kind: .tcp, source: source, destination: target, protocolNumber: 6, tcpFlags: flags, sourcePort: port, destinationPort: 80,
      octets: packets * 40, packets: packets, start: time, end: time)
  }

  private mutating func request(_ page: Page, from source: HostAddress, to host: HostAddress, at time: UInt64) -> Flow {
    request(url: .page(page), from: source, to: host, at: time)
  }

  private mutating func request(url: FlowURL, from source: HostAddress, to host: HostAddress, at time: UInt64) -> Flow {
    let packets = UInt64(random.within(6...14))
    return Flow(
      kind: .http, source: source, destination: host, protocolNumber: 6, tcpFlags: TCPFlags.complete,
      sourcePort: UInt16(40_000 + random.below(20_000)), destinationPort: 80, octets: packets * UInt64(random.within(90...400)),
      packets: packets, start: time - UInt64(random.within(20...400)), end: time, url: url)
  }

  /// `count` different servers.
  private mutating func hosts(_ count: Int, ipv6: Bool) -> [HostAddress] {
    let first = random.below(100_000), step = 2 * random.below(20) + 1
    return (0..<count).map { Network.server(first + step * $0, ipv6: ipv6) }
  }
}

// Those that a careless rule would name.
extension Scenario {
  private mutating func addDecoys() {
    addScanner()
    addProxy()
    addClient(
      2, "a user who mistypes a password 10 times", page: .wordpressLogin, count: 10, every: 4_000, from: duration / 3)
    addClient(3, "a monitor that polls /login every 10 seconds", page: .login, count: Int(duration / 10_000), every: 10_000, from: 0)
    addClient(
      4, "a client that repeats one request 50 times in a minute", page: .updates, count: 50, every: 1_200,
      from: duration / 2 > 60_000 ? duration / 2 - 60_000 : 0)
  }

  /// Scans a network and looks for login pages like an attacker, but never tries a password.
  private mutating func addScanner() {
    let scanner = Network.decoy(0)
    let targets = hosts(150, ipv6: false)
    let begin = start + duration / 5
    var all = portScan(by: scanner, targets: targets, from: begin, lasting: min(40_000, duration / 3))
    for (i, host) in targets.prefix(30).enumerated() {
      addFlow(request(.wordpressLogin, from: scanner, to: host, at: begin + min(20_000, duration / 6) + UInt64(i) * 600), to: &all)
    }
    decoys.append(
      GroundTruth.Decoy(
        kind: "a scanner that never logs in", source: scanner.text, meets: ["PortScan", "HTTPScan"], flows: all))
  }

  /// Visits 60 hosts in three minutes, each for pages of its own.
  private mutating func addProxy() {
    let proxy = Network.decoy(1)
    var visits = GroundTruth.Stage()
    for (i, host) in hosts(60, ipv6: false).enumerated() {
      for n in 0..<2 {
        let time = start + duration / 10 + min(180_000, duration / 2) * UInt64(i) / 60 + UInt64(n) * 700
        addFlow(request(url: .hashed(random.next()), from: proxy, to: host, at: time), to: &visits)
      }
    }
    decoys.append(GroundTruth.Decoy(kind: "a proxy that visits 60 hosts", source: proxy.text, meets: [], flows: visits))
  }

  /// Asks one host for one page again and again.
  private mutating func addClient(_ index: Int, _ kind: String, page: Page, count: Int, every: UInt64, from offset: UInt64) {
    let client = Network.decoy(index)
    let host = hosts(1, ipv6: false)[0]
    var requests = GroundTruth.Stage()
    for n in 0..<count {
      addFlow(request(page, from: client, to: host, at: start + offset + 500 + UInt64(n) * every), to: &requests)
    }
    decoys.append(GroundTruth.Decoy(kind: kind, source: client.text, meets: [], flows: requests))
  }
}
