import Diagnostics
import Syntax
import TestSupport
import Testing

@Suite struct CorpusSyntaxTests {
  @Test func everyValidTextParses() throws {
    let cases = try CorpusCases.all()
    #expect(cases.count > 1000)
    for (name, entry) in cases where entry.expected.error == nil {
      let (module, diagnostics) = parseModule(SourceText(name: name, text: entry.epl))
      #expect(diagnostics.all.isEmpty, "\(name): \(diagnostics.all.map(\.text).joined(separator: "\n"))")
      let isComplete = module.statements.allSatisfy { $0.isComplete }
      #expect(isComplete)
    }
  }

  /// Cutting a text anywhere gives diagnostics or a tree, never a crash.
  @Test func everyTruncationIsSurvived() throws {
    for (index, (name, entry)) in try CorpusCases.all().enumerated() where index % 20 == 0 {
      let bytes = Array(entry.epl.utf8.prefix(600))
      for end in bytes.indices {
        _ = parseModule(SourceText(name: name, text: String(decoding: bytes[..<end], as: UTF8.self)))
      }
    }
  }
}
