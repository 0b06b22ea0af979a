import Foundation
import TestSupport
import Testing

/// `make install` to a folder of the test's own, and the installed program where no Swift is.
@Suite(.serialized) struct InstallationTests {
  static let make = ["-C", SharedFolder.repository.path, "FLOWCEP_BUILD=\(Program.folder)", "PREFIX=/opt/flowcep"]

  @discardableResult
  func make(_ target: String, in folder: TemporaryFolder) throws -> String {
    let result = try Program.run(Self.make + ["DESTDIR=\(folder.path)", target], executable: "make", environment: ["MAKEFLAGS": ""])
    try #require(result.code == 0, "make \(target): \(result.error)")
    return result.output
  }

  func files(_ folder: TemporaryFolder) -> Set<String> {
    Set((try? FileManager.default.subpathsOfDirectory(atPath: folder.path + "/opt/flowcep")) ?? [])
  }

  @Test func installsAndUninstalls() throws {
    let folder = try TemporaryFolder()
    try make("install", in: folder)
    let installed = files(folder)
    for path in [
      "bin/flowcep", "lib/flowcep/swift/libswiftCore.so", "share/flowcep/elements/iana.xml", "share/flowcep/queries/http-attack.epl",
      "share/flowcep/elastic/kibana.ndjson", "etc/flowcep/startup.xml", "include/flowcep/flowcep_plugin.h",
    ] {
      #expect(installed.contains(path), "\(path) is not installed")
    }
    let built = try FileManager.default.contentsOfDirectory(atPath: Program.folder).filter {
      $0.hasPrefix("libflowcep-") && $0.hasSuffix(".so")
    }
    for plugin in built { #expect(installed.contains("lib/flowcep/plugins/\(plugin)")) }

    // The user's own configuration is never overwritten, and never taken away.
    let mine = try folder.write("<mine/>", to: "opt/flowcep/etc/flowcep/startup.xml")
    let said = try make("install", in: folder)
    #expect(try String(contentsOfFile: mine, encoding: .utf8) == "<mine/>")
    #expect(said.contains("kept "))
    try make("uninstall", in: folder)
    #expect(files(folder).filter { $0.contains(".") } == ["etc/flowcep/startup.xml"])
  }

  /// The toolchain's libraries are covered by an empty folder, in a mount namespace of the program's own.
  @Test func runsWithoutSwift() throws {
    let folder = try TemporaryFolder()
    try make("install", in: folder)
    let program = folder.path + "/opt/flowcep/bin/flowcep"
    let capture = folder.path + "/capture.ipfix"
    let configuration = try folder.write(
      """
      <ipfix>
        <collectingProcess>
          <name>capture</name> <fileReader> <file>capture.ipfix</file> </fileReader> <exportingProcess>out</exportingProcess>
        </collectingProcess>
        <exportingProcess>
          <name>out</name>
          <destination> <name>lines</name> <json> <output> <type>print</type> </output> </json> </destination>
        </exportingProcess>
      </ipfix>
      """, to: "startup.xml")
    for (arguments, expected) in [
      (["plugins"], "logstash"), (["check", "-c", folder.path + "/opt/flowcep/etc/flowcep/startup.xml"], ""),
      (["generate", "-o", capture, "--records", "1000", "--no-attack"], ""), (["run", "-c", configuration], "\"ipfix.sourceIPv4Address\""),
    ] {
      let result = try runWithoutSwift([program] + arguments)
      #expect(result.code == 0, "\(arguments): \(result.error)")
      #expect(expected.isEmpty || result.output.contains(expected), "\(arguments)")
      // What the loader says of every library that it opened.
      for line in result.loaded { #expect(!line.contains(Self.toolchain), "\(line)") }
      #expect(result.loaded.contains { $0.contains("/lib/flowcep/swift/libswiftCore.so") })
    }
  }

  /// The folder of the toolchain's libraries.
  static let toolchain: String = {
    let found = try? Program.run(["-c", "readlink -f \"$(command -v swift)\""], executable: "bash")
    let swift = (found?.output ?? "").trimmingCharacters(in: .whitespacesAndNewlines) as NSString
    return ((swift.deletingLastPathComponent as NSString).deletingLastPathComponent as NSString).appendingPathComponent("lib/swift")
  }()

  func runWithoutSwift(_ command: [String]) throws -> (code: Int32, output: String, error: String, loaded: [String]) {
    try #require(FileManager.default.fileExists(atPath: Self.toolchain))
    let script = "mount -t tmpfs none '\(Self.toolchain)' && LD_LIBRARY_PATH= LD_DEBUG=files exec \"$@\""
    let mayMount = try Program.run(["-rm", "true"], executable: "unshare").code == 0
    let arguments = mayMount ? ["-rm", "bash", "-c", script, "bash"] + command : ["LD_LIBRARY_PATH=", "LD_DEBUG=files"] + command
    if !mayMount { print("no mount namespace here: only the loader's own account is checked") }
    let result = try Program.run(arguments, executable: mayMount ? "unshare" : "env")
    let lines = result.error.split(separator: "\n").map(String.init)
    let loader = lines.filter { $0.contains("file=") || $0.contains("calling init:") }
    return (
      result.code, result.output, lines.filter { !$0.contains("\t") }.joined(separator: "\n"),
      loader.filter { $0.contains("calling init:") }
    )
  }
}
