import Foundation
import Glibc

/// The default configuration: how long it takes until it listens, and what it costs while nothing comes.
enum StartBench {
  private static let runs = 21

  static func start() throws {
    let configuration = try shipped()
    var (walls, cpus): ([Double], [Double]) = ([], [])
    var memory = 0
    for _ in 0...runs {
      let began = Child.monotonicNanoseconds()
      let collector = try Child([CollectorRun.flowcep, "run", "-c", configuration])
      _ = try collector.line(with: "listening on tcp")
      _ = try collector.line(with: "listening on udp")
      walls.append(Double(Child.monotonicNanoseconds() - began) / 1e6)
      _ = try collector.line(with: "running: ")
      collector.send(SIGTERM)
      let usage = try collector.wait()
      cpus.append(Double(usage.cpuNanoseconds) / 1e6)
      memory = max(memory, usage.peakKiB)
    }
    let (wall, cpu) = (walls.dropFirst().sorted(), cpus.dropFirst().sorted())
    print(
      "start: \(Bench.rounded(wall[runs / 2])) ms from start to listening (\(Bench.rounded(wall[0])) to \(Bench.rounded(wall[runs - 1])), \(runs) runs); "
        + "\(Bench.rounded(cpu[runs / 2])) ms of CPU time from start to end; peak \(memory / 1024) MiB")
  }

  /// Over five seconds, the first second left out.
  static func idle() throws {
    let collector = try Child([CollectorRun.flowcep, "run", "-c", shipped()])
    _ = try collector.line(with: "running: ")
    Thread.sleep(forTimeInterval: 1)
    let (seconds, before) = (5, collector.load())
    Thread.sleep(forTimeInterval: Double(seconds))
    let after = collector.load()
    collector.send(SIGTERM)
    try collector.wait()
    let microseconds = Double(after.cpuNanoseconds - before.cpuNanoseconds) / 1000 / Double(seconds)
    print(
      "idle: \(Bench.rounded(microseconds)) µs of CPU time a second (\(Bench.rounded(microseconds / 10_000)) %), "
        + "\((after.switches - before.switches) / seconds) wake-ups a second")
  }

  /// `config/startup.xml` as it stands, but on ports that are free, and with its files in the benchmarks' folder.
  private static func shipped() throws -> String {
    let folder = try BenchFiles.folder()
    let text = try String(contentsOfFile: "config/startup.xml", encoding: .utf8)
      .replacingOccurrences(of: "<localPort>4739</localPort>", with: "<localPort>0</localPort>")
      .replacingOccurrences(of: "$STATE", with: folder)
      .replacingOccurrences(of: "</ipfix>", with: "<controlSocket>\(folder)/control.sock</controlSocket></ipfix>")
    let path = folder + "/startup.xml"
    try BenchFiles.write(text, to: path)
    return path
  }
}
