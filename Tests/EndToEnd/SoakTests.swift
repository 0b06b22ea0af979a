import Foundation
import Glibc
import TestSupport
import Testing

/// A collector under load for `FLOWCEP_SOAK_SECONDS` (10), with exporters that come, go and misbehave: memory stays flat, no
/// descriptor is lost, and everything is accounted for, all the time.
@Suite(.serialized) struct SoakTests {
  private static let seconds = ProcessInfo.processInfo.environment["FLOWCEP_SOAK_SECONDS"].flatMap(Double.init) ?? 10

  private static func configuration(logstash: String) -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>
        <tcpCollector><name>tcp</name><localPort>0</localPort><maximumSessions>300</maximumSessions>
          <limits><domains>64</domains><templates>512</templates><waitingBytes>64K</waitingBytes><waitingTime>2 s</waitingTime></limits></tcpCollector>
        <udpCollector><name>udp</name><localPort>0</localPort><maximumSessionsPerAddress>100</maximumSessionsPerAddress>
          <limits><domains>64</domains><templates>512</templates><waitingBytes>64K</waitingBytes><waitingTime>2 s</waitingTime></limits></udpCollector>
        <exportingProcess>all</exportingProcess></collectingProcess>
      <exportingProcess><name>all</name>
        <destination><name>detections</name><cep><module>\(SharedFolder.repository.path)/queries/http-attack.epl</module><exportTo>alerts</exportTo></cep></destination>
        <destination><name>lines</name><json><output><type>file</type><path>/dev/null</path></output></json></destination>
        <destination><name>logstash</name><logstash><port>\(logstash)</port><buffer>1 MiB</buffer></logstash></destination>
      </exportingProcess>
      <exportingProcess><name>alerts</name><destination><name>count</name><count/></destination></exportingProcess>
      <metrics><localPort>0</localPort></metrics>
    </ipfix>
    """
  }

  @Test func memoryIsFlatAndEverythingIsAccountedFor() throws {
    let folder = try TemporaryFolder()
    let capture = try OutputFixture.capture(folder, records: 20_000)
    let receiver = try LineReceiver(file: "/dev/null")
    let collector = try Collector(Self.configuration(logstash: receiver.port), folder: folder)
    let (tcp, udp) = (try collector.port("tcp"), try collector.port("udp"))
    try collector.process.waitForErrorLine("connected to 127.0.0.1:\(receiver.port)")
    try collector.process.waitForErrorLine("running: all inputs listen")
    let atRest = try Figures(of: collector)
    let load = ["send", "-i", capture.path, "--shift", "-s", ProcessInfo.processInfo.environment["FLOWCEP_SOAK_SPEED"] ?? "1M"]
    let senders = try [["-t", "TCP", "-p", tcp], ["-t", "UDP", "-p", udp]].map { try Program.start(load + $0) }
    var crowd = Crowd(tcp: tcp, udp: udp, capture: capture.bytes)
    var samples: [Figures] = []
    let start = Date()
    while case let elapsed = Date().timeIntervalSince(start), elapsed < Self.seconds {
      for _ in 0..<20 { try crowd.misbehave() }
      let faults = try collector.status().faults
      #expect(faults.isEmpty, "\(faults)")
      samples.append(try Figures(of: collector))
      if Int(elapsed) / 60 > samples.count / 60, let last = samples.last { print("soak: \(Int(elapsed)) s: \(last)") }
      // The receiver is away for the second half of every minute.
      receiver.process.signal(Int(elapsed) % 60 < 30 ? SIGCONT : SIGSTOP)
    }
    receiver.process.signal(SIGCONT)
    senders.forEach { $0.signal(SIGKILL) }
    crowd.leave()
    try OutputFixture.wait(for: "all TCP sessions to end") {
      try collector.status().inputs.first { $0["name"] as? String == "tcp" }?["sessionCount"] as? Int == 0
    }
    let after = try Figures(of: collector)
    print("soak: \(Int(Self.seconds)) s, \(crowd.count) bad exporters; at rest \(atRest), at the end \(after)")
    // Descriptors: as many as before anybody came. Memory: the last third of the time against the one before.
    #expect(after.descriptors <= atRest.descriptors, "\(atRest) → \(after)")
    let third = samples.count / 3
    func peak(_ part: ArraySlice<Figures>) -> Int { part.map(\.residentKiB).max() ?? 0 }
    let (middle, last) = (peak(samples[third..<(2 * third)]), peak(samples[(2 * third)...]))
    print("soak: resident at most \(middle) KiB in the second third, \(last) KiB in the last")
    #expect(last < middle + middle / 10 + 16 << 10)
    let ledger = try collector.stop()
    #expect(ledger.received > 0 && (ledger["input", "tcp"]?.lost("bad-set-length") ?? 0) > 0, "\(collector.process.errorLines.last ?? "")")
    print("soak: \(collector.process.errorLines.last ?? "")")
    withExtendedLifetime(receiver) {}
  }

  /// What the system says of the collector's process.
  private struct Figures: CustomStringConvertible {
    let descriptors: Int
    let residentKiB: Int

    init(of collector: Collector) throws {
      let folder = "/proc/\(collector.process.pid)"
      descriptors = try FileManager.default.contentsOfDirectory(atPath: folder + "/fd").count
      let status = try String(contentsOfFile: folder + "/status", encoding: .utf8)
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
      residentKiB = line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    var description: String { "\(descriptors) descriptors, \(residentKiB) KiB" }
  }
}

/// Exporters that connect, do something wrong, and leave or stay for a while.
private struct Crowd {
  let tcp: String
  let udp: String
  let capture: [UInt8]
  private(set) var count = 0
  private var lingering: [Exporter] = []
  private var random = SplitMix(state: 7)

  init(tcp: String, udp: String, capture: [UInt8]) {
    (self.tcp, self.udp, self.capture) = (tcp, udp, capture)
  }

  mutating func leave() { lingering = [] }

  mutating func misbehave() throws {
    count += 1
    // One that the collector closes may fail to send the rest.
    switch count % 8 {
    case 0: linger(capture[..<(capture.count / 100 + Int(random.next() % 100))])
    case 1: linger(ArraySlice(Self.message([UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: 40))))
    case 2: linger((0..<64).map { _ in UInt8(truncatingIfNeeded: random.next()) }[...])
    case 3: linger(Self.message([1, 0, 0, 3])[...])
    case 4: linger((0..<100).flatMap { Self.message(Self.template(id: UInt16(256 + $0)), domain: UInt8($0)) }[...])
    case 5:
      for _ in 0..<20 { try DatagramExporter().send([1, UInt8(count & 3), 0, 12, 1, 2, 3, 4, 5, 6, 7, 8], sequence: 9, port: udp) }
    case 6:
      let exporter = DatagramExporter()
      for id in 0..<20 {
        try exporter.send(Self.template(id: UInt16(300 + id)), sequence: UInt8(truncatingIfNeeded: random.next()), port: udp)
      }
    default: linger(damaged()[...])
    }
    if lingering.count > 40 { lingering.removeFirst(20) }
  }

  private mutating func linger(_ bytes: ArraySlice<UInt8>) {
    guard let exporter = try? Exporter(port: tcp) else { return }
    try? exporter.send(bytes)
    lingering.append(exporter)
  }

  /// A part of the capture with some bytes changed.
  private mutating func damaged() -> [UInt8] {
    var bytes = Array(capture[..<(capture.count / 50)])
    for _ in 0..<5 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next()) }
    return bytes
  }

  private static func message(_ sets: [UInt8], domain: UInt8 = 7) -> [UInt8] {
    [0, 10, 0, UInt8(16 + sets.count), 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0, 0, domain] + sets
  }

  private static func template(id: UInt16) -> [UInt8] { [0, 2, 0, 16, UInt8(id >> 8), UInt8(id & 255), 0, 2, 0, 8, 0, 4, 0, 2, 0, 4] }
}

/// Numbers that are the same in every run.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
