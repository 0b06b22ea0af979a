import Configuration
import Diagnostics

/// Where plugin libraries are looked for, and by which file names.
public struct PluginFinder: Sendable {
  /// In the order in which they are searched.
  public let folders: [String]

  /// - Parameters:
  ///   - given: `--plugin-dir`, first of all.
  ///   - environment: `$FLOWCEP_PLUGIN_PATH`, folders joined by colons.
  ///   - executableFolder: where the program lies; its plugins lie beside it in a build, and in `../lib/flowcep/plugins` of an
  ///     installation.
  public init(given: [String], environment: String?, executableFolder: String?) {
    var folders = given + (environment ?? "").split(separator: ":").map(String.init)
    if let executableFolder { folders += [executableFolder, executableFolder + "/../lib/flowcep/plugins"] }
    self.folders = folders
  }

  static func fileName(_ kind: PluginKind, _ name: String) -> String { "libflowcep-\(kind.name)-\(name).so" }

  /// The first file of that name.
  func path(_ kind: PluginKind, _ name: String) -> String? {
    // A name is part of a file name: nothing in it may lead elsewhere.
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }) else { return nil }
    let file = Self.fileName(kind, name)
    return folders.first { FileSearch.entries(of: $0).contains(file) }.map { "\($0)/\(file)" }
  }

  /// The libraries of functions, by name, the first of each name.
  var functionLibraries: [(name: String, path: String)] {
    names("functions").compactMap { name in
      let file = "libflowcep-functions-\(name).so"
      return folders.first { FileSearch.entries(of: $0).contains(file) }.map { (name, "\($0)/\(file)") }
    }
  }

  /// The names of all plugins of a kind, sorted.
  func names(_ kind: PluginKind) -> [String] { names(kind.name) }

  private func names(_ kind: String) -> [String] {
    let (prefix, suffix) = ("libflowcep-\(kind)-", ".so")
    let files = Set(folders.flatMap { FileSearch.entries(of: $0) })
    return files.filter { $0.hasPrefix(prefix) && $0.hasSuffix(suffix) && $0.count > prefix.count + suffix.count }
      .map { String($0.dropFirst(prefix.count).dropLast(suffix.count)) }.sorted()
  }
}
