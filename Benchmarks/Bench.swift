import Glibc

/// Benchmarks: `flowcep-bench [name …]` runs those named (`epl` stands for all whose names begin with `epl-`), or all. Figures are CPU time of the process, per item.
@main
enum Bench {
  /// Each with its name. Whole runs come first: a process that is started counts the memory of its starter as its own peak.
  static let all: [(name: String, run: @Sendable () throws -> Void)] =
    PipelineBench.names.map { name in (name, { try PipelineBench.run(name) }) }
    + NetworkBench.all + [("start", StartBench.start), ("idle", StartBench.idle)] + ScalingBench.all + [
      ("elements", ElementsBench.run),
      ("decode-memory", DecodeBench.run),
      ("fields", FieldsBench.run),
      ("queue", QueueBench.run),
      ("allocations", AllocationsBench.run),
      ("json", JSONBench.run),
      ("json-values", JSONValuesBench.run),
      ("anonymize", AnonymizeBench.run),
      ("watermark", WatermarkBench.run),
      ("query-port-scan", QueryBench.run),
    ]
    + EPLBench.names.map { name in (name, { try EPLBench.run(name) }) }
    + EPLGroupsBench.names.map { name in (name, { try EPLGroupsBench.run(name) }) }

  static func main() {
    let wanted = Array(CommandLine.arguments.dropFirst())
    var isGood = true
    func fail(_ message: String) {
      isGood = false
      let line = Array("error: \(message)\n".utf8)
      _ = write(STDERR_FILENO, line, line.count)
    }
    if wanted.first == "peer" {
      do { try BenchPeer.run(Array(wanted.dropFirst())) } catch { fail("\(wanted): \(error)") }
      exit(isGood ? 0 : 1)
    }
    func isMeant(_ bench: String, by name: String) -> Bool { bench == name || bench.hasPrefix(name + "-") }
    for name in wanted where !all.contains(where: { isMeant($0.name, by: name) }) {
      fail("there is no benchmark \"\(name)\"; there are \(all.map(\.name).joined(separator: ", "))")
    }
    for bench in all where wanted.isEmpty || wanted.contains(where: { isMeant(bench.name, by: $0) }) {
      do { try bench.run() } catch { fail("\(bench.name): \(error)") }
      fflush(nil)
    }
    exit(isGood ? 0 : 1)
  }

  /// Runs `body` once unmeasured and `rounds` times measured; prints the median and the range of nanoseconds per item.
  static func measure(_ name: String, items: Int, rounds: Int = 7, _ body: () -> Void) {
    body()
    let figures = (0..<rounds).map { _ in
      let before = processNanoseconds()
      body()
      return Double(processNanoseconds() - before) / Double(items)
    }.sorted()
    let (median, low, high) = (figures[rounds / 2], figures[0], figures[rounds - 1])
    print("\(name): \(rounded(median)) ns an item (\(rounded(low)) to \(rounded(high)), \(items) items)")
  }

  /// The median of nanoseconds per item.
  static func median(items: Int, rounds: Int, _ body: () throws -> Void) rethrows -> Double {
    try body()
    return try (0..<rounds).map { _ in
      let before = processNanoseconds()
      try body()
      return Double(processNanoseconds() - before) / Double(items)
    }.sorted()[rounds / 2]
  }

  static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  /// CPU time of the process, user and system.
  static func processNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
