import Foundation

/// The corpus's cases (Tests/Conformance/epl and epl-random), as far as parsing and binding are concerned.
public enum CorpusCases {
  public struct Case: Decodable {
    public struct Expected: Decodable {
      public struct Failure: Decodable {}
      public var error: Failure?
      public var types: [String: [String: String]]?
    }
    public var epl: String
    public var expected: Expected
  }

  public static func all() throws -> [(name: String, entry: Case)] {
    var result: [(String, Case)] = []
    for folder in ["epl", "epl-random"] {
      let url = SharedFolder.repository.appending(path: "Tests/Conformance").appending(path: folder)
      guard let files = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil) else { continue }
      for case let file as URL in files where file.pathExtension == "json" {
        let name = file.deletingLastPathComponent().lastPathComponent + "/" + file.deletingPathExtension().lastPathComponent
        result.append((name, try JSONDecoder().decode(Case.self, from: Data(contentsOf: file))))
      }
    }
    return result.sorted { $0.0 < $1.0 }
  }
}
