import Glibc

/// Whole runs of the collector between sockets: `flowcep send` replays the capture, a process of its own drains what comes out.
enum NetworkBench {
  static let all: [(name: String, run: @Sendable () throws -> Void)] = [
    ("tcp-discard", discard),
    ("tcp-json-udp", { try datagrams("tcp-json-udp", perRecord: true) }),
    ("tcp-json-udp-8192", { try datagrams("tcp-json-udp-8192", more: "<datagramSize>8192</datagramSize>") }),
    ("tcp-json-udp-1400", { try datagrams("tcp-json-udp-1400", more: "<datagramSize>1400</datagramSize>") }),
    ("tcp-json-udp-padded", { try datagrams("tcp-json-udp-padded", more: "<padded>yes</padded>") }),
    ("udp-json-udp", { try udpToUDP("udp-json-udp") }),
    ("udp-json-udp-padded", { try udpToUDP("udp-json-udp-padded", more: "<padded>yes</padded>") }),
    ("udp-json-udp-8192", { try udpToUDP("udp-json-udp-8192", more: "<datagramSize>8192</datagramSize>") }),
    ("wire-to-alert", wireToAlert),
    ("wire-to-alert-cores", wireToAlertByCores),
  ]

  private static let runs = 5
  /// Messages a second that are 480,000 records a second.
  private static let packetRate = 20_000

  private static func discard() throws {
    let configuration = try CollectorRun.configuration("tcp-discard", input: CollectorRun.tcp, destinations: CollectorRun.checksum)
    try CollectorRun.report("tcp-discard", records: BenchFiles.records, runs: runs) {
      try CollectorRun.whileListening(configuration) { _, port in try replay(to: port, "TCP") }.usage
    }
  }

  /// `flowcep send`; over TCP it ends when the peer has acknowledged everything.
  private static func replay(to port: Int, _ transport: String, more: [String] = []) throws {
    try Child(
      [CollectorRun.flowcep, "send", "-i", BenchFiles.capture(), "-p", "\(port)", "-t", transport, "-n", "1"] + more
    ).wait()
  }

  // MARK: JSON over UDP

  /// Where the reader is slow the collector waits, and TCP holds the sender back, so that every record is sent.
  ///
  /// - Parameter perRecord: a record in each datagram, so that a bare loop that sends the same datagrams is run beside it.
  private static func datagrams(_ name: String, more: String = "", perRecord: Bool = false) throws {
    let reader = try Reader("drain-udp")
    let configuration = try CollectorRun.configuration(
      name, input: CollectorRun.tcp, destinations: CollectorRun.jsonUDP(reader.port, more: more, queue: "<policy>block</policy>"))
    let cost = try CollectorRun.report(name, records: BenchFiles.records, runs: runs) {
      try CollectorRun.whileListening(configuration) { _, port in try replay(to: port, "TCP") }.usage
    }
    let said = try reader.end()
    let sent = (runs + 1) * BenchFiles.records
    print("  the reader had \(try CollectorRun.number(behind: " ", in: said)) of \(sent) records: \(said)")
    guard perRecord else { return }
    let bare = try bareLoop()
    print("  a bare sendmmsg loop of the same datagrams: \(Bench.rounded(bare)) ns; goal \(Bench.rounded(1.15 * bare + 250)), here \(cost)")
  }

  /// The median cost of a datagram, the collector's own lines sent by nothing but a loop.
  private static func bareLoop() throws -> Double {
    let lines = try PipelineBench.linesPath()
    if access(lines, R_OK) != 0 { try PipelineBench.run("file-json-file", comparing: false) }
    let reader = try Reader("drain-udp")
    let costs = try (0..<runs).map { _ in
      let loop = try Child([CollectorRun.own, "peer", "blast", lines, "\(reader.port)"], listeningTo: 1)
      let nanoseconds = try CollectorRun.number(behind: " ", in: loop.line(with: "nanoseconds"))
      try loop.wait()
      return Double(nanoseconds) / Double(BenchFiles.records)
    }.sorted()
    _ = try reader.end()
    return costs[runs / 2]
  }

  /// 480,000 records a second by UDP, each one out again by UDP.
  private static func udpToUDP(_ name: String, more: String = "") throws {
    let reader = try Reader("drain-udp")
    let configuration = try CollectorRun.configuration(
      name, input: CollectorRun.udp, destinations: CollectorRun.jsonUDP(reader.port, more: more))
    var accounts: [String] = []
    try CollectorRun.report(name, records: BenchFiles.records, runs: 3) {
      let (usage, account) = try CollectorRun.whileListening(configuration) { _, port in
        try replay(to: port, "UDP", more: ["-S", "\(packetRate)"])
      }
      accounts.append(account)
      return usage
    }
    print("  480,000 records a second; the input's receive buffer as found: \(receiveBuffer()) bytes")
    accounts.forEach { print("  \($0)") }
    print("  the reader had of \(accounts.count * BenchFiles.records) records: \(try reader.end())")
  }

  private static func receiveBuffer() -> String {
    guard let file = fopen("/proc/sys/net/core/rmem_default", "r") else { return "?" }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 32)
    fgets(&text, 32, file)
    return "rmem_default \(atoi(text))"
  }

  // MARK: Alerts

  private static func wireToAlert() throws {
    let reader = try Reader("drain-tcp")
    let configuration = try CollectorRun.configuration(
      "wire-to-alert", input: CollectorRun.tcp, intermediates: shift, destinations: CollectorRun.detections,
      more: CollectorRun.alerts(CollectorRun.logstash(reader.port)))
    try CollectorRun.report("wire-to-alert", records: BenchFiles.records, runs: runs) {
      try CollectorRun.whileListening(configuration) { _, port in try replay(to: port, "TCP") }.usage
    }
    print("  alerts in \(runs + 1) runs: \(try reader.end())")
  }

  private static let shift = "<timestamp><mode>shift</mode></timestamp>"

  /// The same work from a file, on one core and on two: what matters is the time on the wall.
  private static func wireToAlertByCores() throws {
    let reader = try Reader("drain-tcp")
    let configuration = try CollectorRun.configuration(
      "wire-to-alert-cores", input: CollectorRun.file(BenchFiles.capture()), intermediates: shift, destinations: CollectorRun.detections,
      more: CollectorRun.alerts(CollectorRun.logstash(reader.port)))
    func wall(_ cores: String) throws -> Double {
      let usage = try CollectorRun.untilEnd(configuration, records: BenchFiles.records, before: ["taskset", "-c", cores])
      return Double(usage.wallNanoseconds) / Double(BenchFiles.records)
    }
    _ = try wall("0,1")
    let pairs = try (0..<runs).map { _ in (one: try wall("0"), two: try wall("0,1")) }
    let ratios = pairs.map { $0.one / $0.two }.sorted()
    let (one, two) = (pairs.map(\.one).sorted()[runs / 2], pairs.map(\.two).sorted()[runs / 2])
    print(
      "wire-to-alert-cores: \(Bench.rounded(one)) ns a record of wall time on one core, \(Bench.rounded(two)) on two; "
        + "\(hundredths(ratios[runs / 2])) times as fast (\(hundredths(ratios[0])) to \(hundredths(ratios[runs - 1])))")
    _ = try reader.end()
  }

  private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}

/// A process that drains a socket.
struct Reader {
  private let child: Child
  let port: Int

  init(_ kind: String) throws {
    child = try Child([CollectorRun.own, "peer", kind], listeningTo: 1)
    port = try CollectorRun.number(behind: " ", in: child.line(with: "port "))
  }

  /// What it got, in its own words.
  func end() throws -> String {
    child.endInput()
    let said = try child.line(with: "lines ")
    try child.wait()
    return said
  }
}
