import Foundation

/// The programs and libraries that this package has built, beside the test bundle.
public enum Program {
  /// The folder with the `flowcep` executable and the plugins' libraries.
  public static let folder: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let beside = (own as NSString).deletingLastPathComponent
    if FileManager.default.fileExists(atPath: beside + "/flowcep") { return beside }
    return SharedFolder.repository.path + "/.build/debug"
  }()

  public static let flowcep = folder + "/flowcep"

  /// What collectors keep from run to run stays in a folder of this test run.
  private static let ownState = ["STATE_DIRECTORY": FileManager.default.temporaryDirectory.path + "/flowcep-test-state-\(getpid())"]

  /// Starts `flowcep` with these arguments.
  public static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningProcess {
    try RunningProcess(flowcep, arguments, environment: ownState.merging(environment) { $1 })
  }

  /// Runs a program (`flowcep` where none is named) to its end.
  public static func run(
    _ arguments: [String], executable: String = flowcep, environment: [String: String] = [:], input: [UInt8] = [], seconds: Double = 120
  ) throws -> (code: Int32, output: String, error: String) {
    let process = try RunningProcess(executable, arguments, environment: ownState.merging(environment) { $1 })
    process.write(input)
    process.closeInput()
    let code = try process.waitForExit(seconds: seconds)
    return (code, process.outputText, process.errorText)
  }
}

/// A folder of a test's own, gone with the last reference to it.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    path = FileManager.default.temporaryDirectory.path + "/flowcep-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Waits until some file in a folder of it holds the text.
  public func waitForText(_ name: String, containing wanted: String, seconds: Double = 30) throws {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while Date() < deadline {
      let files = (try? FileManager.default.contentsOfDirectory(atPath: path + "/" + name)) ?? []
      if files.contains(where: { text(of: name + "/" + $0).contains(wanted) }) { return }
      sched_yield()
    }
    throw RunningProcess.Timeout(description: "no file in \(name) holds \"\(wanted)\"")
  }

  public func text(of name: String) -> String {
    (try? Data(contentsOf: URL(fileURLWithPath: path + "/" + name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
