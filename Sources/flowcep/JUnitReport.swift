import ArgumentParser
import Glibc

/// The outcomes of cases as JUnit XML, the form that continuous integration reads: a suite for each feature, a case for each file.
struct JUnitReport {
  private let outcomes: [CaseOutcome]
  init(_ outcomes: [CaseOutcome]) { self.outcomes = outcomes }

  var text: String {
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites \(counts(outcomes))>\n"
    var features: [String] = []
    for outcome in outcomes where !features.contains(outcome.feature) { features.append(outcome.feature) }
    for feature in features {
      let suite = outcomes.filter { $0.feature == feature }
      text += "  <testsuite name=\"\(Self.escaped(feature.isEmpty ? "cases" : feature))\" \(counts(suite))>\n"
      for outcome in suite { text += element(outcome) }
      text += "  </testsuite>\n"
    }
    return text + "</testsuites>\n"
  }

  private func counts(_ outcomes: [CaseOutcome]) -> String {
    "tests=\"\(outcomes.count)\" failures=\"\(outcomes.count(where: \.failed))\" errors=\"0\" skipped=\"\(outcomes.count(where: \.skipped))\" "
      + "time=\"\(Self.seconds(outcomes.reduce(0) { $0 + $1.seconds }))\""
  }

  private func element(_ outcome: CaseOutcome) -> String {
    let name = outcome.name.isEmpty ? outcome.path : outcome.name
    let feature = outcome.feature.isEmpty ? "cases" : outcome.feature
    let head =
      "    <testcase classname=\"\(Self.escaped(feature))\" name=\"\(Self.escaped(name))\" file=\"\(Self.escaped(outcome.path))\" "
      + "time=\"\(Self.seconds(outcome.seconds))\""
    switch outcome.result {
    case .passed, .blessed: return head + "/>\n"
    case .skipped(let reason): return head + ">\n      <skipped message=\"\(Self.escaped(reason))\"/>\n    </testcase>\n"
    case .failed(let differences):
      let text = Self.escaped(differences.joined(separator: "\n"))
      return head + ">\n      <failure message=\"\(Self.escaped(differences.first ?? ""))\">\(text)</failure>\n    </testcase>\n"
    }
  }

  func write(to path: String) throws {
    guard let file = fopen(path, "w") else {
      writeError("\(path): error: \(String(cString: strerror(errno)))\n")
      throw ExitCode.usage
    }
    fputs(text, file)
    guard fclose(file) == 0 else {
      writeError("\(path): error: \(String(cString: strerror(errno)))\n")
      throw ExitCode(1)
    }
  }

  private static func seconds(_ seconds: Double) -> String {
    let milliseconds = Int((seconds * 1000).rounded())
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
  }

  /// XML 1.0 has no control characters but three, not even escaped ones.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      case _ where scalar.value < 32 || scalar.value == 0xfffe || scalar.value == 0xffff: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
