import Cases
import EventModel
import JSONLines

/// What a text block says: events and other steps, each at a time, and below them the rows that they give.
///
///     0:01  Flow  source=192.0.2.7 port=80
///     1:01
///        +  Talkers  source=192.0.2.7 flows=1
///
/// Times are h:mm:ss or m:ss with milliseconds behind a point. `+` is a row of the insert stream, `-` of the remove stream, `=` of the
/// answer to an on-demand query, `!` an event that failed. A row names its statement where the module names several.
struct ExampleTimeline {
  struct Row: Equatable {
    var time: Int64
    /// In its canonical writing, with the sign.
    var text: String
  }

  private(set) var steps: [(time: Int64, json: Value)] = []
  private(set) var rows: [Row] = []
  private(set) var queries: Set<String> = []
  /// The steps' lines as they were written, with their times.
  private(set) var written: [(time: Int64, line: String)] = []
  /// As wide as the widest time.
  private(set) var margin = 4
  let names: [String]

  /// - Parameter names: the statements whose rows are shown.
  init(_ lines: ArraySlice<String>, names: [String]) throws {
    self.names = names
    for line in lines where !line.allSatisfy(\.isWhitespace) {
      let trimmed = line.drop { $0.isWhitespace }
      guard let sign = trimmed.first else { continue }
      if "+-=!".contains(sign) {
        try readRow(sign, String(trimmed.dropFirst()))
      } else {
        try readStep(String(trimmed))
      }
    }
  }

  private mutating func readRow(_ sign: Character, _ text: String) throws {
    guard let time = steps.last?.time else { throw ExampleTextReader.Mistake(description: "a row before the first step") }
    if sign == "!" { return rows.append(Row(time: time, text: Self.failure)) }
    var reader = ExampleTextReader(text)
    let name = reader.name() ?? names.first ?? ""
    rows.append(Row(time: time, text: Self.row(sign, sign == "=" ? "" : name, try reader.fields())))
  }

  private static let failure = "! the event failed"

  private static func row(_ sign: Character, _ name: String, _ fields: [(key: String, value: Value)]) -> String {
    "\(sign) \(name)  \(ExampleText.fields(fields))"
  }

  private mutating func readStep(_ line: String) throws {
    let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard let time = Self.time(parts[0]) else { throw ExampleTextReader.Mistake(description: "\"\(parts[0])\" is no time") }
    written.append((time, line))
    margin = max(margin, parts[0].count)
    var entry: [(key: String, value: Value)] = [("t", .int(time))]
    let rest = parts.count > 1 ? String(parts[1]) : ""
    var reader = ExampleTextReader(rest)
    switch reader.name() {
    case nil: break
    case "query":
      let query = String(rest.drop { $0 == " " }.dropFirst(5).drop { $0 == " " })
      queries.insert(query)
      entry.append(("fire", .string(query)))
    case "set":
      let setting = try reader.fields()
      entry += [("set", .string(setting.first?.key ?? "")), ("value", setting.first?.value ?? .null)]
    case .some(let type):
      entry += [("type", .string(type)), ("e", .map(ValueMap(try reader.fields())))]
    }
    steps.append((time, .map(ValueMap(entry))))
  }

  /// `1:05`, `0:01.250`, `8:00:00` in ms.
  static func time(_ text: some StringProtocol) -> Int64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count) else { return nil }
    let seconds = parts[parts.count - 1].split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(seconds.count), let second = Int64(seconds[0]) else { return nil }
    var total = second * 1000
    if seconds.count == 2 {
      guard seconds[1].count == 3, let milliseconds = Int64(seconds[1]) else { return nil }
      total += milliseconds
    }
    for (part, unit) in zip(parts.dropLast().reversed(), [Int64(60_000), 3_600_000]) {
      guard let number = Int64(part) else { return nil }
      total += number * unit
    }
    return total
  }

  /// The case that plays these steps.
  func testCase(_ epl: String) throws -> TestCase {
    let expected = Value.map(ValueMap([("updates", .array([]))]))
    let json = Value.map(
      ValueMap([
        ("epl", .string(epl)), ("outputs", .array(names.map { .string($0) })), ("events", .array(steps.map(\.json))),
        ("expected", expected),
      ]))
    return try TestCase(json: Array(JSONText.text(json).utf8))
  }

  /// Answers as rows in their canonical writing.
  func rows(of updates: [TestCase.Update]) -> [Row] {
    updates.flatMap { update in
      if update.failed { return [Row(time: update.time, text: Self.failure)] }
      let isAnswer = update.statement.map { queries.contains($0) } ?? false
      let name = isAnswer ? "" : update.statement ?? ""
      let new = update.new.map { Row(time: update.time, text: Self.row(isAnswer ? "=" : "+", name, Self.entries($0))) }
      let old = (update.old ?? []).map { Row(time: update.time, text: Self.row("-", name, Self.entries($0))) }
      return new + old
    }
  }

  private static func entries(_ row: Value) -> [(key: String, value: Value)] {
    if case .map(let map) = row { return map.entries }
    return []
  }

  /// The block anew: the steps as written, below each the rows of its instant.
  func lines(with rows: [Row]) -> [String] {
    var lines: [String] = []
    for (index, step) in written.enumerated() {
      lines.append(step.line)
      if index + 1 < written.count, written[index + 1].time == step.time { continue }
      for row in rows where row.time == step.time { lines.append(shown(row)) }
    }
    return lines
  }

  private func shown(_ row: Row) -> String {
    let sign = row.text.prefix(1)
    var rest = String(row.text.dropFirst().drop { $0 == " " })
    if names.count == 1, let name = names.first, rest.hasPrefix(name + "  ") { rest = String(rest.dropFirst(name.count + 2)) }
    return String(repeating: " ", count: margin - 1) + sign + "  " + rest
  }
}
