import TestSupport
import Testing

/// The data path takes nothing from the heap per record: a program whose malloc counts says so, in steady state, and fails over its bound.
@Suite struct AllocationTests {
  @Test func recordsTakeNoMemory() throws {
    let result = try Program.run(["allocations"], executable: Program.folder + "/flowcep-bench")
    try #require(result.code == 0, "\(result.error)")
    if result.output.contains("not counted under a sanitizer") { return }
    let lines = result.output.split(separator: "\n").filter { $0.hasPrefix("allocations, ") }
    #expect(lines.count == 2 && lines.allSatisfy { $0.contains(" for 200000 records in ") }, "\(result.output)")
    #expect(lines.first?.hasSuffix(" 0 a record") == true, "\(result.output)")
  }
}
