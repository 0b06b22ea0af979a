import Foundation
import TestSupport

/// A collector that runs for a test: a startup.xml of its own, `flowcep run`, and what comes out of it.
final class Collector {
  let folder: TemporaryFolder
  let process: RunningProcess

  /// - Parameter configuration: a whole startup.xml; `@FOLDER@` stands for the test's own folder.
  init(_ configuration: String, folder: TemporaryFolder, arguments: [String] = [], environment: [String: String] = [:]) throws {
    self.folder = folder
    let file = try folder.write(configuration.replacingOccurrences(of: "@FOLDER@", with: folder.path), to: "etc/startup.xml")
    process = try Program.start(["run", "-v", "2", "-c", file] + arguments, environment: environment)
  }

  /// The port that an input listens on, by the line that it logs.
  func port(_ transport: String) throws -> String {
    let line = try process.waitForErrorLine("listening on \(transport) ")
    return String(line.split(separator: ":").last ?? "")
  }

  /// Stops the collector as an operator does; its last line. Every message and record is accounted for before and after.
  func stop() throws -> LedgerLine {
    let faults = try status().faults
    guard faults.isEmpty else { throw Failure("the status does not close: \(faults.joined(separator: "; "))") }
    process.signal(SIGINT)
    return try ended()
  }

  /// Waits for a collector that ends by itself; its last line, which closes.
  func ended() throws -> LedgerLine {
    let code = try process.waitForExit(seconds: 120)
    guard code == 0, let ledger = LedgerLine(standardError: process.errorText), ledger.closes else {
      throw Failure("exit code \(code), standard error:\n\(process.errorText.suffix(4096))")
    }
    return ledger
  }

  /// What it does now; the sums are not looked at.
  func status() throws -> StatusReport {
    _ = try process.waitForErrorLine("running: all inputs listen")
    return try StatusReport(ofProcess: process.pid)
  }

  /// The lines of all files whose names begin so, in the order of the names.
  func lines(ofFiles prefix: String) throws -> [String] {
    let directory = (prefix as NSString).deletingLastPathComponent
    let name = (prefix as NSString).lastPathComponent
    let path = folder.path + (directory.isEmpty ? "" : "/" + directory)
    return try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(name) }.sorted().flatMap { file in
      try String(contentsOfFile: path + "/" + file, encoding: .utf8).split(separator: "\n").map(String.init)
    }
  }

  /// Those lines as JSON objects.
  func objects(inFiles prefix: String) throws -> [[String: Any]] {
    try lines(ofFiles: prefix).map { line in
      guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
        throw Failure("no object: \(line)")
      }
      return object
    }
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
