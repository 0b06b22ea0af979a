import Foundation
import Glibc
import TestSupport
import Testing

/// `flowcep run -d`, its log and its process file; and what an operator may do to a collector besides.
@Suite struct BackgroundTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func configuration(_ output: String = "<count/>", more: String = "") -> String {
    """
    <ipfix>
      <collectingProcess><name>c</name>
        <tcpCollector><name>in</name><localPort>0</localPort></tcpCollector>
        <exportingProcess>out</exportingProcess></collectingProcess>
      <exportingProcess><name>out</name><destination><name>d</name>\(output)</destination></exportingProcess>
      \(more)
    </ipfix>
    """
  }

  /// Starts a collector in the background; its process and its port.
  private func background(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (pid: pid_t, port: String, error: String) {
    let file = try folder.write(configuration(), to: "startup.xml")
    let parent = try Program.run(["run", "-d", "-c", file, "--pid-file", folder.path + "/pid"] + arguments, environment: environment)
    let port = parent.error.split(separator: "\n").first { $0.contains("listening on tcp") }?.split(separator: ":").last
    guard parent.code == 0, let port, let pid = pid_t(folder.text(of: "pid").trimmingCharacters(in: .whitespacesAndNewlines))
    else { throw Failure("exit code \(parent.code): \(parent.error)") }
    return (pid, String(port), parent.error)
  }

  private func waitForEnd(of pid: pid_t) throws {
    let watcher = try RunningProcess("tail", ["--pid=\(pid)", "-s", "0.05", "-f", "/dev/null"])
    #expect(try watcher.waitForExit() == 0)
  }

  @Test func logIsAppendedToAFile() throws {
    let log = try folder.write("what was there\n", to: "log")
    let collector = try background(["--log", log])
    kill(collector.pid, SIGTERM)
    try waitForEnd(of: collector.pid)
    let lines = folder.text(of: "log").split(separator: "\n")
    #expect(lines.first == "what was there")
    #expect(lines.last?.hasSuffix("; closed") == true, "\(lines)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/pid"))
  }

  @Test func logGoesToTheSystemsLog() throws {
    let log = try SystemLog(folder.path + "/devlog")
    let collector = try background([], environment: ["FLOWCEP_SYSTEM_LOG": log.path])
    #expect(!collector.error.contains("nobody reads"))
    kill(collector.pid, SIGTERM)
    let line = try log.waitForLine("ledger: ")
    // LOG_DAEMON and LOG_INFO.
    #expect(line.hasPrefix("<30>flowcep[\(collector.pid)]: ledger: received=0") && line.hasSuffix("; closed"), "\(line)")
    try waitForEnd(of: collector.pid)
  }

  @Test func aSystemWithoutALogIsSaid() throws {
    let collector = try background([], environment: ["FLOWCEP_SYSTEM_LOG": folder.path + "/nobody"])
    kill(collector.pid, SIGTERM)
    try waitForEnd(of: collector.pid)
    #expect(collector.error.contains("warning: nobody reads the system's log (\(folder.path)/nobody: No such file or directory)"))
  }

  /// The crash is that of a signal from outside: who corrupts memory is a test of the plugin boundary.
  @Test(arguments: [true, false]) func theLastLineOfACrashIsKept(inFile: Bool) throws {
    let log = try SystemLog(folder.path + "/devlog")
    let collector = try background(
      inFile ? ["--log", folder.path + "/log"] : [], environment: ["FLOWCEP_SYSTEM_LOG": log.path])
    kill(collector.pid, SIGSEGV)
    if inFile {
      try OutputFixture.wait(for: "the last line") { folder.text(of: "log").hasSuffix("flowcep: fatal SIGSEGV in the collector itself\n") }
    } else {
      // LOG_DAEMON and LOG_CRIT.
      #expect(try log.waitForLine("fatal") == "<26>flowcep[\(collector.pid)]: fatal SIGSEGV in the collector itself")
    }
    try waitForEnd(of: collector.pid)
  }

  @Test func aSecondSignalLeavesNoProcessFile() throws {
    // A peer that takes nothing holds up the end.
    let receiver = try LineReceiver(file: folder.path + "/received")
    let capture = try OutputFixture.capture(folder, records: 40_000)
    let collector = try Collector(
      configuration("<logstash><host>127.0.0.1</host><port>\(receiver.port)</port></logstash>"), folder: folder,
      arguments: ["--pid-file", folder.path + "/pid"])
    let exporter = try Exporter(port: try collector.port("tcp"))
    try collector.process.waitForErrorLine("connected to ")
    receiver.process.signal(SIGSTOP)
    try exporter.send(capture.bytes[...])
    exporter.finish()
    try collector.process.waitForErrorLine(": closed")
    #expect(folder.text(of: "pid") == "\(collector.process.pid)\n")
    collector.process.signal(SIGTERM)
    try collector.process.waitForErrorLine("SIGTERM: stopping")
    collector.process.signal(SIGTERM)
    #expect(try collector.process.waitForExit() == 1)
    #expect(collector.process.errorLines.last?.hasSuffix("SIGTERM again: exiting at once") == true)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/pid"))
  }

  @Test func givesUpRootsRights() throws {
    let file = try folder.write(configuration(), to: "startup.xml")
    let unknown = try Program.run(["run", "-c", file, "--user", "nobody-of-this-name"])
    #expect(unknown.code == 1)
    #expect(unknown.error.contains("error: --user nobody-of-this-name: there is no such user"))
    guard getuid() == 0 else { return }
    let collector = try Collector(configuration(), folder: folder, arguments: ["--user", "nobody"])
    try collector.process.waitForErrorLine("running: all inputs listen")
    let status = try String(contentsOfFile: "/proc/\(collector.process.pid)/status", encoding: .utf8)
    let uid = try #require(getpwnam("nobody")).pointee.pw_uid
    #expect(status.contains("Uid:\t\(uid)\t\(uid)\t\(uid)\t\(uid)"), "\(status)")
    #expect(try collector.stop().closes)
  }

  @Test func saysHowItGoes() throws {
    let collector = try Collector(configuration(more: "<reportInterval>1 s</reportInterval>"), folder: folder)
    _ = try collector.port("tcp")
    try collector.process.waitForErrorLine("info collector: exporters=0 records/s=0 records=0 late=0 dropped=0 alerts=0")
    try collector.process.waitForErrorLine("warning collector: input \"in\": nothing has come for 1 s")
    #expect(try collector.stop().closes)
  }

  @Test func whoListensOnAllAddressesSaysSoOnce() throws {
    let all = configuration().replacingOccurrences(of: "<localPort>", with: "<localIPAddress></localIPAddress><localPort>")
    let collector = try Collector(all, folder: folder)
    try collector.process.waitForErrorLine("running: all inputs listen")
    #expect(try collector.stop().closes)
    let said = collector.process.errorLines.filter { $0.contains("all addresses") }
    #expect(said.count == 1 && said[0].contains("warning configuration: ") && said[0].contains("startup.xml:3:34: empty "), "\(said)")
  }

  @Test func aBenchmarkThatFailsSaysWhy() throws {
    let result = try Program.run(["nosuch"], executable: Program.folder + "/flowcep-bench")
    #expect(result.code == 1)
    #expect(
      result.error.hasPrefix("error: there is no benchmark \"nosuch\"; there are ") && result.error.contains(" file-discard, "),
      "\(result.error)")
  }
}

/// What a system's log daemon is: a datagram socket.
private final class SystemLog {
  let path: String
  private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
  private var lines: [String] = []

  init(_ path: String) throws {
    self.path = path
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard status == 0 else { throw Failure("cannot bind \(path): \(String(cString: strerror(errno)))") }
    var patience = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func waitForLine(_ text: String) throws -> String {
    while true {
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 else { throw Failure("no line with \"\(text)\" came, but \(lines)") }
      let line = String(decoding: bytes[..<count], as: UTF8.self)
      if line.contains(text) { return line }
      lines.append(line)
    }
  }
}
