import Foundation

/// The corpus's cases, as far as binding is concerned.
enum CorpusCases {
  struct Case: Decodable {
    struct Expected: Decodable {
      struct Failure: Decodable {}
      var error: Failure?
      var types: [String: [String: String]]?
    }
    var epl: String
    var expected: Expected
  }

  static var folder: URL? {
    let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let shared =
      ProcessInfo.processInfo.environment["FLOWCEP_SHARED"].map { URL(filePath: $0) }
      ?? repository.deletingLastPathComponent().appending(path: "shared")
    let folder = shared.appending(path: "corpus")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }

  static func all() throws -> [(name: String, entry: Case)] {
    guard let folder, let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else { return [] }
    var result: [(String, Case)] = []
    for case let file as URL in files where file.pathExtension == "json" {
      let name = file.deletingLastPathComponent().lastPathComponent + "/" + file.deletingPathExtension().lastPathComponent
      result.append((name, try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))))
    }
    return result.sorted { $0.0 < $1.0 }
  }
}
