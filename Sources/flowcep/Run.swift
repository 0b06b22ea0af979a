import ArgumentParser
import CLinux
import Collector
import Diagnostics
import Glibc

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the collector.",
    discussion: """
      Runs until all inputs have ended, or until SIGINT or SIGTERM: then everything received is drained within stopTimeout, and \
      the last line on standard error says what became of every record. A second signal exits at once. Logs go to standard \
      error, with -d to the system's log; standard output carries data only.
      """)

  @Option(name: [.short, .customLong("config")], help: "The configuration, startup.xml.")
  var config: String

  @Flag(name: [.short, .long], help: "Run in the background; returns when all inputs listen, or with the reason why they do not.")
  var daemon = false

  @Option(name: [.short, .customLong("pid-file")], help: "Where the process's number is written; removed at the end.")
  var pidFile: String?

  @Option(name: [.short, .customLong("verbosity")], help: "0 errors, 1 warnings, 2 information, 3 debugging; -v alone means 3.")
  var verbosity = 2

  @Option(help: "The user to become once all inputs listen.")
  var user: String?

  @OptionGroup var plugins: PluginFolders

  /// The descriptor on which the parent waits; set by the parent, never by people.
  @Option(help: .hidden) var daemonReady: Int32?

  func validate() throws {
    if !(0...3).contains(verbosity) { throw ValidationError("-v is 0, 1, 2 or 3, not \(verbosity)") }
  }

  func run() throws {
    if daemon { throw ExitCode(Daemon.launch(arguments: CommandLine.arguments)) }
    flowcep_report_crashes()
    signal(SIGPIPE, SIG_IGN)
    let signals = flowcep_signal_descriptor()
    let target = LogTarget(verbosity: verbosity)
    let (loaded, diagnostics) = Collector.load(file: config, pluginFolders: plugins.folders, target: target)
    show(diagnostics.sorted)
    guard let collector = loaded else { throw ExitCode.usage }
    do throws(Collector.StartFailure) {
      try collector.start()
    } catch {
      throw report(error)
    }
    try writePidFile()
    defer { if let pidFile { unlink(pidFile) } }
    try becomeUser()
    if let daemonReady {
      target.switchTo(.systemLog)
      Daemon.tellParent(daemonReady)
    }
    let isGood = collector.run(signals: signals)
    if collector.isAbandoned {
      if let pidFile { unlink(pidFile) }
      _exit(1)
    }
    if !isGood { throw ExitCode(1) }
  }

  private func report(_ failure: Collector.StartFailure) -> ExitCode {
    switch failure {
    case .configuration(let diagnostics):
      show(diagnostics)
      return .usage
    case .runtime(let failures):
      failures.forEach { writeError("error: \($0)\n") }
      return ExitCode(1)
    }
  }

  private func becomeUser() throws {
    guard let user else { return }
    func refuse(_ reason: String) -> ExitCode {
      writeError("error: --user \(user): \(reason)\n")
      return ExitCode(1)
    }
    guard let entry = getpwnam(user) else { throw refuse("there is no such user") }
    let (uid, gid) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    guard getuid() != uid else { return }
    guard initgroups(user, gid) == 0, setgid(gid) == 0, setuid(uid) == 0 else { throw refuse(String(cString: strerror(errno))) }
  }

  private func writePidFile() throws {
    guard let pidFile else { return }
    guard let file = fopen(pidFile, "we") else {
      writeError("error: --pid-file \(pidFile): \(String(cString: strerror(errno)))\n")
      throw ExitCode(1)
    }
    fputs("\(getpid())\n", file)
    fclose(file)
  }
}
