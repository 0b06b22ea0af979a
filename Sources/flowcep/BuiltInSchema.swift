import ArgumentParser
import Collector
import Configuration
import Diagnostics
import InformationElements
import RecordEvents

/// The type of flow records, with all elements that are installed.
struct BuiltInSchema {
  let registry: ElementRegistry
  let schema: RecordSchema

  /// Says on standard error what is wrong with the files of elements.
  init() throws {
    var diagnostics = DiagnosticList()
    registry = ElementRegistry(ElementFiles.read(Installation.current.elementFiles, into: &diagnostics))
    show(diagnostics.sorted)
    if diagnostics.hasErrors { throw ExitCode.usage }
    schema = RecordSchema(
      elements: registry.elements.map {
        ElementRow(enterprise: $0.enterprise, element: $0.id, type: $0.type.rawValue, name: $0.name, aliases: $0.aliases)
      })
  }
}
