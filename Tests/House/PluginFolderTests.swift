import Foundation
import Testing

/// Siblings have the same shape.
@Suite struct PluginFolderTests {
  static let folders = ["Input", "Intermediate", "Output"].flatMap { kind in
    Repository.folders(in: "Plugins/\(kind)").map { "Plugins/\(kind)/\($0)" }
  }
  /// The one plugin that is written in C, against the header alone.
  static let inC = "Plugins/Output/Count"

  @Test(arguments: folders) func hasTheSameFiles(_ folder: String) {
    let name = String(folder.split(separator: "/")[2])
    let files = folder == Self.inC ? ["count.c"] : ["\(name)Plugin.swift", "\(name)Options.swift"]
    for file in files + ["README.md", "example.xml"] {
      let path = Repository.root.appendingPathComponent("\(folder)/\(file)").path
      #expect(FileManager.default.fileExists(atPath: path), "\(folder) has no \(file)")
    }
  }

  @Test(arguments: folders) func readmeNamesEveryOption(_ folder: String) {
    let readme = Repository.File(path: "\(folder)/README.md").text
    let options = optionNames(folder)
    for option in options { #expect(readme.contains("`\(option)`"), "\(folder)/README.md does not tell of \(option)") }
  }

  /// The names in the plugin's option table.
  func optionNames(_ folder: String) -> [String] {
    let sources = Repository.files(in: [folder], endings: ["Options.swift", ".c"])
    let swift =
      /\.(?:text|boolean|integer|real|duration|bytes|address|prefix|choice|path|process|group|secret)\(\s*"(\w+)"/
    let c = /\{\s*(?:\.name\s*=\s*)?"(\w+)",\s*(?:\.type\s*=\s*)?FLOWCEP_OPTION_/
    return sources.flatMap { file in
      let text = file.text
      return (file.path.hasSuffix(".c") ? text.matches(of: c).map(\.1) : text.matches(of: swift).map(\.1)).map(String.init)
    }
  }
}
