import Cases
import Glibc

/// What came of one case.
struct CaseOutcome {
  enum Result: Equatable {
    case passed
    case failed([String])
    /// A file that is no case.
    case skipped(String)
    /// Its answers are now those expected.
    case blessed
  }
  var path: String
  var feature = ""
  var name = ""
  var result: Result
  var seconds = 0.0
  /// The files that the answers depend on, that of the case among them, as they were when they were read (nil: not there).
  var files: [String: FileState?]

  var failed: Bool { if case .failed = result { true } else { false } }
  var skipped: Bool { if case .skipped = result { true } else { false } }
}

/// Runs cases from their files.
struct CaseFiles {
  let runner: CaseRunner
  /// Whether the answers of cases that fail are recorded.
  let blesses: Bool

  func run(_ path: String) throws -> CaseOutcome {
    let start = now()
    var outcome = CaseOutcome(path: path, result: .passed, files: [path: FileState(path)])
    let json = try InputFiles.read(path)
    do {
      let test = try read(json, path)
      (outcome.feature, outcome.name) = (test.feature, test.name)
      for file in test.files { outcome.files[file] = .some(FileState(file)) }
      outcome.result = try result(test, json, path)
    } catch let error as CaseError {
      outcome.result = .skipped(error.description)
    }
    if outcome.result == .blessed { outcome.files[path] = .some(FileState(path)) }
    outcome.seconds = now() - start
    return outcome
  }

  private func read(_ json: [UInt8], _ path: String) throws(CaseError) -> TestCase {
    try TestCase(json: json, folder: path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") { module throws(CaseError) in
      guard let bytes = try? InputFiles.read(module) else { throw CaseError("cannot read the module \(module)") }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private func result(_ test: TestCase, _ json: [UInt8], _ path: String) throws -> CaseOutcome.Result {
    if !test.isRecorded, !blesses { throw CaseError("no answers are \"expected\": --bless records those that come") }
    let result = runner.result(of: test)
    if result.differences.isEmpty, test.isRecorded { return .passed }
    guard blesses, result.wasRun else { return .failed(result.differences) }
    let text = try CaseBlessing(test).text(json, given: result.given)
    guard write(text, path) else { return .failed(["cannot write the file: \(String(cString: strerror(errno)))"]) }
    // What recording does not settle, a column's type for one, still differs.
    let differences = runner.result(of: try read(text, path)).differences
    return differences.isEmpty ? .blessed : .failed(differences)
  }

  /// Under another name first: a case is never left half written.
  private func write(_ text: [UInt8], _ path: String) -> Bool {
    let draft = path + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return false }
    var written = 0
    while written < text.count {
      let count = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written) }
      if count < 0, errno != EINTR { break }
      written += max(count, 0)
    }
    let isWhole = close(descriptor) == 0 && written == text.count
    if isWhole, rename(draft, path) == 0 { return true }
    unlink(draft)
    return false
  }

  private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
