import Configuration
import Diagnostics
import Glibc

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
    return find(Self.fileName(kind, name))
  }

  private func find(_ file: String) -> String? {
    for folder in folders where access("\(folder)/\(file)", F_OK) == 0 { return "\(folder)/\(file)" }
    return nil
  }

  /// The libraries of functions, by name, the first of each name.
  var functionLibraries: [(name: String, path: String)] {
    names("functions").compactMap { name in find("libflowcep-functions-\(name).so").map { (name, $0) } }
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
