import CLinux
import Configuration
public import Diagnostics
import Glibc
import InformationElements
import Logging
import Pipeline
import PluginHost
import Telemetry

/// A collector: a configuration read, its plugins loaded, and its stages run until the inputs end or a signal comes.
public final class Collector {
  private let configuration: CollectorConfiguration
  private let loader: PluginLoader
  private let services: HostServices
  private let logger: Logger
  private let target: LogTarget
  private var assembly: Assembly?
  private var watch: Watch
  private var source: StatusSource?
  private var control: ControlSocket?
  private var metrics: MetricsServer?

  private init(configuration: CollectorConfiguration, loader: PluginLoader, services: HostServices, target: LogTarget) {
    self.configuration = configuration
    self.loader = loader
    self.services = services
    self.target = target
    watch = Watch(interval: UInt64(max(1, configuration.reportIntervalNanoseconds)))
    logger = target.logger("collector")
  }

  /// Reads and checks a startup.xml with everything that it names, the plugins' own checks included. Starts nothing.
  ///
  /// - Returns: the collector, or nil where the diagnostics hold an error.
  public static func load(
    file: String, pluginFolders: [String], installation: Installation = .current, target: LogTarget
  ) -> (collector: Collector?, diagnostics: DiagnosticList) {
    let loader = PluginLoader(finder: installation.finder(given: pluginFolders))
    var reader = ConfigurationReader(catalog: loader, search: installation.search)
    var (read, diagnostics) = reader.read(file: file)
    guard let configuration = read else { return (nil, diagnostics) }
    let shipped = installation.elementFiles
    if shipped.isEmpty {
      diagnostics.add(Diagnostic(.warning, message: "the shipped information elements are not found: only those of startup.xml are known"))
    }
    let elements = ElementFiles.read(shipped + configuration.elementFiles, into: &diagnostics)
    let services = HostServices(
      counters: CounterRegistry(), stop: StopState(), registry: ElementRegistry(elements), functions: loader.finder
    ) {
      level, instance, text in
      let levels: [HostServices.LogLevel: Logger.Level] = [.error: .error, .warning: .warning, .info: .info, .debug: .debug]
      target.logger(instance.name).log(level: levels[level] ?? .info, "\(text)")
    }
    let collector = Collector(configuration: configuration, loader: loader, services: services, target: target)
    collector.validate(into: &diagnostics)
    return (diagnostics.hasErrors ? nil : collector, diagnostics)
  }

  private func validate(into diagnostics: inout DiagnosticList) {
    let uses =
      configuration.collectingProcesses.flatMap(\.inputs) + configuration.intermediates
      + configuration.exportingProcesses.flatMap { $0.intermediates + $0.destinations.map(\.plugin) }
    let stages: [PluginKind: InstanceName.Stage] = [.input: .input, .intermediate: .intermediate, .output: .output]
    for use in uses {
      guard case .success(let library) = loader.library(use.kind, use.plugin) else { continue }
      let name = InstanceName(stages[use.kind] ?? .output, use.name)
      PluginInstance.validate(library, use, name: name, services: services).forEach { diagnostics.add($0) }
    }
  }

  /// Why a collector did not come up: mistakes in what the user wrote, or failures of plugins.
  public enum StartFailure: Error {
    case configuration([Diagnostic])
    case runtime([String])
  }

  /// Makes and starts all stages; when it returns, all inputs listen.
  ///
  /// - Parameter onceListening: called when the inputs listen and nothing else has been opened: a moment to give up rights. Gets the
  ///   path of the control socket; gives why it must not go on.
  public func start(onceListening: (_ controlSocket: String?) -> String? = { _ in nil }) throws(StartFailure) {
    let assembly = Assembly(configuration, loader: loader, services: services)
    self.assembly = assembly
    if assembly.diagnostics.hasErrors {
      destroy()
      throw .configuration(assembly.diagnostics.sorted)
    }
    assembly.diagnostics.sorted.forEach { logger.warning("\($0.unmarkedLine)") }
    var failures: [String] = []
    func start(_ instance: PluginInstance) {
      do throws(PluginFailure) { try instance.start() } catch { failures.append(error.description) }
    }
    // Inputs listen, and are read from when everything behind them has started: what comes later in the data's path first.
    assembly.inputs.forEach { start($0.instance) }
    failures += listen(for: assembly)
    if failures.isEmpty, let reason = onceListening(control?.path) { throw giveUp(assembly, [reason]) }
    (assembly.chains.flatMap(\.links) + assembly.outputs.map(\.instance)).reversed().forEach(start)
    if !failures.isEmpty { throw giveUp(assembly, failures) }
    // Inputs may end as soon as they begin, so what nobody feeds is looked for before.
    let unfed = assembly.junctions.filter(\.isUnfed)
    let started = assembly.outputs.map { $0.start() } + assembly.chains.map { $0.stage.start() } + assembly.inputs.map { $0.start() }
    unfed.forEach { $0.end() }
    if started.contains(false) { throw .runtime(["the system gives no more threads"]) }
    // Instances that share an address receive from their first poll on.
    assembly.sharedInputs.forEach { $0.waitForFirstPoll(milliseconds: 1000) }
    if control?.start() == false { control = nil }
    // Before anyone can ask whether it is.
    source?.phase = .running
    do throws(MetricsServer.Failure) { try metrics?.start() } catch { throw .runtime([error.reason]) }
    if let metrics { logger.info("listening on http \(metrics.address), /metrics, /health and /ready") }
  }

  /// Opens what others ask: the control socket, and the port for metrics. Gives what went wrong.
  private func listen(for assembly: Assembly) -> [String] {
    let source = StatusSource(assembly.stages, services.counters)
    self.source = source
    var failures: [String] = []
    do throws(ControlSocket.Failure) {
      var path = configuration.controlSocket
      if path == nil { path = try ControlSocket.standardFolder() + "/\(getpid()).sock" }
      control = try ControlSocket(path: path ?? "") { Self.answer($0, source) }
    } catch {
      // Nobody asked for the standard one.
      if configuration.controlSocket == nil {
        logger.warning("no control socket for `flowcep status`: \(error.reason)")
      } else {
        failures.append("controlSocket: \(error.reason)")
      }
    }
    if let wanted = configuration.metrics {
      do throws(MetricsServer.Failure) { metrics = try MetricsServer(wanted, source) } catch { failures.append(error.reason) }
    }
    return failures
  }

  private static func answer(_ question: String, _ source: StatusSource) -> String {
    switch question {
    case "json": source.status(sessions: .max, withTemplates: true).json.description + "\n"
    case "text": source.status(sessions: 200, withTemplates: true).text
    case "alive": "alive\n"
    default: "unknown question\n"
    }
  }

  private func giveUp(_ assembly: Assembly, _ failures: [String]) -> StartFailure {
    assembly.instances.forEach { $0.stop() }
    destroy()
    return .runtime(failures)
  }

  /// Runs until all inputs have ended or a signal comes, drains, and says what became of every record.
  ///
  /// - Parameters:
  ///   - signals: gives SIGINT and SIGTERM; see `flowcep_signal_descriptor`.
  ///   - beforeLeavingAtOnce: called before a second signal ends the process.
  /// - Returns: false where a plugin's failure ended the run, or draining took too long.
  public func run(signals: Int32, beforeLeavingAtOnce: () -> Void = {}) -> Bool {
    guard let assembly else { return false }
    logger.info("running: all inputs listen")
    var isGood = true
    while !assembly.state.isFinished {
      let timeout = waitMilliseconds()
      var entries = [
        pollfd(fd: signals, events: Int16(POLLIN), revents: 0), pollfd(fd: assembly.state.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&entries, 2, timeout)
      if entries[0].revents != 0 { takeSignal(signals, beforeLeavingAtOnce) }
      if entries[1].revents != 0 {
        var count: UInt64 = 0
        _ = read(assembly.state.descriptor, &count, 8)
      }
      if stopsForFailures(assembly) { isGood = false }
      watch.look(at: assembly, services.counters, logger)
      if assembly.state.isDraining { stopAfterDraining(assembly) }
      if services.stop.isStopping, services.stop.nanosecondsLeft == 0, graceIsOver() {
        abandon(assembly)
        return false
      }
    }
    // The last stage may have failed and ended before anybody looked.
    if stopsForFailures(assembly) { isGood = false }
    finish(assembly)
    return isGood
  }

  private func stopsForFailures(_ assembly: Assembly) -> Bool {
    let failures = assembly.state.takeFailures()
    for failure in failures {
      logger.error("stopping: \(failure)")
      beginStop()
    }
    return !failures.isEmpty
  }

  // MARK: Stopping

  /// When draining the inputs ends at the latest, and when all of stopTimeout is over (monotonic nanoseconds).
  private var stopTimes: (drained: UInt64, over: UInt64)?

  /// First the inputs take what has reached this machine; then everybody is told to stop.
  private func beginStop() {
    guard stopTimes == nil else { return }
    let timeout = UInt64(max(0, configuration.stopTimeoutNanoseconds))
    let now = Clock.monotonic()
    source?.phase = .stopping
    stopTimes = (now + min(1_000_000_000, timeout / 2), now + timeout)
    assembly?.state.drainInputs()
  }

  private func stopAfterDraining(_ assembly: Assembly) {
    guard let times = stopTimes, !services.stop.isStopping else { return }
    let now = Clock.monotonic()
    if now >= times.drained || assembly.inputs.allSatisfy(\.isEnded) {
      services.stop.begin(timeoutNanoseconds: times.over > now ? times.over - now : 0)
    }
  }

  private func takeSignal(_ signals: Int32, _ beforeLeavingAtOnce: () -> Void) {
    while case let number = flowcep_next_signal(signals), number != 0 {
      let name = number == SIGINT ? "SIGINT" : "SIGTERM"
      if stopTimes != nil {
        logger.error("\(name) again: exiting at once")
        if let control { unlink(control.path) }
        beforeLeavingAtOnce()
        _exit(1)
      }
      logger.info("\(name): stopping")
      beginStop()
    }
  }

  private func waitMilliseconds() -> Int32 {
    stopTimes != nil ? 20 : watch.millisecondsLeft
  }

  private var graceEnds: UInt64?

  /// A stage gets one more second for what it does when time is up.
  private func graceIsOver() -> Bool {
    let end = graceEnds ?? Clock.monotonic() + 1_000_000_000
    graceEnds = end
    return Clock.monotonic() > end
  }

  private func finish(_ assembly: Assembly) {
    assembly.inputs.forEach { $0.join() }
    assembly.chains.forEach { $0.stage.join() }
    assembly.outputs.forEach { $0.join() }
    assembly.instances.forEach { $0.stop() }
    destroy()
    sayLast(assembly)
  }

  /// A thread hangs in a plugin. The process must end without its libraries' clean-up, which would pull the ground from under it.
  public private(set) var isAbandoned = false

  private func abandon(_ assembly: Assembly) {
    let stuck = assembly.outputs.filter { !$0.isEnded }.map(\.instance.name.description)
    isAbandoned = true
    if let control { unlink(control.path) }
    logger.error("not stopped in time: \(stuck.isEmpty ? "an input or an intermediate" : stuck.joined(separator: ", "))")
    sayLast(assembly)
  }

  private func sayLast(_ assembly: Assembly) {
    target.write(.info, "ledger", assembly.ledger.line)
  }

  private func destroy() {
    control?.stop()
    metrics?.stop()
    (control, metrics) = (nil, nil)
    for instance in (assembly?.instances ?? []).reversed() {
      if let failure = instance.destroy() { logger.error("\(failure)") }
    }
  }
}
