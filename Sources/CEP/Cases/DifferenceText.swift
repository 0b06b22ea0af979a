internal import EventModel
internal import JSONLines

/// Says how the answers given differ from those expected, for whoever develops a detection: what is the same is left out, what belongs
/// together stands together, and of a row that differs the columns that do are named.
struct DifferenceText {
  private let comparison: CaseComparison
  private var lines: [String] = []
  private var count = 0
  /// Of more differences only the number is told.
  private static let mostShown = 10
  /// More pairs than this are not searched for the best fit.
  private static let mostCompared = 4_000_000

  init(_ comparison: CaseComparison) { self.comparison = comparison }

  func lines(_ expected: [TestCase.Update], _ given: [TestCase.Update]) -> [String] {
    var text = self
    for (wanted, got) in Self.pairs(
      expected, given, isSame: comparison.same, isAlike: { $0.statement == $1.statement && $0.failed == $1.failed })
    {
      text.add(wanted, got)
    }
    if text.count > Self.mostShown { text.lines.append("… and \(text.count - Self.mostShown) more differences") }
    if expected.count != given.count { text.lines.append("\(expected.count) updates are expected, \(given.count) came") }
    return text.lines
  }

  private mutating func add(_ wanted: TestCase.Update?, _ got: TestCase.Update?) {
    count += 1
    guard count <= Self.mostShown else { return }
    switch (wanted, got) {
    case (let wanted?, let got?): addDifferent(wanted, got)
    case (let wanted?, nil):
      lines.append("at \(Self.time(wanted.time)), \(Self.subject(wanted)): expected, but did not come")
      addRows(wanted, "-")
    case (nil, let got?):
      lines.append("at \(Self.time(got.time)), \(Self.subject(got)): came, but is not expected")
      addRows(got, "+")
    case (nil, nil): break
    }
  }

  private mutating func addRows(_ update: TestCase.Update, _ sign: String) {
    for row in update.new { lines.append("  \(sign) \(JSONText.text(row))") }
    for row in update.old ?? [] { lines.append("  \(sign) old \(JSONText.text(row))") }
  }

  private mutating func addDifferent(_ wanted: TestCase.Update, _ got: TestCase.Update) {
    let late = wanted.time == got.time ? "" : ", expected at \(Self.time(wanted.time))"
    lines.append("at \(Self.time(got.time)), \(Self.subject(got))\(late):")
    addRows(wanted.new, got.new, "")
    addRows(wanted.old ?? [], got.old ?? [], "old ")
  }

  private mutating func addRows(_ wanted: [Value], _ got: [Value], _ kind: String) {
    for (wanted, got) in Self.pairs(wanted, got, isSame: comparison.sameRow, isAlike: { _, _ in true }) {
      if case .map(let wanted)? = wanted, case .map(let got)? = got, Self.sharesValues(wanted, got) {
        lines.append("  \(kind)row \(JSONText.text(.map(got)))")
        lines += comparison.columns(wanted, got).map { "    \($0)" }
      } else {
        if let wanted { lines.append("  - \(kind)\(JSONText.text(wanted))") }
        if let got { lines.append("  + \(kind)\(JSONText.text(got))") }
      }
    }
  }

  /// Rows with nothing in common are another row each.
  private static func sharesValues(_ a: ValueMap, _ b: ValueMap) -> Bool {
    let names = b.entries.map(\.key)
    return a.entries.count == 1 || a.entries.contains { names.contains($0.key) && $0.value == b[$0.key] }
  }

  // MARK: words

  private static func subject(_ update: TestCase.Update) -> String {
    update.failed ? "an event that fails" : update.statement.map { "statement \($0)" } ?? "an answer"
  }

  /// Times of a calendar with their date.
  private static func time(_ milliseconds: Int64) -> String {
    milliseconds < 100_000_000_000 ? "\(milliseconds)" : "\(milliseconds) (\(JSONText.timestamp(milliseconds)))"
  }

  // MARK: what belongs together

  /// What differs, in order: the longest common part is left out; between its parts, items that are alike stand side by side.
  private static func pairs<Item>(
    _ a: [Item], _ b: [Item], isSame: (Item, Item) -> Bool, isAlike: (Item, Item) -> Bool
  ) -> [(Item?, Item?)] {
    var pairs: [(Item?, Item?)] = []
    var (i, j) = (0, 0)
    for (x, y) in commonPart(a, b, isSame) + [(a.count, b.count)] {
      while i < x || j < y {
        if i < x, j < y, isAlike(a[i], b[j]) {
          pairs.append((a[i], b[j]))
          (i, j) = (i + 1, j + 1)
        } else if i < x {
          pairs.append((a[i], nil))
          i += 1
        } else {
          pairs.append((nil, b[j]))
          j += 1
        }
      }
      (i, j) = (x + 1, y + 1)
    }
    return pairs
  }

  /// The places of the longest sequence that stands in both, in this order.
  private static func commonPart<Item>(_ a: [Item], _ b: [Item], _ isSame: (Item, Item) -> Bool) -> [(Int, Int)] {
    guard a.count * b.count <= mostCompared else {
      return zip(a.indices, b.indices).filter { isSame(a[$0], b[$1]) }
    }
    var lengths = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in a.indices.reversed() {
      for j in b.indices.reversed() {
        lengths[i][j] = isSame(a[i], b[j]) ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
      }
    }
    var places: [(Int, Int)] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if isSame(a[i], b[j]) {
        places.append((i, j))
        (i, j) = (i + 1, j + 1)
      } else if lengths[i + 1][j] >= lengths[i][j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return places
  }
}
