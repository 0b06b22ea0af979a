import Foundation
import TestSupport

/// Builds plugins outside the tree, as somebody else would.
enum OutsideBuild {
  struct Failure: Error, CustomStringConvertible { var description: String }

  static let sources = SharedFolder.repository.path + "/Tests/PluginABI/Outside"
  private static let headers = SharedFolder.repository.path + "/Sources/PluginABI/include"

  /// Compiles a C file into a plugin library with the plain C compiler.
  static func c(_ source: String, as library: String, into folder: TemporaryFolder, defines: [String] = []) throws {
    let result = try Program.run(
      ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-array-bounds", "-Wno-stringop-overflow", "-shared", "-fPIC", "-I", headers]
        + defines.map { "-D\($0)" } + ["-o", "\(folder.path)/\(library)", source.hasPrefix("/") ? source : "\(sources)/\(source)", "-lm"],
      executable: "cc")
    guard result.code == 0 else { throw Failure(description: result.error) }
  }

  /// Builds the Swift package and gives the library's folder. Kept in the build folder, so that the next time is quick.
  static func swift() throws -> String {
    let repository = SharedFolder.repository.path
    let package = repository + "/.build/outside/package"
    let files = FileManager.default
    try files.createDirectory(atPath: package + "/Sources", withIntermediateDirectories: true)
    let manifest = try String(contentsOfFile: sources + "/SwiftOutput/Package.swift.in", encoding: .utf8)
      .replacingOccurrences(of: "@FLOWCEP@", with: repository)
      .replacingOccurrences(of: "@IDENTITY@", with: (repository as NSString).lastPathComponent.lowercased())
    let source = try String(contentsOfFile: sources + "/SwiftOutput/Tail.swift", encoding: .utf8)
    try update(package + "/Package.swift", manifest)
    try update(package + "/Sources/Tail.swift", source)
    let result = try Program.run(
      ["build", "--package-path", package, "--scratch-path", repository + "/.build/outside/build", "--product", "flowcep-output-tail"],
      executable: "swift", seconds: 600)
    guard result.code == 0 else { throw Failure(description: result.output + result.error) }
    return repository + "/.build/outside/build/debug"
  }

  private static func update(_ path: String, _ text: String) throws {
    if (try? String(contentsOfFile: path, encoding: .utf8)) != text {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }
}

/// A configuration that reads a capture.
func configuration(capture: String, intermediates: String = "", destinations: String, more: String = "") -> String {
  """
  <ipfix>
    <collectingProcess>
      <fileReader><file>\(capture)</file></fileReader>
      <exportingProcess>out</exportingProcess>
    </collectingProcess>
    <intermediatePlugins>\(intermediates)</intermediatePlugins>
    <exportingProcess><name>out</name>
      \(destinations)
    </exportingProcess>
    \(more)
  </ipfix>
  """
}

/// A small capture, made once.
enum Capture {
  static let records = 3000
  private static let folder = try? TemporaryFolder()

  static let path: String? = {
    guard let folder else { return nil }
    let path = folder.path + "/capture.ipfix"
    let result = try? Program.run(["generate", "--output", path, "--records", "\(records)", "--duration", "60", "--no-attack"])
    return result?.code == 0 ? path : nil
  }()
}
