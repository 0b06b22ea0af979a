public import Foundation

/// The folder of reference material beside the repository, which may be absent.
public enum SharedFolder {
  /// `../shared` beside the repository, or what FLOWCEP_SHARED names; nil where there is none.
  public static let url: URL? = {
    let beside = repository.deletingLastPathComponent().appendingPathComponent("shared")
    let named = ProcessInfo.processInfo.environment["FLOWCEP_SHARED"].map { URL(fileURLWithPath: $0) }
    let folder = named ?? beside
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  public static var isPresent: Bool { url != nil }

  /// The repository's top folder.
  public static let repository: URL =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// A file's bytes; empty where the folder or the file is absent.
  public static func bytes(_ path: String) -> [UInt8] {
    guard let url, let data = try? Data(contentsOf: url.appendingPathComponent(path)) else { return [] }
    return [UInt8](data)
  }
}
