import Glibc
import Synthesis

/// Whole runs of the collector, as an operator starts it: a capture of 3 million records in a file, one job each. CPU time and peak memory of
/// the process are the kernel's own account of it.
enum PipelineBench {
  static let records = 3_000_000
  private static let runs = 5

  /// The destinations of each job, inside `<exportingProcess>`.
  private static let jobs: [(name: String, intermediate: String, destinations: String, more: String)] = [
    ("file-discard", "", "<destination><name>d</name><count><checksum>octetDeltaCount</checksum></count></destination>", ""),
    ("file-json-null", "", jsonFile("/dev/null"), ""),
    (
      "file-detections", "",
      """
      <destination><name>d</name><cep><module>../queries/http-attack.epl</module><module>../queries/vertical-scan.epl</module>
      <exportTo>alerts</exportTo></cep></destination>
      """,
      "<exportingProcess><name>alerts</name>\(jsonFile("/dev/null"))</exportingProcess>"
    ),
    (
      "file-cryptopan-discard",
      "<anonymization_ip><type>cryptopan</type><key>0123456789abcdef0123456789abcdef</key></anonymization_ip>",
      "<destination><name>d</name><count/></destination>", ""
    ),
  ]

  private static func jsonFile(_ path: String) -> String {
    """
    <destination><name>d</name><fileWriter><fileFormat>json</fileFormat><tcpFlags>formatted</tcpFlags><timestamp>plain</timestamp>
    <protocol>raw</protocol><ignoreUnknown>yes</ignoreUnknown><nonPrintableChar>no</nonPrintableChar>
    <output><type>file</type><path>\(path)</path></output></fileWriter></destination>
    """
  }

  static var names: [String] { jobs.map(\.name) }

  static func run(_ name: String) throws {
    guard let job = jobs.first(where: { $0.name == name }) else { return }
    let folder = try workFolder()
    let capture = folder + "/capture.ipfix"
    try makeCapture(capture)
    let configuration = folder + "/\(name).xml"
    try write(
      """
      <ipfix xmlns="urn:ietf:params:xml:ns:yang:ietf-ipfix-psamp">
        <collectingProcess><name>file</name><fileReader><name>in</name><file>file://\(capture)</file></fileReader>
          <exportingProcess>out</exportingProcess></collectingProcess>
        <intermediatePlugins>\(job.intermediate)</intermediatePlugins>
        <exportingProcess><name>out</name>\(job.destinations)</exportingProcess>
        \(job.more)
      </ipfix>
      """, to: configuration)
    _ = try usage(of: [flowcep, "run", "-v", "0", "-c", configuration])
    let figures = try (0..<runs).map { _ in try usage(of: [flowcep, "run", "-v", "0", "-c", configuration]) }
    let cpu = figures.map(\.cpuNanoseconds).sorted()
    let perRecord = cpu.map { (Double($0) / Double(records) * 10).rounded() / 10 }
    let memory = (figures.map(\.peakKiB).max() ?? 0) / 1024
    print(
      "\(name): \(perRecord[runs / 2]) ns a record (\(perRecord[0]) to \(perRecord[runs - 1])), user and system, \(runs) runs; peak \(memory) MiB"
    )
  }

  // MARK: The collector as a process

  private struct Usage {
    var cpuNanoseconds: Int
    var peakKiB: Int
  }

  /// The program beside this one.
  private static var flowcep: String {
    let own = CommandLine.arguments[0]
    return (own.lastIndex(of: "/").map { String(own[...$0]) } ?? "./") + "flowcep"
  }

  private static func usage(of arguments: [String]) throws -> Usage {
    var pid: pid_t = 0
    var raw: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { raw.forEach { free($0) } }
    guard posix_spawn(&pid, arguments[0], nil, nil, &raw, environ) == 0 else { throw BenchError("cannot start \(arguments[0])") }
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(pid, &status, 0, &usage) == pid, status == 0 else { throw BenchError("\(arguments.joined(separator: " ")) failed") }
    func nanoseconds(_ time: timeval) -> Int { time.tv_sec * 1_000_000_000 + Int(time.tv_usec) * 1000 }
    return Usage(cpuNanoseconds: nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime), peakKiB: usage.ru_maxrss)
  }

  // MARK: Files

  /// `bench-data` in the current folder; git leaves it out.
  private static func workFolder() throws -> String {
    mkdir("bench-data", 0o755)
    guard let path = realpath("bench-data", nil) else { throw BenchError("cannot make the folder bench-data") }
    defer { free(path) }
    return String(cString: path)
  }

  private static func makeCapture(_ path: String) throws {
    if access(path, R_OK) == 0 { return }
    var options = SynthesisOptions()
    options.records = records
    let part = path + ".part"
    guard let file = fopen(part, "w") else { throw BenchError("cannot write \(part)") }
    _ = try CaptureGenerator(options).write { bytes in fwrite(bytes.baseAddress, 1, bytes.count, file) }
    guard fclose(file) == 0, rename(part, path) == 0 else { throw BenchError("cannot write \(path)") }
  }

  private static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
    fputs(text, file)
    guard fclose(file) == 0 else { throw BenchError("cannot write \(path)") }
  }
}

struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
