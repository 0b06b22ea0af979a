import ArgumentParser
import Collector
import Diagnostics

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a configuration and the EPL that it names, without starting anything.",
    discussion: "Every mistake is named with its place. Exits with 2 where there is an error.")

  @Option(name: [.short, .customLong("config")], help: "The configuration, startup.xml.")
  var config: String

  @OptionGroup var plugins: PluginFolders

  func run() throws {
    let (_, diagnostics) = Collector.load(file: config, pluginFolders: plugins.folders, target: LogTarget(verbosity: 1))
    show(diagnostics.sorted)
    let (errors, warnings) = (diagnostics.errors.count, diagnostics.warnings.count)
    if errors > 0 {
      writeError("\(config): \(errors) \(errors == 1 ? "error" : "errors"), \(warnings) \(warnings == 1 ? "warning" : "warnings")\n")
      throw ExitCode.usage
    }
    print("\(config): good\(warnings > 0 ? ", with \(warnings) \(warnings == 1 ? "warning" : "warnings")" : "")")
  }
}
