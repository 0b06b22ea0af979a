import Glibc

/// Whole runs of the collector from a file: a capture of 3 million records, one job each.
enum PipelineBench {
  private struct Job {
    var name: String
    var capture: () throws -> String = BenchFiles.capture
    var records = BenchFiles.records
    var intermediates = ""
    var destinations: () throws -> String
    var more = ""
    /// Unmeasured, before each run.
    var prepare: () throws -> Void = {}
    /// After all runs.
    var compare: () throws -> Void = {}
  }

  private static var jobs: [Job] {
    [
      Job(name: "file-discard", destinations: { CollectorRun.checksum }),
      Job(name: "file-json-null", destinations: { CollectorRun.jsonFile("/dev/null") }),
      Job(
        name: "file-json-file", destinations: { CollectorRun.json(try lines(BenchFiles.folder())) },
        prepare: { remove(try linesPath()) }, compare: bareWrites),
      Job(
        name: "file-detections", destinations: { CollectorRun.detections },
        more: CollectorRun.alerts(CollectorRun.jsonFile("/dev/null"))),
      Job(
        name: "file-cryptopan-discard", capture: BenchFiles.distinctCapture, intermediates: cryptoPAn,
        destinations: { CollectorRun.count }),
      Job(
        name: "file-cryptopan6-discard", capture: { try BenchFiles.plain("ipv6.ipfix", ipv6) }, records: ipv6.recordCount,
        intermediates: cryptoPAn, destinations: { CollectorRun.count }),
    ]
  }

  private static let cryptoPAn =
    "<anonymization_ip><type>cryptopan</type><key>0123456789abcdef0123456789abcdef</key></anonymization_ip>"
  private static let ipv6 = PlainCapture(records: 1_000_000, isIPv6: true)

  /// One file, not one for each five minutes.
  private static func lines(_ folder: String) -> String {
    "<type>file</type><path>\(folder)</path><name>lines.json</name><dumpInterval><timeWindow>0</timeWindow></dumpInterval>"
  }

  /// What the kernel takes for the same bytes, from nothing but a loop of `write`.
  private static func bareWrites() throws {
    var status = stat()
    guard stat(try linesPath(), &status) == 0 else { throw BenchError("there is no file of lines") }
    let path = try BenchFiles.folder() + "/bytes"
    try CollectorRun.report("  a bare loop that writes as many bytes", records: BenchFiles.records) {
      defer { remove(path) }
      return try Child([CollectorRun.own, "peer", "fill", path, "\(status.st_size)"]).wait()
    }
  }

  /// Where `file-json-file` leaves its lines.
  static func linesPath() throws -> String { try BenchFiles.folder() + "/lines.json" }

  static var names: [String] { jobs.map(\.name) }

  /// - Parameter comparing: whether what is run beside the job is run too.
  static func run(_ name: String, comparing: Bool = true) throws {
    guard let job = jobs.first(where: { $0.name == name }) else { return }
    let configuration = try CollectorRun.configuration(
      name, input: CollectorRun.file(try job.capture()), intermediates: job.intermediates, destinations: try job.destinations(),
      more: job.more)
    try CollectorRun.report(name, records: job.records) {
      try job.prepare()
      return try CollectorRun.untilEnd(configuration, records: job.records)
    }
    if comparing { try job.compare() }
  }
}
