import Diagnostics
import EventModel
import Foundation
import Plan
import Semantics
import Syntax
import TestSupport
import Testing

@Suite struct CorpusBindingTests {
  /// Cases that bind otherwise than recorded, each with its reason in the deviations or extensions of the conformance suite.
  static let otherwise: Set<String> = [
    "aggregation/nested_agg_error", "aggregation/sum_filter_named", "error/having_not_boolean", "expression/constants",
    "expression/unary_minus",
    "groupby/having_on_alias_error", "schema/all_types2", "window_syntax/hash_syntax",
  ]

  func bound(_ name: String, _ epl: String) -> (plan: ModulePlan, diagnostics: DiagnosticList) {
    let (module, mistakes) = parseModule(SourceText(name: name, text: epl))
    let binding = bindModule(module)
    var all = mistakes
    all.add(contentsOf: binding.diagnostics)
    return (binding.plan, all)
  }

  @Test func casesBindAsRecorded() throws {
    #expect(try CorpusCases.all().count > 1000)
    for (name, entry) in try CorpusCases.all() where !Self.otherwise.contains(name) {
      let (plan, diagnostics) = bound(name, entry.epl)
      if entry.expected.error != nil {
        #expect(diagnostics.hasErrors, "\(name): no error is found in \(entry.epl)")
        continue
      }
      #expect(!diagnostics.hasErrors, "\(diagnostics.errors.map(\.text).joined(separator: "\n"))")
      for (statement, types) in entry.expected.types ?? [:] {
        guard let found = plan.statements.first(where: { $0.name == statement }), case .select(let select) = found.kind else { continue }
        let columns = Dictionary(select.outputType.properties.map { ($0.name, $0.type.javaName) }, uniquingKeysWith: { a, _ in a })
        for (column, type) in types where !type.hasPrefix("java.util") {
          let wanted = ["int": "Integer", "long": "Long", "boolean": "Boolean"][type] ?? type
          #expect(
            columns[column].map { wanted.hasSuffix($0) } == true, "\(name): \(column) is \(columns[column] ?? "missing"), not \(type)")
        }
      }
    }
  }
}
