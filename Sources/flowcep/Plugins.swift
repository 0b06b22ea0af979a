import ArgumentParser
import Collector
import Configuration
import PluginHost

struct Plugins: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins",
    abstract: "List plugins and libraries of functions, or show what one of them has.",
    discussion: "Everything shown comes from the plugins' own tables.")

  @Argument(help: "A plugin's name; without it all plugins are listed.")
  var name: String?

  @OptionGroup var plugins: PluginFolders

  func run() throws {
    let loader = PluginLoader(finder: Installation.current.finder(given: plugins.folders))
    let all = PluginKind.allCases.flatMap { kind in loader.names(kind).map { (kind, $0) } }
    let wanted = all.filter { name == nil || $0.1 == name }
    let (libraries, faults) = FunctionLibrary.all(loader.finder)
    let functions = libraries.filter { name == nil || $0.name == name }
    guard !wanted.isEmpty || !functions.isEmpty || (name == nil && !faults.isEmpty) else {
      let what = name.map { "no plugin is named \"\($0)\"" } ?? "no plugin is found"
      writeError("error: \(what); looked in \(loader.finder.folders.joined(separator: ", "))\n")
      throw ExitCode.usage
    }
    var isGood = true
    for (kind, plugin) in wanted {
      switch loader.library(kind, plugin) {
      case .failure(let unavailable):
        isGood = false
        writeError("error: \(kind.name) \"\(plugin)\": \(unavailable.reason)\n")
      case .success(let library):
        print("\(kind.name) \(plugin) \(library.version): \(library.summary)")
        if name != nil {
          print("  \(library.path)")
          show(library.table.options, indent: "  ")
        }
      }
    }
    for library in functions {
      print("functions \(library.name) \(library.version): \(library.summary)")
      if name != nil {
        print("  \(library.path)")
        for signature in library.signatures { print("  \(signature)") }
      }
    }
    if name == nil {
      for fault in faults { writeError("error: functions: \(fault)\n") }
      if !faults.isEmpty { isGood = false }
    }
    if !isGood { throw ExitCode.usage }
  }

  private func show(_ rows: [OptionRow], indent: String) {
    for row in rows {
      print("\(indent)<\(row.name)>  \(kind(row))")
      if !row.help.isEmpty { print("\(indent)    \(row.help)") }
      show(row.members, indent: indent + "    ")
    }
  }

  /// `integer, 1..65535, default 4739, required`.
  private func kind(_ row: OptionRow) -> String {
    var words = [row.kind == .choice ? row.choices.map(\.name).joined(separator: " | ") : "\(row.kind)"]
    if let range = row.range, row.kind != .choice { words.append(range) }
    if let unit = row.unit { words.append("in \(unit) where no unit is said") }
    if let text = row.defaultText { words.append(text.isEmpty ? "default empty" : "default \(text)") }
    if row.isRequired { words.append("required") }
    if row.isRepeated { words.append("may be repeated") }
    if row.isSecret { words.append("secret") }
    return words.joined(separator: ", ")
  }
}
