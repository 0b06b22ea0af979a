import Foundation
import TestSupport
import Testing

/// The shipped detections pass their cases, as an analyst runs them.
@Suite struct DetectionCaseTests {
  @Test(arguments: ["1", "2048"]) func allPass(_ batchSize: String) throws {
    let result = try Program.run(["test", "--batch-size", batchSize, SharedFolder.repository.path + "/queries/tests"])
    #expect(result.code == 0, "\(result.output)\(result.error)")
    #expect(result.output.hasSuffix(" passed, 0 failed, 0 skipped\n"), "\(result.output.suffix(300))")
  }
}
