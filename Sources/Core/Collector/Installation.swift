public import Configuration
import Glibc
public import PluginHost

/// Where the program's own files lie: plugins, information elements, the shared folder. Found from the executable's place, so
/// that a tree can be moved, and so that a build works without being installed.
public struct Installation: Sendable {
  /// The folder of the executable, links resolved.
  public let executableFolder: String?
  /// `<prefix>/share/flowcep`; nil in a build.
  public let shareFolder: String?
  /// Where the shipped element files are; nil where there are none.
  public let elementsFolder: String?

  public static let current = Installation()

  private init() {
    executableFolder = Self.ownPath().flatMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }
    guard let folder = executableFolder else {
      shareFolder = nil
      elementsFolder = nil
      return
    }
    let share = folder + "/../share/flowcep"
    shareFolder = access(share, R_OK) == 0 ? share : nil
    elementsFolder = Self.elements(share: share, executableFolder: folder)
  }

  /// Installed: in the shared folder. In a build: `config/elements` of the source tree around it.
  private static func elements(share: String, executableFolder: String) -> String? {
    let tree = (1...5).map { executableFolder + String(repeating: "/..", count: $0) + "/config/elements" }
    return ([share + "/elements"] + tree).first { access($0 + "/iana.xml", R_OK) == 0 }
  }

  private static func ownPath() -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// - Parameter given: `--plugin-dir`.
  public func finder(given: [String]) -> PluginFinder {
    PluginFinder(
      given: given, environment: getenv("FLOWCEP_PLUGIN_PATH").map { String(cString: $0) }, executableFolder: executableFolder)
  }

  public var search: FileSearch { FileSearch(shareFolder: shareFolder) }

  /// The element files that ship.
  public var elementFiles: [String] { elementsFolder.map { ElementFiles.files(in: $0) } ?? [] }
}
