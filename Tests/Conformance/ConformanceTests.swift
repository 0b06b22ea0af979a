import Cases
import Engine
import Foundation
import Testing

/// The corpus of recorded answers, chapter by chapter.
@Suite struct ConformanceTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  /// Cases that do not pass yet. The list may only shrink: a case in it that passes is a failure of this suite.
  static let knownFailures = names(in: "known-failures")
  /// Answers that are plain defects of the original.
  static let deviations = names(in: "deviations")
  /// Errors that the original reports only for want of a syntax; ours has its own answer in `ours`.
  static let extensions = names(in: "extensions")

  static let chapters: [String] = ["epl", "epl-random", "ours"].flatMap { root in
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(root).path)) ?? []
    return folders.filter { !$0.contains(".") }.sorted().map { "\(root)/\($0)" }
  }

  /// The first word of each line that is no comment.
  private static func names(in list: String) -> Set<String> {
    let text = (try? String(contentsOf: folder.appendingPathComponent(list), encoding: .utf8)) ?? ""
    return Set(
      text.split(separator: "\n").compactMap { line in
        line.hasPrefix("#") ? nil : line.split(whereSeparator: { $0 == " " || $0 == ":" }).first.map(String.init)
      })
  }

  @Test(arguments: chapters) func chapterGivesRecordedAnswers(_ chapter: String) throws {
    let place = ConformanceTests.folder.appendingPathComponent(chapter)
    for file in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() where file.hasSuffix(".json") {
      let name = "\(chapter)/\(file.dropLast(5))"
      if ConformanceTests.deviations.contains(name) || ConformanceTests.extensions.contains(name) { continue }
      let test = try TestCase(json: [UInt8](try Data(contentsOf: place.appendingPathComponent(file))))
      check(test, name)
    }
  }

  /// The state saved and restored after every fourth step: the same answers.
  @Test(arguments: chapters) func chapterGivesRecordedAnswersAcrossRestarts(_ chapter: String) throws {
    let place = ConformanceTests.folder.appendingPathComponent(chapter)
    for file in try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() where file.hasSuffix(".json") {
      let name = "\(chapter)/\(file.dropLast(5))"
      let listed = [ConformanceTests.deviations, ConformanceTests.extensions, ConformanceTests.knownFailures].contains { $0.contains(name) }
      if listed { continue }
      let test = try TestCase(json: [UInt8](try Data(contentsOf: place.appendingPathComponent(file))))
      var runner = CaseRunner(batchSize: 7)
      runner.restartsAfter = 4
      let differences = runner.run(test)
      if !differences.isEmpty { Issue.record("\(name), with restarts:\n\(differences.joined(separator: "\n"))") }
    }
  }

  private func check(_ test: TestCase, _ name: String) {
    var passes = true
    for size in [1, 7, 2048] {
      let differences = CaseRunner(batchSize: size).run(test)
      if differences.isEmpty { continue }
      passes = false
      if !ConformanceTests.knownFailures.contains(name) {
        Issue.record("\(name), batches of \(size):\n\(differences.joined(separator: "\n"))")
      }
    }
    var options = EngineOptions()
    options.rewrites = false
    let plain = CaseRunner(batchSize: 7, options: options).run(test)
    if !plain.isEmpty {
      passes = false
      if !ConformanceTests.knownFailures.contains(name) {
        Issue.record("\(name), without rewrites:\n\(plain.joined(separator: "\n"))")
      }
    }
    if passes, ConformanceTests.knownFailures.contains(name) {
      Issue.record("\(name) passes: take it off the list of known failures")
    }
  }

  @Test func listsNameCasesThatExist() {
    for name in ConformanceTests.knownFailures.union(ConformanceTests.deviations).union(ConformanceTests.extensions) {
      let path = ConformanceTests.folder.appendingPathComponent(name + ".json").path
      #expect(FileManager.default.fileExists(atPath: path), "\(name) is listed, but there is no such case")
    }
  }
}
