import Glibc

/// Runs of the collector, as an operator starts it. One configuration, several runs, each measured.
enum CollectorRun {
  /// The program beside this one.
  static var flowcep: String { own.lastIndex(of: "/").map { own[...$0] + "flowcep" } ?? "./flowcep" }
  /// This program, for its parts that are processes of their own.
  static var own: String { CommandLine.arguments[0] }

  /// Runs a configuration whose inputs end by themselves, and which must receive so many records.
  static func untilEnd(_ configuration: String, records: Int, before prefix: [String] = []) throws -> Child.Usage {
    let collector = try Child(prefix + [flowcep, "run", "-c", configuration])
    let usage = try collector.wait()
    guard let last = collector.lastLines.last, last.contains(" received=\(records);") else {
      throw BenchError("expected \(records) records: \(collector.lastLines)")
    }
    return usage
  }

  /// Starts a configuration whose inputs listen; `body` gets it with the port of the first one, then it is stopped, drains and ends.
  static func whileListening(_ configuration: String, _ body: (Child, Int) throws -> Void) throws -> (usage: Child.Usage, account: String) {
    let collector = try Child([flowcep, "run", "-c", configuration])
    do {
      let port = try number(behind: ":", in: collector.line(with: "listening on "))
      _ = try collector.line(with: "running: ")
      try body(collector, port)
    } catch {
      collector.send(SIGKILL)
      _ = try? collector.wait()
      throw error
    }
    collector.send(SIGTERM)
    let usage = try collector.wait()
    return (usage, collector.lastLines.last ?? "")
  }

  /// The number behind the last such mark: a port behind a colon.
  static func number(behind mark: Character, in line: String) throws -> Int {
    let digits = line.split(separator: mark).last?.prefix { $0.isNumber } ?? ""
    guard let number = Int(digits) else { throw BenchError("no number in \"\(line)\"") }
    return number
  }

  /// Runs once unmeasured, then several times; prints the median, the range and the peak memory.
  @discardableResult
  static func report(_ name: String, records: Int, runs: Int = 5, _ run: () throws -> Child.Usage) throws -> Double {
    _ = try run()
    let usages = try (0..<runs).map { _ in try run() }
    let cpu = usages.map { Double($0.cpuNanoseconds) / Double(records) }.sorted()
    let memory = (usages.map(\.peakKiB).max() ?? 0) / 1024
    let median = cpu[runs / 2]
    print(
      "\(name): \(Bench.rounded(median)) ns a record (\(Bench.rounded(cpu[0])) to \(Bench.rounded(cpu[runs - 1]))), user and system, "
        + "\(runs) runs; peak \(memory) MiB")
    fflush(nil)
    return median
  }

  // MARK: Configurations

  /// A configuration of one input and its destinations.
  ///
  /// - Parameters:
  ///   - input: the element inside `<collectingProcess>`.
  ///   - more: further exporting processes.
  static func configuration(
    _ name: String, input: String, intermediates: String = "", destinations: String, more: String = ""
  ) throws -> String {
    let path = try BenchFiles.folder() + "/\(name).xml"
    let socket = try BenchFiles.folder() + "/control.sock"
    try BenchFiles.write(
      """
      <ipfix xmlns="urn:ietf:params:xml:ns:yang:ietf-ipfix-psamp">
        <collectingProcess><name>in</name>\(input)<exportingProcess>out</exportingProcess></collectingProcess>
        <intermediatePlugins>\(intermediates)</intermediatePlugins>
        <exportingProcess><name>out</name>\(destinations)</exportingProcess>
        \(more)
        <controlSocket>\(socket)</controlSocket>
      </ipfix>
      """, to: path)
    return path
  }

  static func file(_ capture: String) -> String { "<fileReader><name>in</name><file>file://\(capture)</file></fileReader>" }
  static let tcp = "<tcpCollector><name>in</name><localPort>0</localPort><localIPAddress>127.0.0.1</localIPAddress></tcpCollector>"
  static let udp = "<udpCollector><name>in</name><localPort>0</localPort><localIPAddress>127.0.0.1</localIPAddress></udpCollector>"

  static let count = "<destination><name>d</name><count/></destination>"
  static let checksum = "<destination><name>d</name><count><checksum>octetDeltaCount</checksum></count></destination>"

  /// - Parameters:
  ///   - output: what stands in `<output>`.
  ///   - queue: what stands in `<queue>`.
  static func json(_ output: String, queue: String = "") -> String {
    """
    <destination><name>d</name><fileWriter><fileFormat>json</fileFormat><tcpFlags>formatted</tcpFlags><timestamp>plain</timestamp>
    <protocol>raw</protocol><ignoreUnknown>yes</ignoreUnknown><nonPrintableChar>no</nonPrintableChar>
    <output>\(output)</output></fileWriter><queue>\(queue)</queue></destination>
    """
  }

  static func jsonFile(_ path: String) -> String { json("<type>file</type><path>\(path)</path>") }
  static func jsonUDP(_ port: Int, more: String = "", queue: String = "") -> String {
    json("<type>send</type><ip>127.0.0.1</ip><port>\(port)</port><protocol>udp</protocol>\(more)", queue: queue)
  }

  /// All shipped detections, exported to the process `alerts`.
  static let detections = """
    <destination><name>d</name><cep><module>../queries/http-attack.epl</module><module>../queries/vertical-scan.epl</module>
    <exportTo>alerts</exportTo></cep></destination>
    """
  static func alerts(_ destination: String) -> String { "<exportingProcess><name>alerts</name>\(destination)</exportingProcess>" }
  static func logstash(_ port: Int) -> String {
    "<destination><name>a</name><logstash><host>127.0.0.1</host><port>\(port)</port></logstash></destination>"
  }
}
