import Diagnostics
import Syntax
import Testing

@Suite struct CorpusSyntaxTests {
  @Test(.enabled(if: CorpusTexts.folder != nil, "no corpus beside the repository"))
  func everyValidTextParses() throws {
    let cases = try CorpusTexts.all()
    #expect(cases.count > 500)
    for (name, entry) in cases where entry.expected.error == nil {
      let (module, diagnostics) = parseModule(SourceText(name: name, text: entry.epl))
      #expect(diagnostics.all.isEmpty, "\(name): \(diagnostics.all.map(\.text).joined(separator: "\n"))")
      let isComplete = module.statements.allSatisfy { $0.isComplete }
      #expect(isComplete)
    }
  }

  /// Cutting a text anywhere gives diagnostics or a tree, never a crash.
  @Test(.enabled(if: CorpusTexts.folder != nil, "no corpus beside the repository"))
  func everyTruncationIsSurvived() throws {
    for (index, (name, entry)) in try CorpusTexts.all().enumerated() where index % 20 == 0 {
      let bytes = Array(entry.epl.utf8.prefix(600))
      for end in bytes.indices {
        _ = parseModule(SourceText(name: name, text: String(decoding: bytes[..<end], as: UTF8.self)))
      }
    }
  }
}
