import ArgumentParser
import Cases
import Engine
import RecordEvents

/// `flowcep test`: runs cases in the corpus's format.
struct Test: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run test cases of detections and of the language.",
    discussion: """
      A case is a JSON file: a module (its text as "epl", or a file as "module"), the events to send, and the rows that must come \
      out. A module that declares no schema IPFIX gets the built-in one. Of a folder all *.json files below it are run. Prints the differences and a line of totals; exits 1 if any case fails.
      """)

  @Argument(help: "Files and folders of cases.") var cases: [String]
  @Option(help: "How many events go into one batch; the answers are the same for any.") var batchSize = 1
  @Flag(help: "Run statements as they are written, without rewriting them for speed.") var noRewrites = false
  @Flag(name: .shortAndLong, help: "Print only the names of failing cases and the totals.") var quiet = false

  func validate() throws {
    if cases.isEmpty { throw ValidationError("name at least one file or folder of cases") }
    if batchSize < 1 { throw ValidationError("--batch-size must be at least 1") }
  }

  func run() throws {
    var (passed, failed, skipped) = (0, 0, 0)
    var options = EngineOptions()
    options.rewrites = !noRewrites
    let runner = CaseRunner(batchSize: batchSize, options: options, predeclared: [try BuiltInSchema().schema.eventType])
    for path in try InputFiles.below(cases, suffix: ".json") {
      let test: TestCase
      do {
        test = try TestCase(json: try InputFiles.read(path)) { module throws(CaseError) in try moduleText(module, besides: path) }
      } catch let error as CaseError {
        print("\(path): skipped, \(error)")
        skipped += 1
        continue
      }
      let differences = runner.run(test)
      if differences.isEmpty {
        passed += 1
      } else {
        failed += 1
        print("\(path): failed")
        if !quiet { for line in differences { print("  " + line) } }
      }
    }
    print("\(passed) passed, \(failed) failed, \(skipped) skipped")
    if failed > 0 { throw ExitCode(1) }
  }

  /// A module's path counts from the folder of the case that names it.
  private func moduleText(_ module: String, besides path: String) throws(CaseError) -> String {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    let file = module.hasPrefix("/") ? module : folder + module
    guard let bytes = try? InputFiles.read(file) else { throw CaseError("cannot read the module \(module)") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
