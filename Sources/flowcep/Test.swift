import ArgumentParser
import Cases
import Engine
import Glibc
import RecordEvents

/// `flowcep test`: runs cases in the corpus's format.
struct Test: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Run test cases of detections and of the language.",
    discussion: """
      A case is a JSON file: a module (its text as "epl", or a file as "module"), the events to send, or a capture of flow records \
      ("capture": a file), and the rows that must come out. Paths in it count from its folder. A module that declares no schema IPFIX gets \
      the built-in one. Of a folder all *.json files below it are run. Prints what differs and a line of totals; exits 1 if any case fails.
      """)

  @Argument(help: "Files and folders of cases.") var cases: [String]
  @Option(help: "How many events go into one batch; the answers are the same for any.") var batchSize = 1
  @Flag(help: "Run statements as they are written, without rewriting them for speed.") var noRewrites = false
  @Flag(name: .shortAndLong, help: "Print only the names of failing cases and the totals.") var quiet = false
  @Flag(help: "Record the answers given as those expected, in the files of the cases that fail or have none.") var bless = false
  @Flag(help: "Stay, and run again the cases whose files, modules, lists or captures have changed.") var watch = false
  @Option(name: .customLong("junit"), help: "Write the results as JUnit XML to this file.") var report: String?

  @OptionGroup var plugins: PluginFolders

  func validate() throws {
    if cases.isEmpty { throw ValidationError("name at least one file or folder of cases") }
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
    if bless, watch { throw ValidationError("--bless and --watch exclude each other") }
  }

  func run() throws {
    let builtIn = try BuiltInSchema()
    var options = EngineOptions()
    options.rewrites = !noRewrites
    options.catalog = plugins.catalog
    var runner = CaseRunner(batchSize: batchSize, options: options, predeclared: [builtIn.schema.eventType])
    runner.readCapture = { path, engine, input throws(CaseError) in try readCapture(path, engine, input, builtIn) }
    let files = CaseFiles(runner: runner, blesses: bless)
    var outcomes = try run(try InputFiles.below(cases, suffix: ".json"), files)
    guard watch else {
      if outcomes.contains(where: \.failed) { throw ExitCode(1) }
      return
    }
    let watcher = CaseWatch(cases: cases)
    while true {
      let changed = watcher.waitForChange(outcomes)
      print("\n\(changed.count == 1 ? changed[0] : "\(changed.count) cases") once more:")
      let anew = try run(changed, files)
      outcomes = outcomes.filter { !changed.contains($0.path) } + anew
      if outcomes.count > anew.count { print("of all: " + totals(outcomes)) }
      fflush(nil)
    }
  }

  private func run(_ paths: [String], _ files: CaseFiles) throws -> [CaseOutcome] {
    var outcomes: [CaseOutcome] = []
    for path in paths {
      let outcome = try files.run(path)
      outcomes.append(outcome)
      switch outcome.result {
      case .passed: break
      case .blessed: print("\(path): recorded")
      case .skipped(let reason): print("\(path): skipped, \(reason)")
      case .failed(let differences):
        print("\(path): failed")
        if !quiet { for line in differences { print("  " + line) } }
      }
    }
    print(totals(outcomes))
    // Whoever watches reads it now, also through a pipe.
    fflush(nil)
    if let report { try JUnitReport(outcomes).write(to: report) }
    return outcomes
  }

  private func totals(_ outcomes: [CaseOutcome]) -> String {
    let recorded = outcomes.count { $0.result == .blessed }
    return "\(outcomes.count { $0.result == .passed }) passed, \(outcomes.count(where: \.failed)) failed, "
      + "\(outcomes.count(where: \.skipped)) skipped" + (recorded > 0 ? ", \(recorded) recorded" : "")
  }

  private func readCapture(_ path: String, _ engine: Engine, _ input: EngineInput, _ builtIn: BuiltInSchema) throws(CaseError) {
    guard access(path, R_OK) == 0 else { throw CaseError("cannot read the capture \(path): \(String(cString: strerror(errno)))") }
    let events = CaptureEvents(engine, input, builtIn.schema) {}
    let isWhole = try? CaptureReader(registry: builtIn.registry).read([path], into: events)
    guard isWhole == true else { throw CaseError("the capture \(path) cannot be read to its end") }
  }
}
