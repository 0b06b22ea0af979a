import Configuration
import Glibc
import Pipeline

/// Where an input over UDP keeps templates without being told: a file of its own in the state folder, found again by the
/// configuration's path and the input's name.
enum StandardTemplatesFile {
  private static let prefix = "templates-"
  private static let oldestSeconds = 7 * 86_400

  /// - Parameter input: the instance's name.
  static func file(configuration: String, input: String) -> TemplatesFile {
    let readable = String(input.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(40))
    let key = String(hash(resolved(configuration) + "\n" + input), radix: 16)
    return TemplatesFile(path: "\(folder)/\(prefix)\(readable)-\(key).txt", isStandard: true)
  }

  private static var folder: String { StandardFolders.state }

  /// Removes files of configurations that nobody runs any more.
  static func removeOld() {
    for name in FileSearch.entries(of: folder) where name.hasPrefix(prefix) {
      var status = stat()
      guard stat(folder + "/" + name, &status) == 0, status.st_mtim.tv_sec < time(nil) - oldestSeconds else { continue }
      unlink(folder + "/" + name)
    }
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// FNV-1a.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
