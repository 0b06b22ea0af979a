import Diagnostics
import Glibc

/// Where a path of the configuration leads: from the folder of the file that names it, then from the installation's share folder.
public struct FileSearch: Sendable {
  /// `<prefix>/share/flowcep`; nil where nothing is installed.
  public var shareFolder: String?

  public init(shareFolder: String? = nil) {
    self.shareFolder = shareFolder
  }

  /// The absolute path, and where else it was looked for.
  ///
  /// What exists in neither place (an output's file, a pattern) counts from the naming file's folder. In the share folder a
  /// leading `../` is left out: `etc/flowcep/startup.xml` and a source tree's `config/startup.xml` name `../queries` alike.
  func resolve(_ written: String, in folder: String) -> (path: String, looked: [String], exists: Bool) {
    var written = written
    if written.hasPrefix("file://") { written.removeFirst(7) }
    if written == "-" { return (written, [], true) }
    written = StandardFolders.expand(written)
    let own = written.hasPrefix("/") ? written : absolute(folder) + "/" + written
    var looked = [normalised(own)]
    if Self.exists(own) { return (looked[0], looked, true) }
    if let shareFolder, !written.hasPrefix("/") {
      var rest = Substring(written)
      while rest.hasPrefix("../") || rest.hasPrefix("./") { rest = rest.drop { $0 == "." }.dropFirst() }
      let shared = normalised(absolute(shareFolder) + "/" + rest)
      looked.append(shared)
      if Self.exists(shared) { return (shared, looked, true) }
    }
    return (looked[0], looked, false)
  }

  /// The nearest name in the folder that a missing path points to.
  func suggestion(for path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let name = String(path[path.index(after: slash)...])
    return didYouMean(name, among: Self.entries(of: String(path[...slash])))
  }

  /// True for a file, a folder, or a pattern that matches one.
  static func exists(_ path: String) -> Bool {
    if access(path, F_OK) == 0 { return true }
    guard path.contains(where: { "*?[".contains($0) }) else { return false }
    var found = glob_t()
    defer { globfree(&found) }
    return glob(path, 0, nil, &found) == 0 && found.gl_pathc > 0
  }

  /// File names in a folder, sorted; none where it cannot be read.
  public static func entries(of folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return String(cString: here) + "/" + path
  }

  /// Without `.`, `..` and doubled slashes.
  private func normalised(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// The permissions of a file that others may read (`0644`); nil where they may not, or it cannot be read.
  static func openPermissions(_ path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    let octal = String(status.st_mode & 0o777, radix: 8)
    return String(repeating: "0", count: 4 - octal.count) + octal
  }
}
