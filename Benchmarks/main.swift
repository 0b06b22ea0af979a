// flowcep-bench: what a record costs, from a file to each kind of output.
//
// Arguments: the program to measure, the folder of the shipped detections, the number of records, the number of runs.
import Foundation

func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
func number(_ value: Double, _ width: Int) -> String { String(format: "%\(width).1f", value) }

func measureAll(program: String, queries: String, records: Int, runs: Int) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("flowcep-bench-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let capture = folder.appendingPathComponent("capture.ipfix").path
  _ = try Measurement.run([program, "generate", "-o", capture, "--records", "\(records)"])

  let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n").first { $0.hasPrefix("model name") }
  print("\(ProcessInfo.processInfo.processorCount) processors, \(cpu?.split(separator: ":").last.map { String($0) } ?? "")")
  print("\(records) records of the model capture's mix, \(runs) runs; CPU time is user and system, start-up included")
  print(padded("job", 20) + "  CPU ns/record (lowest … highest)   wall ns/record   peak MB")
  for job in Job.all(queries: queries) {
    let file = folder.appendingPathComponent("startup.xml").path
    try job.configuration(capture: capture).write(toFile: file, atomically: true, encoding: .utf8)
    let results = try (0..<runs).map { _ in try Measurement.run([program, "run", "-c", file, "-v0"]) }
    func perRecord(_ seconds: Double) -> Double { seconds * 1e9 / Double(records) }
    let costs = results.map { perRecord($0.cpuSeconds) }.sorted()
    let walls = results.map { perRecord($0.wallSeconds) }.sorted()
    print(
      padded(job.name, 20) + number(costs[runs / 2], 15) + number(costs[0], 10) + " …" + number(costs[runs - 1], 8)
        + number(walls[runs / 2], 16) + number(results.map(\.peakMegabytes).max() ?? 0, 10))
  }
}

let arguments = CommandLine.arguments
guard arguments.count == 5, let records = Int(arguments[3]), let runs = Int(arguments[4]), runs > 0 else {
  print("usage: flowcep-bench PROGRAM QUERIES RECORDS RUNS")
  exit(2)
}
do {
  try measureAll(program: arguments[1], queries: arguments[2], records: records, runs: runs)
} catch {
  print("flowcep-bench: \(error)")
  exit(1)
}
