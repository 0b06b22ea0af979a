import TestSupport
import Testing

@Suite struct OutsidePluginTests {
  @Test func cAndSwiftFromOutsideRunInOnePipeline() throws {
    let capture = try #require(Capture.path)
    let folder = try TemporaryFolder()
    try OutsideBuild.c("tally.c", as: "libflowcep-output-tally.so", into: folder)
    try OutsideBuild.c("halve.c", as: "libflowcep-intermediate-halve.so", into: folder)
    let swift = try OutsideBuild.swift()
    let file = try folder.write(
      configuration(
        capture: capture, intermediates: "<halve/>",
        destinations: """
          <destination><name>c</name><tally><word>in C</word></tally></destination>
          <destination><name>swift</name><tail><word>in Swift</word></tail></destination>
          """), to: "startup.xml")
    let result = try Program.run(
      ["run", "-c", file, "--plugin-dir", folder.path], environment: ["FLOWCEP_PLUGIN_PATH": swift])
    #expect(result.code == 0, "\(result.error)")
    let ledger = try #require(LedgerLine(standardError: result.error), "\(result.error)")
    #expect(ledger.closes, "\(result.error)")
    let passed = try #require(ledger["intermediate", "halve"])
    #expect(passed.received == ledger.received)
    #expect(passed.dropped("odd") > 0 && passed.delivered > 0)
    #expect(ledger["output", "out/c"]?.delivered == passed.delivered)
    #expect(ledger["output", "out/swift"]?.delivered == passed.delivered)
    #expect(result.output.contains("in C: \(passed.delivered) records, sum "))
    #expect(result.output.contains("sessions 1/1"))
    #expect(result.output.contains("in Swift: \(passed.delivered) records, first field "))
  }

  @Test func writableBatchesAreNotSeenByOthers() throws {
    // One process anonymises (here: changes) what the other must see unchanged: the sums differ by one for each record kept.
    let capture = try #require(Capture.path)
    let folder = try TemporaryFolder()
    try OutsideBuild.c("tally.c", as: "libflowcep-output-tally.so", into: folder)
    try OutsideBuild.c("halve.c", as: "libflowcep-intermediate-halve.so", into: folder)
    func sum(_ processes: [String]) throws -> Int {
      let exports = processes.map { "<exportingProcess>\($0)</exportingProcess>" }.joined()
      let file = try folder.write(
        """
        <ipfix>
          <collectingProcess><fileReader><file>\(capture)</file></fileReader>\(exports)</collectingProcess>
          <exportingProcess><name>plain</name><destination><tally><word>plain</word></tally></destination></exportingProcess>
          <exportingProcess><name>changed</name><intermediatePlugins><halve/></intermediatePlugins>
            <destination><tally><word>changed</word></tally></destination></exportingProcess>
        </ipfix>
        """, to: "startup.xml")
      let result = try Program.run(["run", "-c", file, "--plugin-dir", folder.path])
      #expect(result.code == 0, "\(result.error)")
      let line = try #require(result.output.split(separator: "\n").first { $0.hasPrefix("plain: ") })
      return try #require(line.split(separator: " ").compactMap { Int($0.filter(\.isNumber)) }.dropFirst().first)
    }
    #expect(try sum(["plain"]) == sum(["changed", "plain"]))
  }
}
