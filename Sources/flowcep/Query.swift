import ArgumentParser
import Diagnostics
import Engine
import EventModel
import Glibc
import RecordEvents
import JSONLines

/// `flowcep query`: the engine alone, from JSON lines to JSON lines.
struct Query: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Run an EPL module over JSON lines or a capture and print its rows.",
    discussion: """
      Events come from a file, from standard input, or as datagrams. Nested objects flatten to dotted names. A file of IPFIX or \
      NetFlow messages, or a packet capture of them, gives its flow records as events of the type IPFIX, which a module need not \
      declare. Rows of the statements named with -o (without -o: of those that no other statement reads) are printed as JSON lines.
      """)

  @Option(name: .shortAndLong, help: "The EPL module.") var module: String
  @Option(name: .shortAndLong, help: "Names of statements whose rows are printed, separated by commas.") var output: String?
  @Option(name: .shortAndLong, help: "A file of JSON lines, or a capture; standard input (JSON lines) by default.") var input: String?
  @Option(help: "Take events from datagrams: udp:PORT (of the loopback address) or udp:ADDRESS:PORT.") var listen: String?
  @Option(
    help: "compat, watermark or system; by default watermark, and system where events have no time of their own.",
    transform: { try parseClock($0) })
  var clock: EngineOptions.ClockMode?
  @Option(help: "How far the watermark stays behind the newest event, in seconds.") var lateness = 30.0
  @Option(
    help: "What becomes of events older than the watermark: deliver (at the clock's present time) or drop.",
    transform: { try parseLate($0) })
  var late = EngineOptions.LatePolicy.deliver
  @Option(help: "A time so many seconds ahead of the watermark needs a second witness.") var maxSkew = 600.0
  @Option(help: "After so many seconds without events the watermark follows the wall's pace (with --listen).") var idleAfter = 30.0
  @Option(help: "The event type that the lines are; by default the one with a timestamp, else the first.") var type: String?
  @Flag(help: "Print the plan and stop.") var explain = false
  @Flag(help: "At the end of input advance the clock to the last pending timer (not in compat mode).") var flush = false

  @OptionGroup var plugins: PluginFolders

  func validate() throws {
    if input != nil, listen != nil { throw ValidationError("-i and --listen exclude each other") }
    if flush, clock == .compat { throw ValidationError("--flush adds rows that compat mode never gives") }
    for (name, value) in [("lateness", lateness), ("max-skew", maxSkew), ("idle-after", idleAfter)] where !(value >= 0 && value < 1e9) {
      throw ValidationError("--\(name) must be a number of seconds")
    }
  }

  func run() throws {
    signal(SIGPIPE, SIG_DFL)
    let builtIn = try BuiltInSchema()
    var engine = try compile(builtIn, clock ?? .watermark)
    if explain { return print(engine.explain(), terminator: "") }
    var source = try self.input(of: engine)
    let hasTime = input.map { CaptureEvents.isCapture($0) } ?? false || Query.timestamp(of: source.type, .watermark) != nil
    if !hasTime, clock == .watermark {
      throw refuse(
        "\(module): error: events of the type \"\(source.name)\" have no time for the watermark clock: name their property with @Tag(name='timestamp', value='…')"
      )
    }
    if !hasTime, clock == nil {
      engine = try compile(builtIn, .system)
      source = try self.input(of: engine)
    }
    for diagnostic in engine.diagnostics.sorted { writeError(diagnostic.text + "\n") }
    let session = try QuerySession(engine, source, try wanted(in: engine))
    var complete = true
    if let listen {
      try session.listen(listen)
    } else if let input, CaptureEvents.isCapture(input) {
      complete = try session.readCapture(input, builtIn)
    } else {
      try session.readFile(input)
    }
    engine.finish(flush: flush)
    session.writeOut()
    session.report()
    if !complete { throw ExitCode.failure }
  }

  /// The property that holds a line's time: the schema's, else a flow's end; none where the wall clock rules.
  static func timestamp(of type: EventType, _ clock: EngineOptions.ClockMode) -> Int? {
    clock == .system ? nil : type.timestampProperty ?? type.index(of: "ipfix.flowEndMilliseconds")
  }

  private func compile(_ builtIn: BuiltInSchema, _ clock: EngineOptions.ClockMode) throws -> Engine {
    let text = String(decoding: try InputFiles.read(module), as: UTF8.self)
    var options = EngineOptions()
    options.clock = clock
    options.keepsCurrentRows = false
    options.catalog = plugins.catalog
    options.lateness = Int64(lateness * 1000)
    options.maxSkew = Int64(maxSkew * 1000)
    options.idleAfter = Int64(idleAfter * 1000)
    options.late = late
    do {
      return try Engine(modules: [EngineModule(name: module, text: text)], predeclared: [builtIn.schema.eventType], options: options)
    } catch {
      for diagnostic in error.diagnostics.sorted { writeError(diagnostic.text + "\n") }
      throw ExitCode.usage
    }
  }

  private func refuse(_ reason: String) -> ExitCode {
    writeError("\(reason)\n")
    return ExitCode.usage
  }

  private func input(of engine: Engine) throws -> EngineInput {
    if let type {
      guard let input = engine.input(named: type) else {
        let known = engine.inputs.map(\.name)
        let hint = didYouMean(type, among: known) ?? "types: \(known.joined(separator: ", "))"
        throw refuse("\(module): error: no event type \"\(type)\" (\(hint))")
      }
      return input
    }
    guard let input = engine.inputs.first(where: { $0.type.timestampProperty != nil }) ?? engine.inputs.first else {
      throw refuse("\(module): error: declares no event type")
    }
    return input
  }

  private func wanted(in engine: Engine) throws -> Set<Int> {
    guard let output else { return Set(engine.statements.filter { $0.rowType != nil && !$0.isReadByOthers }.map(\.number)) }
    var numbers = Set<Int>()
    for name in output.split(separator: ",").map(String.init) {
      guard let statement = engine.statements.first(where: { $0.name == name }) else {
        let hint = didYouMean(name, among: engine.statements.map(\.name)).map { " (\($0))" } ?? ""
        throw refuse("\(module): error: no statement \"\(name)\"\(hint)")
      }
      numbers.insert(statement.number)
    }
    return numbers
  }
}

private func parseLate(_ text: String) throws -> EngineOptions.LatePolicy {
  guard let policy = EngineOptions.LatePolicy(rawValue: text) else {
    throw ValidationError("late events are delivered or dropped: deliver, drop")
  }
  return policy
}

private func parseClock(_ text: String) throws -> EngineOptions.ClockMode {
  guard let mode = EngineOptions.ClockMode(rawValue: text) else {
    throw ValidationError("a clock is one of \(EngineOptions.ClockMode.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return mode
}
