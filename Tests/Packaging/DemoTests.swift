import Foundation
import TestSupport
import Testing

/// What `make demo` shows is what is in the capture.
@Suite struct DemoTests {
  func demo(_ environment: [String: String] = [:]) throws -> String {
    let result = try Program.run(
      [SharedFolder.repository.path + "/scripts/demo.sh"], executable: "bash",
      environment: ["BUILD": Program.folder].merging(environment) { $1 },
      seconds: 180)
    try #require(result.code == 0, "\(result.output)\n\(result.error)")
    return result.output
  }

  /// The part under ATTACKERS.
  func attackers(_ output: String) -> Substring {
    let rest = output.range(of: "ATTACKERS").map { output[$0.upperBound...] } ?? ""
    return rest.range(of: "SEEN IN SINGLE STAGES ONLY").map { rest[..<$0.lowerBound] } ?? rest
  }

  @Test func namesBothAttackersAndNobodyElse() throws {
    let output = try demo()
    let sources = attackers(output).split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(Set(sources) == ["203.0.113.10", "2001:db8:bad:1::66"])
    #expect(sources.count == 2)
    for stage in ["port scan", "HTTP scan", "password guessing"] { #expect(attackers(output).contains(stage)) }
    #expect(output.contains("192.0.2.10"))
  }

  @Test(.enabled(if: SharedFolder.isPresent, "needs ../shared")) func namesTheRealAttacker() throws {
    let capture = SharedFolder.url?.appendingPathComponent("data/http-attack.ipfix").path ?? ""
    let output = try demo(["CAPTURE": capture])
    #expect(attackers(output).contains("59.2.153.68"))
    let sources = attackers(output).split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
    #expect(sources.count == 1)
  }
}
