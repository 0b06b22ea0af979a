import Foundation
import Glibc
import TestSupport

/// What the tests of outputs share: captures, and a collector that feeds one output.
enum OutputFixture {
  /// A synthetic capture, cut where a message ends nearest to its middle.
  static func capture(_ folder: TemporaryFolder, records: Int) throws -> (path: String, bytes: [UInt8], middle: Int) {
    let path = folder.path + "/capture.ipfix"
    let made = try Program.run(["generate", "-o", path, "--records", "\(records)", "--seed", "7"])
    guard made.code == 0 else { throw Failure("generate: \(made.error)") }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var middle = 0
    while middle < bytes.count / 2 { middle += Int(bytes[middle + 2]) << 8 | Int(bytes[middle + 3]) }
    return (path, bytes, middle)
  }

  /// A startup.xml with one output, fed by TCP or by a file.
  static func configuration(_ output: String, file: String? = nil, queue: String = "") -> String {
    let input = file.map { "<fileReader><file>\($0)</file></fileReader>" } ?? "<tcpCollector><localPort>0</localPort></tcpCollector>"
    return """
      <ipfix>
        <collectingProcess><name>in</name>\(input)<exportingProcess>out</exportingProcess></collectingProcess>
        <exportingProcess><name>out</name><destination><name>test</name>\(queue)\(output)</destination></exportingProcess>
      </ipfix>
      """
  }

  /// The lines that standard output gives for a capture: what every other destination is compared with.
  static func lines(_ capture: String, options: String = "") throws -> [String] {
    let folder = try TemporaryFolder()
    let output = "<json>\(options)<output><type>print</type></output></json>"
    let collector = try Collector(configuration(output, file: capture), folder: folder)
    _ = try collector.ended()
    return collector.process.outputText.split(separator: "\n").map(String.init)
  }

  /// Asks again and again until the answer is yes; fails when that takes too long.
  static func wait(for what: String, seconds: Double = 60, _ isTrue: () throws -> Bool) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while try !isTrue() {
      guard Date() < deadline else { throw Failure("\(seconds) s passed while waiting for \(what)") }
      usleep(5000)
    }
  }

  /// The whole lines of a file that somebody else is writing.
  static func lines(ofFile path: String) -> [String] {
    let text = (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  static func lineCount(ofFile path: String) -> Int { (try? Data(contentsOf: URL(fileURLWithPath: path)))?.count { $0 == 10 } ?? 0 }
}

/// A receiver of lines in a process of its own, which writes them to a file.
final class LineReceiver {
  let process: RunningProcess
  let port: String
  let file: String

  /// - Parameter port: "0" lets the system choose.
  init(port: String = "0", file: String) throws {
    process = try RunningProcess(Program.folder + "/line-receiver", [port, file])
    self.file = file
    self.port = String(try process.waitForOutputLine("port ").dropFirst(5))
  }

  func waitForLines(_ count: Int) throws {
    try OutputFixture.wait(for: "\(count) lines in \(file)") { OutputFixture.lineCount(ofFile: file) >= count }
  }

  func end() throws {
    process.signal(SIGKILL)
    try process.waitForExit()
  }
}
