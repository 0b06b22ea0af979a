import TestSupport
import Testing

/// By the numbers in `Outside/faulty.c`.
private struct Fault: CustomTestStringConvertible, Sendable {
  var number: Int
  var name: String
  var expected: String
  var code: Int32 = 2
  var isIntermediate = false

  var testDescription: String { name }
}

private let refusedAtStart = [
  Fault(number: 1, name: "other ABI version", expected: "it is built for plugin ABI version 7, this collector's is 1"),
  Fault(number: 2, name: "serves no such host", expected: "it does not serve plugin ABI version 1"),
  Fault(number: 3, name: "other toolchain", expected: "it is built by the Swift compiler Swift 5.9 of long ago"),
  Fault(number: 4, name: "small descriptor", expected: "its descriptor has 16 bytes, expected"),
  Fault(number: 5, name: "other name", expected: "it says that it is output \"other\", expected output \"faulty\""),
  Fault(number: 6, name: "fails in create", expected: "create failed: the licence has run out"),
  Fault(number: 7, name: "silent in create", expected: "create failed: it gave no reason"),
  Fault(number: 8, name: "nonsense instance", expected: "its instance has 3 bytes, expected"),
  Fault(number: 17, name: "bad option type", expected: "option \"x\" is of the unknown type 99"),
  Fault(number: 18, name: "fails in start", expected: "start failed: the port is in use", code: 1),
]

private let goesOn = [
  Fault(number: 9, name: "fails in process", expected: "process failed: the disk is full"),
  Fault(number: 10, name: "unknown status", expected: "it returned 42, which is no status of process"),
  Fault(number: 14, name: "foreign batch", expected: "a batch that the host did not give it", isIntermediate: true),
  Fault(number: 15, name: "record outside", expected: "lies outside the batch's", isIntermediate: true),
  Fault(number: 16, name: "changes a header", expected: "it changed the header of a writable batch", isIntermediate: true),
  Fault(number: 21, name: "batch of another size", expected: "batch: it has 3 bytes, expected", isIntermediate: true),
  Fault(number: 22, name: "record of its own outside", expected: "lies outside the batch's 5 bytes", isIntermediate: true),
  Fault(number: 23, name: "foreign template", expected: "template 0 is not one that the host gave", isIntermediate: true),
  Fault(number: 24, name: "unknown field type", expected: "field \"interfaceName\" is of the unknown type 99", isIntermediate: true),
  Fault(number: 25, name: "other stride", expected: "batch: its records have 5 bytes, expected", isIntermediate: true),
  Fault(number: 26, name: "length that lies", expected: "is shorter than its fields of variable length say", isIntermediate: true),
  Fault(number: 28, name: "emits from an output", expected: "only an intermediate may emit batches"),
  Fault(number: 29, name: "unnamed process", expected: "the exporting process \"somewhere\", which its options do not name"),
  Fault(number: 19, name: "bad template index", expected: "names template 77, which is not in the batch", isIntermediate: true),
]

private let crashes = [
  Fault(number: 12, name: "writes to address 8", expected: "SIGSEGV", code: 128 + 11),
  Fault(number: 13, name: "aborts", expected: "SIGABRT", code: 128 + 6),
  Fault(number: 20, name: "overflows the stack", expected: "SIGSEGV", code: 128 + 11),
]

@Suite struct FaultyPluginTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try OutsideBuild.c("tally.c", as: "libflowcep-output-tally.so", into: folder)
  }

  private func run(_ fault: Fault, onError: String = "continue") throws -> (code: Int32, output: String, error: String) {
    let kind = fault.isIntermediate ? "intermediate" : "output"
    try OutsideBuild.c(
      "faulty.c", as: "libflowcep-\(kind)-faulty.so", into: folder,
      defines: ["FAULT=\(fault.number)", "KIND=\(fault.isIntermediate ? 2 : 3)"])
    let good = "<destination><name>good</name><tally/></destination>"
    let bad = "<destination><name>bad</name><faulty/></destination>"
    let file = try folder.write(
      configuration(
        capture: try #require(Capture.path), intermediates: fault.isIntermediate ? "<faulty/>" : "",
        destinations: good + (fault.isIntermediate ? "" : bad), more: "<onError>\(onError)</onError>"),
      to: "startup.xml")
    return try Program.run(["run", "-c", file, "--plugin-dir", folder.path])
  }

  @Test(arguments: refusedAtStart) private func namesPluginFileAndReason(_ fault: Fault) throws {
    let result = try run(fault)
    #expect(result.code == fault.code, "\(result.error)")
    let line = try #require(result.error.split(separator: "\n").first { $0.contains("error") }, "\(result.error)")
    #expect(
      line.contains("faulty") && line.contains("\(folder.path)/libflowcep-output-faulty.so") && line.contains(fault.expected), "\(line)")
    #expect(result.output == "")
  }

  @Test(arguments: goesOn) private func theRestGoesOn(_ fault: Fault) throws {
    let result = try run(fault)
    #expect(result.code == 0, "\(result.error)")
    #expect(result.error.contains(fault.expected), "\(result.error)")
    #expect(result.error.contains("libflowcep-\(fault.isIntermediate ? "intermediate" : "output")-faulty.so"))
    let ledger = try #require(LedgerLine(standardError: result.error), "\(result.error)")
    #expect(ledger.closes, "\(result.error)")
    let bad = fault.isIntermediate ? ledger["intermediate", "faulty"] : ledger["output", "out/bad"]
    #expect(bad?.dropped("failed") == ledger.received)
    #expect(ledger["output", "out/good"]?.delivered == (fault.isIntermediate ? 0 : ledger.received))
  }

  @Test func recordsOfItsOwnGoOn() throws {
    let result = try run(Fault(number: 30, name: "no fault", expected: "", isIntermediate: true))
    let ledger = try #require(LedgerLine(standardError: result.error), "\(result.error)")
    #expect(result.code == 0 && ledger.closes, "\(result.error)")
    let delivered = try #require(ledger["output", "out/good"]?.delivered)
    #expect(delivered > 0 && delivered < ledger.received)
    #expect(result.output.hasPrefix("tally: \(delivered) records"))
  }

  @Test func releasingTwiceIsSaidAndHarmless() throws {
    let result = try run(Fault(number: 27, name: "releases what it does not hold", expected: ""))
    #expect(result.code == 0)
    #expect(result.error.contains("it releases a batch that it does not hold"), "\(result.error)")
    #expect(try #require(LedgerLine(standardError: result.error)).closes)
  }

  @Test func stopsWhereTheConfigurationSaysSo() throws {
    let result = try run(goesOn[0], onError: "stop")
    #expect(result.code == 1)
    #expect(result.error.contains("error collector: stopping: output \"out/bad\""), "\(result.error)")
    #expect(try #require(LedgerLine(standardError: result.error)).closes)
  }

  @Test func destroyIsNamedToo() throws {
    let fault = Fault(number: 11, name: "fails in destroy", expected: "destroy failed: the file could not be closed")
    let result = try run(fault)
    #expect(result.code == 0)
    #expect(result.error.contains(fault.expected), "\(result.error)")
  }

  @Test(arguments: crashes) private func theLastLineNamesWhoCorruptedMemory(_ fault: Fault) throws {
    let result = try run(fault)
    #expect(result.code == fault.code, "\(result.error)")
    let last = try #require(result.error.split(separator: "\n").last)
    #expect(last.contains(fault.expected) && last.contains("output \"out/bad\"") && last.contains("libflowcep-output-faulty.so"), "\(last)")
  }

  @Test func missingPluginSaysWhereItLooked() throws {
    let file = try folder.write(
      configuration(capture: try #require(Capture.path), destinations: "<destination><tallly/></destination>"), to: "startup.xml")
    let result = try Program.run(["check", "-c", file, "--plugin-dir", folder.path])
    #expect(result.code == 2)
    #expect(result.error.contains("startup.xml:8:18: error: unknown element \"tallly\""), "\(result.error)")
    #expect(result.error.contains("libflowcep-output-tallly.so in \(folder.path)") && result.error.contains("did you mean \"tally\"?"))
  }
}
