import ArgumentParser
import Glibc
import Synthesis

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Make a synthetic IPFIX capture from a seed, with its ground truth.",
    discussion: """
      The capture holds a multi-stage attack (a port scan, a search for login pages, then password guessing on four hosts) amid \
      everyday traffic, with decoys that look like attackers and are none. Records are in order of export, which is 0.9 to 21 s \
      after the flow's end. Equal options give equal bytes.
      """)

  @Option(name: [.short, .long], help: "Where to write the capture; - is standard output.")
  var output: String

  @Option(help: "Where to write what is in the capture, as JSON.")
  var truth: String?

  @Option(help: "The seed.")
  var seed: UInt64 = 1

  @Option(help: "How many data records.")
  var records = 20_000

  @Option(help: "How long the capture lasts, in seconds.")
  var duration = 600

  @Option(help: "When the capture begins, in seconds since 1970.")
  var start: UInt32 = 1_700_000_000

  @Option(help: "How many attacks; every second one comes by IPv6.")
  var attacks = 2

  @Flag(help: "No attack, only everyday traffic and decoys.")
  var noAttack = false

  @Option(help: "The observation domain of the messages.")
  var domain: UInt32 = 1

  func run() throws {
    var options = SynthesisOptions()
    options.seed = seed
    options.records = records
    options.durationSeconds = duration
    options.start = start
    options.attacks = noAttack ? 0 : attacks
    options.observationDomain = domain
    let generator: CaptureGenerator
    do { generator = try CaptureGenerator(options) } catch { throw ValidationError(error.description) }

    let file = try OutputFile(path: output)
    var bar = ProgressBar(total: records, unit: "records")
    try generator.write(progress: { bar.update($0) }, to: { try file.write($0) })
    bar.finish()
    if let truth { try OutputFile(path: truth).write(generator.truth.json) }
  }
}
