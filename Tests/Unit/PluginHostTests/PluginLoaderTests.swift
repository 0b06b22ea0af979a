import Configuration
import PluginHost
import TestSupport
import Testing

@Suite struct PluginFinderTests {
  @Test func searchesInOrder() {
    let finder = PluginFinder(given: ["/a", "/b"], environment: "/c:/d", executableFolder: "/x/bin")
    #expect(finder.folders == ["/a", "/b", "/c", "/d", "/x/bin", "/x/bin/../lib/flowcep/plugins"])
  }

  @Test func listsNamesByKind() throws {
    let folder = try TemporaryFolder()
    for name in ["libflowcep-output-b.so", "libflowcep-output-a.so", "libflowcep-input-a.so", "libother.so", "libflowcep-output-.so"] {
      try folder.write("", to: name)
    }
    let loader = PluginLoader(finder: PluginFinder(given: [folder.path, folder.path], environment: nil, executableFolder: nil))
    #expect(loader.names(.output) == ["a", "b"])
    #expect(loader.names(.input) == ["a"])
    #expect(loader.names(.intermediate) == [])
  }
}

@Suite struct PluginLoaderTests {
  private func reason(_ folder: TemporaryFolder, _ name: String) -> PluginUnavailable? {
    let loader = PluginLoader(finder: PluginFinder(given: [folder.path], environment: nil, executableFolder: nil))
    guard case .failure(let unavailable) = loader.table(.output, name) else { return nil }
    return unavailable
  }

  @Test func missingSaysWhereItLooked() throws {
    let folder = try TemporaryFolder()
    let found = try #require(reason(folder, "jsno"))
    #expect(found.isMissing)
    #expect(found.reason.contains("libflowcep-output-jsno.so") && found.reason.contains(folder.path))
  }

  @Test(arguments: ["../json", "", "a/b", "é"]) func refusesNamesThatAreNoFileNames(_ name: String) throws {
    #expect(reason(try TemporaryFolder(), name)?.isMissing == true)
  }

  @Test func notALibrary() throws {
    let folder = try TemporaryFolder()
    try folder.write("no library", to: "libflowcep-output-text.so")
    let found = try #require(reason(folder, "text"))
    #expect(!found.isMissing)
    #expect(found.reason.contains("libflowcep-output-text.so: "))
  }
}
