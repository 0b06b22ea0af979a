import Configuration
import Diagnostics
import Glibc
import InformationElements

/// The element files that ship, read at every start: `config/elements` below the working folder, or below $FLOWCEP_ELEMENTS.
enum ElementsBench {
  static func run() throws {
    let folder = getenv("FLOWCEP_ELEMENTS").map { String(cString: $0) } ?? "config/elements"
    let files = ElementFiles.files(in: folder)
    guard !files.isEmpty else { return print("elements: no element files in \(folder)") }
    var diagnostics = DiagnosticList()
    let count = ElementFiles.read(files, into: &diagnostics).count
    Bench.measure("elements", items: count) {
      _ = ElementRegistry(ElementFiles.read(files, into: &diagnostics))
    }
  }
}
