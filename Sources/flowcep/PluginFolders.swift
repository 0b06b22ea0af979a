import ArgumentParser
import Builtins
import Collector
import Diagnostics
import FunctionBridge
import Glibc
import PluginHost

/// Options that every command that loads plugins has.
struct PluginFolders: ParsableArguments {
  @Option(
    name: .customLong("plugin-dir"),
    help: """
      A folder of plugins, searched first; may be given several times. Then come $FLOWCEP_PLUGIN_PATH, the executable's folder \
      and ../lib/flowcep/plugins beside it.
      """)
  var folders: [String] = []

  /// The functions that EPL may use: those of the language, and those of the libraries in these folders.
  var catalog: FunctionCatalog {
    let (libraries, faults) = FunctionLibrary.all(Installation.current.finder(given: folders))
    var catalog = FunctionCatalog.builtIn
    let refused = catalog.add(libraries.map(\.raw))
    for fault in faults + refused { writeError("warning: \(fault)\n") }
    return catalog
  }
}

/// Mistakes go to standard error, in the order of their places.
func show(_ diagnostics: [Diagnostic]) {
  for diagnostic in diagnostics { writeError(diagnostic.text + "\n") }
}

func writeError(_ text: String) {
  var text = text
  text.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
}

extension ExitCode {
  /// A mistake in the command line or the configuration.
  static let usage = ExitCode(2)
}
