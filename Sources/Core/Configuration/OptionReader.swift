import Diagnostics

/// Reads an element's children against an option table: unknown, duplicate, missing, mistyped and out of range, all in one go.
struct OptionReader {
  /// What the options are of, for messages: `output "json"`.
  var owner: String
  var search: FileSearch
  /// The exporting processes that may be named.
  var processes: [String]
  var diagnostics = DiagnosticList()

  /// - Parameters:
  ///   - others: elements that somebody else reads, as further suggestions.
  ///   - presets: values that stand where the element says nothing (an alias's mode).
  mutating func read(
    _ element: XMLElement, _ table: [OptionRow], others: [String] = [], presets: [String: String] = [:]
  ) -> OptionValues {
    var values: [String: [OptionValues.Value]] = [:]
    let known = table.map(\.name)
    for child in element.children where !others.contains(child.name) {
      guard let row = table.first(where: { $0.name == child.name }) else {
        diagnostics.add(
          child.place.diagnostic(
            .error, "unknown option \"\(child.name)\" in \(owner)", suggestion: didYouMean(child.name, among: known + others)))
        continue
      }
      if !row.isRepeated, let first = values[row.name]?.first {
        let line = first.place.map { " (first in line \($0.position.line))" } ?? ""
        diagnostics.add(child.place.diagnostic(.error, "\"\(row.name)\" may stand only once in \(owner)\(line)"))
        continue
      }
      values[row.name, default: []].append(value(of: child, row))
    }
    for row in table where values[row.name] == nil { fill(row, element, presets[row.name], &values) }
    return OptionValues(values)
  }

  private mutating func fill(
    _ row: OptionRow, _ element: XMLElement, _ preset: String?, _ values: inout [String: [OptionValues.Value]]
  ) {
    if let text = preset ?? row.defaultText {
      switch parse(text, row, element.source.folder) {
      case .success(let value): values[row.name] = [value]
      case .failure(let problem):
        diagnostics.add(element.place.diagnostic(.error, "default of \"\(row.name)\" in \(owner): \(problem.message)"))
      }
    } else if row.isRequired {
      diagnostics.add(element.place.diagnostic(.error, "missing \"\(row.name)\" in \(owner): \(row.help)"))
    }
  }

  private mutating func value(of child: XMLElement, _ row: OptionRow) -> OptionValues.Value {
    let place = child.valuePlace
    if row.isSecret { child.source.hide(child.content) }
    if row.kind == .group {
      let outer = owner
      owner = "\"\(row.name)\" of \(outer)"
      let group = read(child, row.members)
      owner = outer
      return OptionValues.Value(text: "", group: group, place: child.place)
    }
    if let inner = child.children.first {
      diagnostics.add(inner.place.diagnostic(.error, "\"\(row.name)\" holds \(row.kind.expectation), found an element \"\(inner.name)\""))
    }
    switch parse(child.text, row, child.source.folder) {
    case .success(var value):
      value.place = place
      if let note = warning(child.text, value, row) {
        diagnostics.add(place.diagnostic(.warning, note.message, suggestion: note.suggestion, secret: row.isSecret))
      }
      return value
    case .failure(let problem):
      diagnostics.add(place.diagnostic(.error, problem.message, suggestion: problem.suggestion, secret: row.isSecret))
      return OptionValues.Value(text: child.text, place: place)
    }
  }

  struct Problem: Error {
    var message: String
    var suggestion: String?
  }

  private func parse(_ text: String, _ row: OptionRow, _ folder: String) -> Result<OptionValues.Value, Problem> {
    func expected(_ what: String? = nil) -> Problem {
      let found = row.isSecret ? "something else" : text.isEmpty ? "nothing" : "\"\(text)\""
      return Problem(message: "\"\(row.name)\": expected \(what ?? row.kind.expectation), found \(found)")
    }
    func number(_ value: Double?, _ integer: Int64?, _ read: (String) -> Double?) -> Result<OptionValues.Value, Problem> {
      guard let value else { return .failure(expected()) }
      if let range = row.range, !ValueText.isInside(value, range, parse: read) {
        return .failure(expected("\(row.kind.expectation) in \(range)"))
      }
      return .success(.init(text: text, integer: integer ?? 0, real: value))
    }
    switch row.kind {
    case .text, .group:
      return .success(.init(text: text))
    case .boolean:
      guard let flag = ValueText.boolean(text) else { return .failure(expected()) }
      return .success(.init(text: text, integer: flag ? 1 : 0))
    case .integer:
      let value = Int64(text)
      return number(value.map(Double.init), value) { Double($0) }
    case .real:
      return number(Double(text), nil) { Double($0) }
    case .duration:
      let value = ValueText.duration(text, unit: row.unit)
      return number(value.map(Double.init), value) { ValueText.duration($0, unit: row.unit).map(Double.init) }
    case .bytes:
      let value = ValueText.bytes(text)
      return number(value.map(Double.init), value) { ValueText.bytes($0).map(Double.init) }
    case .address:
      return text.isEmpty || ValueText.isAddress(text) ? .success(.init(text: text)) : .failure(expected())
    case .prefix:
      return ValueText.isPrefix(text) ? .success(.init(text: text)) : .failure(expected())
    case .choice:
      return choice(text, row)
    case .path:
      return path(text, row, folder)
    case .process:
      if processes.contains(text) { return .success(.init(text: text)) }
      return .failure(
        Problem(message: "no exporting process is named \"\(text)\"", suggestion: didYouMean(text, among: processes)))
    }
  }

  private func choice(_ text: String, _ row: OptionRow) -> Result<OptionValues.Value, Problem> {
    let low = text.lowercased()
    for choice in row.choices where ([choice.name] + choice.misspelled).contains(where: { $0.lowercased() == low }) {
      return .success(.init(text: choice.name))
    }
    let names = row.choices.map(\.name)
    let found = text.isEmpty ? "nothing" : "\"\(text)\""
    return .failure(
      Problem(
        message: "\"\(row.name)\": expected \(names.joined(separator: " or ")), found \(found)",
        suggestion: didYouMean(text, among: names)))
  }

  private func path(_ text: String, _ row: OptionRow, _ folder: String) -> Result<OptionValues.Value, Problem> {
    guard !text.isEmpty else { return .failure(Problem(message: "\"\(row.name)\": expected a path, found nothing")) }
    let found = search.resolve(text, in: folder)
    if row.mustExist, !found.exists {
      return .failure(
        Problem(
          message: "\"\(row.name)\": no such file: \(found.looked.joined(separator: ", nor "))",
          suggestion: search.suggestion(for: found.path)))
    }
    return .success(.init(text: found.path))
  }

  /// What is allowed, and yet worth a word.
  private func warning(_ written: String, _ value: OptionValues.Value, _ row: OptionRow) -> Problem? {
    switch row.kind {
    case .address where written.isEmpty:
      return Problem(message: "empty \"\(row.name)\" in \(owner) listens on all addresses")
    case .choice:
      let low = written.lowercased()
      guard let choice = row.choices.first(where: { $0.misspelled.contains { $0.lowercased() == low } }) else { return nil }
      return Problem(message: "\"\(row.name)\": \"\(written)\" is taken for \"\(choice.name)\"", suggestion: "write \"\(choice.name)\"")
    case .path where row.isSecret:
      guard let mode = FileSearch.openPermissions(value.text) else { return nil }
      return Problem(message: "others can read the key file \(value.text) (mode \(mode))", suggestion: "chmod 600 \(value.text)")
    default:
      return nil
    }
  }
}
