import Foundation
import TestSupport
import Testing

/// The files of the repository, without what is built or fetched.
enum Repository {
  static let root = SharedFolder.repository

  struct File: CustomTestStringConvertible {
    /// From the repository's top folder.
    var path: String
    var text: String { (try? String(contentsOf: Repository.root.appendingPathComponent(path), encoding: .utf8)) ?? "" }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var folder: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) }
    var testDescription: String { path }
  }

  /// Files whose path begins with one of `folders`, sorted; those with one of `endings` where some are given.
  static func files(in folders: [String], endings: [String] = []) -> [File] {
    folders.flatMap { folder -> [File] in
      let url = root.appendingPathComponent(folder)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else { return [] }
      guard isFolder.boolValue else { return [File(path: folder)] }
      let names = (try? FileManager.default.subpathsOfDirectory(atPath: url.path)) ?? []
      return names.sorted().map { File(path: "\(folder)/\($0)") }
    }
    .filter { file in
      guard !file.path.contains("/.") else { return false }
      return endings.isEmpty ? file.path.split(separator: "/").last?.contains(".") ?? false : endings.contains { file.path.hasSuffix($0) }
    }
  }

  static let everything = [
    "Package.swift", "Makefile", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ".ci", "Sources", "Plugins", "Tests",
    "Benchmarks", "config", "queries", "docs", "scripts",
  ]

  static func folders(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.appendingPathComponent(folder).path)) ?? []
    return names.sorted().filter { name in
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: root.appendingPathComponent("\(folder)/\(name)").path, isDirectory: &isFolder)
      return isFolder.boolValue && !name.hasPrefix(".")
    }
  }
}
