import Testing

/// Who imports whom, read from the sources: a build also accepts what comes in through somebody else's dependencies.
@Suite struct WallTests {
  /// The modules that a Swift file imports.
  func imports(_ file: Repository.File) -> [String] {
    file.lines.compactMap { line in
      // An import stands at the start of a line, behind nothing but words like `public` and `@testable`.
      guard line.hasPrefix("import ") || line.hasPrefix("public import ") || line.hasPrefix("@") || line.hasPrefix("internal import ")
      else { return nil }
      let words = line.split(separator: " ")
      guard let place = words.firstIndex(of: "import"), place + 1 < words.count else { return nil }
      let kinds: Set<Substring> = ["struct", "enum", "class", "protocol", "func", "typealias", "var", "let"]
      let name = kinds.contains(words[place + 1]) ? words.last : words[place + 1]
      return name?.split(separator: ".").first.map(String.init)
    }
  }

  func check(_ files: [Repository.File], _ name: String, _ allowed: Set<String>) {
    for file in files {
      for module in imports(file) where !Walls.system.contains(module) {
        #expect(allowed.contains(module), "\(file.path): \(name) may not import \(module)")
      }
    }
  }

  @Test(arguments: Walls.modules.map(\.name)) func moduleKeepsToItsWall(_ name: String) throws {
    let module = try #require(Walls.modules.first { $0.name == name })
    let files = Repository.files(in: [module.folder], endings: [".swift"])
    check(files, name, module.mayImport)
    if Walls.withoutFoundation.contains(name) {
      for file in files { #expect(!imports(file).contains("Foundation"), "\(file.path): Foundation stays out of the data path") }
    }
  }

  @Test func everyModuleIsInTheTable() {
    let listed = Set(Walls.modules.map(\.folder))
    for part in ["Sources", "Sources/Core", "Sources/CEP"] {
      for folder in Repository.folders(in: part)
      where folder != "Core" && folder != "CEP" && !Repository.files(in: ["\(part)/\(folder)"], endings: [".swift"]).isEmpty {
        #expect(listed.contains("\(part)/\(folder)"), "\(part)/\(folder) is not in Tests/House/Walls.swift")
      }
    }
  }

  @Test(arguments: ["Input", "Intermediate", "Output"]) func pluginsKnowNeitherHostNorEachOther(_ kind: String) {
    for plugin in Repository.folders(in: "Plugins/\(kind)") {
      let allowed = Walls.anyPlugin.union(Walls.plugins["\(kind)/\(plugin)"] ?? [])
      check(Repository.files(in: ["Plugins/\(kind)/\(plugin)"], endings: [".swift"]), "a plugin", allowed)
    }
  }

  /// A plugin exports its entry, so a test that links one cannot link another: plugins are tested as they are loaded.
  @Test func testsLinkNoPlugin() {
    let plugins = Set(
      ["Input", "Intermediate", "Output"].flatMap { kind in Repository.folders(in: "Plugins/\(kind)").map { $0 + kind } })
    for file in Repository.files(in: ["Tests"], endings: [".swift"]) {
      for module in imports(file) { #expect(!plugins.contains(module), "\(file.path) imports \(module)") }
    }
  }
}
