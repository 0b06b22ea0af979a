/// Something that a user should know about what they wrote, with its place.
public struct Diagnostic: Sendable, Equatable {
  public enum Severity: String, Sendable { case error, warning, note }

  public var severity: Severity
  /// The file's name, nil where the mistake is in no file (a command-line argument, a missing library).
  public var file: String?
  public var start: SourcePosition?
  /// One past the last character; nil marks a single place.
  public var end: SourcePosition?
  /// What was found and what was expected, without a full stop.
  public var message: String
  /// What to write instead: `did you mean "port"?`
  public var suggestion: String?
  /// The line of the source at `start`, shown with a caret under the place.
  public var excerpt: String?

  public init(
    _ severity: Severity, file: String? = nil, start: SourcePosition? = nil, end: SourcePosition? = nil, message: String,
    suggestion: String? = nil, excerpt: String? = nil
  ) {
    self.severity = severity
    self.file = file
    self.start = start
    self.end = end
    self.message = message
    self.suggestion = suggestion
    self.excerpt = excerpt
  }

  /// A diagnostic at a range of a source text, with the line as its excerpt.
  public init(
    _ severity: Severity, in source: SourceText, at range: SourceRange, message: String, suggestion: String? = nil
  ) {
    let start = source.position(at: range.start)
    self.init(
      severity, file: source.name, start: start, end: source.position(at: range.end), message: message,
      suggestion: suggestion, excerpt: source.line(start.line))
  }

  /// One line: `startup.xml:14:5: error: unknown option "prot" (did you mean "port"?)`.
  public var line: String { line(marked: "\(severity.rawValue): ") }

  /// The line without its severity, for a log that has levels of its own.
  public var unmarkedLine: String { line(marked: "") }

  private func line(marked mark: String) -> String {
    var place = ""
    if let file {
      place = file
      if let start { place += ":\(start.line):\(start.column)" }
      place += ": "
    }
    return place + mark + message + (suggestion.map { " (\($0))" } ?? "")
  }

  /// The line, and under it the source with carets at the place.
  public var text: String {
    guard let start, let excerpt, !excerpt.isEmpty else { return line }
    let width = max(1, end.map { $0.line == start.line ? $0.column - start.column : excerpt.count - start.column + 1 } ?? 1)
    let lead = String(excerpt.prefix(start.column - 1).map { $0 == "\t" ? "\t" : " " })
    return "\(line)\n  \(excerpt)\n  \(lead)\(String(repeating: "^", count: width))"
  }
}

/// Where diagnostics are gathered, so that a user sees all mistakes in one go.
public struct DiagnosticList: Sendable {
  public private(set) var all: [Diagnostic] = []

  public init() {}

  public var hasErrors: Bool { all.contains { $0.severity == .error } }
  public var errors: [Diagnostic] { all.filter { $0.severity == .error } }
  public var warnings: [Diagnostic] { all.filter { $0.severity == .warning } }

  public mutating func add(_ diagnostic: Diagnostic) { all.append(diagnostic) }
  public mutating func add(contentsOf other: DiagnosticList) { all.append(contentsOf: other.all) }

  /// Takes the source's line out of some diagnostics: it holds what nobody is to see.
  public mutating func dropExcerpts(where hides: (Diagnostic) -> Bool) {
    for index in all.indices where hides(all[index]) { all[index].excerpt = nil }
  }

  /// In the order of their places, file by file in the order of first mention.
  public var sorted: [Diagnostic] {
    var files: [String: Int] = [:]
    for d in all where files[d.file ?? ""] == nil { files[d.file ?? ""] = files.count }
    return all.enumerated().sorted { a, b in
      let (fa, fb) = (files[a.element.file ?? ""]!, files[b.element.file ?? ""]!)
      if fa != fb { return fa < fb }
      let zero = SourcePosition(line: 0, column: 0)
      let (pa, pb) = (a.element.start ?? zero, b.element.start ?? zero)
      return pa != pb ? pa < pb : a.offset < b.offset
    }.map(\.element)
  }
}
