import ArgumentParser
import Diagnostics
import Glibc

/// Options that every command that loads plugins has.
struct PluginFolders: ParsableArguments {
  @Option(
    name: .customLong("plugin-dir"),
    help: """
      A folder of plugins, searched first; may be given several times. Then come $FLOWCEP_PLUGIN_PATH, the executable's folder \
      and ../lib/flowcep/plugins beside it.
      """)
  var folders: [String] = []
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
