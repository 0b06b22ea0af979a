import Foundation
import TestSupport
import Testing

/// How a run ends when an output does not.
@Suite struct StoppingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try OutsideBuild.c("stuck.c", as: "libflowcep-output-stuck.so", into: folder)
  }

  /// A collector whose output hangs in its first batch.
  private func start(_ output: String, _ queue: String = "", timeout: String = "10 s") throws -> RunningProcess {
    let capture = try #require(Capture.path)
    let others = ["second", "third"].map { "\(folder.path)/\($0).ipfix" }
    for other in others { try FileManager.default.createSymbolicLink(atPath: other, withDestinationPath: capture) }
    let file = try folder.write(
      configuration(
        capture: ([capture] + others).joined(separator: "</file><file>"), destinations: "<destination>\(output)\(queue)</destination>",
        more: "<stopTimeout>\(timeout)</stopTimeout>"),
      to: "startup.xml")
    let process = try Program.start(["run", "-c", file, "--plugin-dir", folder.path])
    try process.waitForErrorLine("info out/stuck: waiting")
    return process
  }

  @Test func drainsWhatWaitsWhenTheOutputGoesOn() throws {
    let process = try start("<stuck><polite>yes</polite></stuck>")
    process.signal(SIGTERM)
    #expect(try process.waitForExit() == 0)
    let ledger = try #require(LedgerLine(standardError: process.errorText), "\(process.errorText)")
    #expect(ledger.closes, "\(process.errorText)")
    #expect(ledger["output", "out/stuck"]?.delivered == ledger.received)
  }

  @Test func countsWhatIsLeftWhenTimeIsUp() throws {
    let process = try start("<stuck/>", timeout: "100 ms")
    process.signal(SIGINT)
    #expect(try process.waitForExit() == 1)
    #expect(process.errorText.contains("not stopped in time: output \"out/stuck\""))
    let ledger = try #require(LedgerLine(standardError: process.errorText), "\(process.errorText)")
    #expect(ledger.closes, "\(process.errorText)")
    #expect(ledger["output", "out/stuck"]?.dropped("stopping") == ledger.received)
  }

  @Test func secondSignalExitsAtOnce() throws {
    let process = try start("<stuck/>", timeout: "1 h")
    process.signal(SIGTERM)
    try process.waitForErrorLine("SIGTERM: stopping")
    process.signal(SIGTERM)
    #expect(try process.waitForExit() == 1)
    #expect(process.errorText.contains("exiting at once"))
  }

  @Test func fullQueueDropsByConfiguration() throws {
    // Files are read to their end while the output hangs in the first batch.
    let queue = "<queue><policy>drop</policy><bytes>64K</bytes></queue>"
    let process = try start("<stuck><polite>yes</polite></stuck>", queue)
    try process.waitForErrorLine("third.ipfix: closed")
    process.signal(SIGTERM)
    #expect(try process.waitForExit() == 0)
    let ledger = try #require(LedgerLine(standardError: process.errorText), "\(process.errorText)")
    #expect(ledger.closes, "\(process.errorText)")
    #expect((ledger["output", "out/stuck"]?.dropped("queue-full") ?? 0) > 0, "\(process.errorText)")
  }
}
