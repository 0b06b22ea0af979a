public import Configuration
import Diagnostics

/// Finds and loads plugins by name, each library once. For the control thread alone.
public final class PluginLoader: PluginCatalog {
  public let finder: PluginFinder
  private var libraries: [String: Result<PluginLibrary, PluginUnavailable>] = [:]

  public init(finder: PluginFinder) {
    self.finder = finder
  }

  public func library(_ kind: PluginKind, _ name: String) -> Result<PluginLibrary, PluginUnavailable> {
    let key = "\(kind.name)/\(name)"
    if let known = libraries[key] { return known }
    let found = load(kind, name)
    libraries[key] = found
    return found
  }

  private func load(_ kind: PluginKind, _ name: String) -> Result<PluginLibrary, PluginUnavailable> {
    guard let path = finder.path(kind, name) else {
      let file = PluginFinder.fileName(kind, name)
      return .failure(
        PluginUnavailable(
          isMissing: true,
          reason: "no \(kind.name) plugin \"\(name)\": there is no \(file) in \(finder.folders.joined(separator: ", "))"))
    }
    do throws(PluginUnavailable) {
      return .success(try PluginLibrary(path: path, kind: kind, name: name))
    } catch {
      return .failure(error)
    }
  }

  public func table(_ kind: PluginKind, _ name: String) -> Result<PluginTable, PluginUnavailable> {
    library(kind, name).map(\.table)
  }

  public func names(_ kind: PluginKind) -> [String] { finder.names(kind) }
}
