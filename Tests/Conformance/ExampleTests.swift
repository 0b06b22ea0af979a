import Cases
import Diagnostics
import Engine
import EventModel
import Foundation
import TestSupport
import Testing

/// The examples of `docs/epl` give the rows, or the errors, that the documents show.
///
/// With FLOWCEP_RECORD_EXAMPLES=1 the answers are written into the documents instead of compared: then read them.
@Suite struct ExampleTests {
  static let isRecording = ProcessInfo.processInfo.environment["FLOWCEP_RECORD_EXAMPLES"] != nil
  static let moduleName = "example.epl"
  /// Where the lists are that examples name.
  static let folder = SharedFolder.repository.appendingPathComponent(ExampleDocument.folder).path + "/"

  /// The types that all examples share.
  static let streams: [EventType] = {
    guard let readme = try? ExampleDocument(ExampleDocument.folder + "/README.md"),
      let engine = try? Engine(modules: [EngineModule(name: "streams", text: readme.streams)])
    else { return [] }
    return engine.inputs.map(\.type)
  }()

  @Test func examplesShareStreams() { #expect(!ExampleTests.streams.isEmpty, "docs/epl/README.md has no block marked `epl streams`") }

  @Test(arguments: ExampleDocument.all) func examplesGiveWhatTheyShow(_ path: String) throws {
    if ExampleTests.isRecording { ExampleDocument.writing.lock() }
    defer { if ExampleTests.isRecording { ExampleDocument.writing.unlock() } }
    var document = try ExampleDocument(path)
    var recorded: [(place: Range<Int>, lines: [String])] = []
    for example in document.examples {
      let place = "\(path):\(example.line)"
      do {
        let answer = try check(example, document.lines, place)
        if let block = example.answer, let answer { recorded.append((block, answer)) }
      } catch { Issue.record("\(place): \(error)") }
    }
    guard ExampleTests.isRecording else { return }
    for (block, lines) in recorded.reversed() { document.lines.replaceSubrange(block, with: lines) }
    try document.save()
  }

  /// The lines that the answer should have had; nil where there is nothing to record.
  private func check(_ example: Example, _ lines: [String], _ place: String) throws -> [String]? {
    let options = EngineOptions()
    let engine: Engine
    do throws(CompileError) {
      let module = EngineModule(name: ExampleTests.moduleName, text: example.epl, folder: ExampleTests.folder)
      engine = try Engine(modules: [module], predeclared: ExampleTests.streams, options: options)
    } catch { return told(error.diagnostics, example, lines, place) }
    if example.answer.map({ lines[$0].first?.first?.isNumber != true }) ?? false {
      return told(engine.diagnostics, example, lines, place)
    }
    guard let answer = example.answer else { return nil }
    let names = engine.statements.filter(\.isNamed).map(\.name)
    return try play(example.epl, try ExampleTimeline(lines[answer], names: names), place)
  }

  /// The block is what the compiler says: errors, or the warnings of a module that is taken.
  private func told(_ diagnostics: DiagnosticList, _ example: Example, _ lines: [String], _ place: String) -> [String]? {
    let text = diagnostics.sorted.map(\.text).joined(separator: "\n").split(separator: "\n").map(String.init)
    let written = example.answer.map { Array(lines[$0]) } ?? []
    if ExampleTests.isRecording, written.first?.first?.isNumber == false { return text }
    #expect(written == text, "\(place): what the compiler says")
    return nil
  }

  private func play(_ epl: String, _ timeline: ExampleTimeline, _ place: String) throws -> [String]? {
    var test = try timeline.testCase(epl)
    test.folder = ExampleTests.folder
    var first: [ExampleTimeline.Row]?
    for (size, rewrites) in [(1, true), (7, true), (2048, true), (7, false)] {
      var options = EngineOptions()
      options.rewrites = rewrites
      let runner = CaseRunner(batchSize: size, options: options, predeclared: ExampleTests.streams)
      let given = timeline.rows(of: try runner.answers(to: test))
      let wanted = ExampleTests.isRecording ? first ?? given : timeline.rows
      first = first ?? given
      if given != wanted { Issue.record("\(place), batches of \(size):\n\(difference(wanted, given))") }
    }
    return first.map { timeline.lines(with: $0) }
  }

  private func difference(_ wanted: [ExampleTimeline.Row], _ given: [ExampleTimeline.Row]) -> String {
    var lines: [String] = []
    for index in 0..<max(wanted.count, given.count) {
      let (a, b) = (index < wanted.count ? wanted[index] : nil, index < given.count ? given[index] : nil)
      if a == b { continue }
      lines.append("  expected \(a.map { "t=\($0.time) \($0.text)" } ?? "nothing")")
      lines.append("  given    \(b.map { "t=\($0.time) \($0.text)" } ?? "nothing")")
    }
    return lines.joined(separator: "\n")
  }
}
