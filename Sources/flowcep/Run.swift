import ArgumentParser
import CLinux
import Collector
import Configuration
import Diagnostics
import Glibc

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the collector.",
    discussion: """
      Runs until all inputs have ended, or until SIGINT or SIGTERM: then everything received is drained within stopTimeout, and \
      the last line on standard error says what became of every record. A second signal exits at once. Logs go to standard \
      error, with -d to the system's log, or to a file with --log; standard output carries data only.
      """)

  @Option(name: [.short, .customLong("config")], help: "The configuration, startup.xml.")
  var config: String

  @Flag(name: [.short, .long], help: "Run in the background; returns when all inputs listen, or with the reason why they do not.")
  var daemon = false

  @Option(name: [.short, .customLong("pid-file")], help: "Where the process's number is written; removed at the end.")
  var pidFile: String?

  @Option(name: [.short, .customLong("verbosity")], help: "0 errors, 1 warnings, 2 information, 3 debugging; -v alone means 3.")
  var verbosity = 2

  @Option(help: "A file that the log is appended to once all inputs listen, in place of standard error or the system's log.")
  var log: String?

  @Option(help: "The user to become once all inputs listen, before outputs open anything.")
  var user: String?

  @OptionGroup var plugins: PluginFolders

  /// The descriptor on which the parent waits; set by the parent, never by people.
  @Option(help: .hidden) var daemonReady: Int32?

  func validate() throws {
    if !(0...3).contains(verbosity) { throw ValidationError("-v is 0, 1, 2 or 3, not \(verbosity)") }
  }

  func run() throws {
    if daemon, daemonReady == nil { throw ExitCode(Daemon.launch(arguments: CommandLine.arguments)) }
    flowcep_return_freed_memory()
    flowcep_report_crashes()
    signal(SIGPIPE, SIG_IGN)
    // An exporter over TCP is a descriptor.
    var descriptors = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors) == 0, descriptors.rlim_cur < descriptors.rlim_max {
      descriptors.rlim_cur = descriptors.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &descriptors)
    }
    let signals = flowcep_signal_descriptor()
    let target = LogTarget(verbosity: verbosity)
    let (loaded, diagnostics) = Collector.load(file: config, pluginFolders: plugins.folders, target: target)
    guard let collector = loaded else {
      show(diagnostics.sorted)
      throw ExitCode.usage
    }
    diagnostics.sorted.forEach { target.warn("configuration", $0.unmarkedLine) }
    defer { removePidFile() }
    do throws(Collector.StartFailure) {
      try collector.start(onceListening: { writePidFile() ?? becomeUser(giving: $0) })
    } catch {
      throw report(error)
    }
    try switchLog(target)
    let isGood = collector.run(signals: signals, beforeLeavingAtOnce: removePidFile)
    if collector.isAbandoned {
      removePidFile()
      _exit(1)
    }
    if !isGood { throw ExitCode(1) }
  }

  /// All inputs listen: from here on the log goes where it is to go, and the parent may return.
  private func switchLog(_ target: LogTarget) throws {
    if let log, case let status = Daemon.redirectStandardError(to: log), status != 0 {
      writeError("error: --log \(log): \(String(cString: strerror(status)))\n")
      throw ExitCode(1)
    }
    guard let daemonReady else { return }
    if log == nil, let reason = target.switchToSystemLog() {
      writeError("warning: nobody reads the system's log (\(reason)): what is logged from now on is lost; --log FILE keeps it\n")
    }
    Daemon.tellParent(daemonReady, keepsStandardError: log != nil)
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

  /// Why it could not be done; nil where it could, or needs not.
  private func becomeUser(giving socket: String?) -> String? {
    guard let user else { return nil }
    guard let entry = getpwnam(user) else { return "--user \(user): there is no such user" }
    let (uid, gid) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
    guard getuid() != uid else { return nil }
    StandardFolders.giveState(to: uid, gid)
    if let socket { chown(socket, uid, gid) }
    guard initgroups(user, gid) == 0, setgid(gid) == 0, setuid(uid) == 0 else {
      return "--user \(user): \(String(cString: strerror(errno)))"
    }
    return nil
  }

  private func writePidFile() -> String? {
    guard let pidFile else { return nil }
    guard let file = fopen(pidFile, "we") else { return "--pid-file \(pidFile): \(String(cString: strerror(errno)))" }
    fputs("\(getpid())\n", file)
    fclose(file)
    return nil
  }

  /// One that another collector has written since stays.
  private func removePidFile() {
    guard let pidFile, let file = fopen(pidFile, "re") else { return }
    var number = [CChar](repeating: 0, count: 16)
    fgets(&number, 16, file)
    fclose(file)
    if atoi(number) == getpid() { unlink(pidFile) }
  }
}
