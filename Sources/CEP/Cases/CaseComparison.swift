internal import Engine
internal import EventModel
internal import JSONLines

/// Compares answers by a case's own rule.
struct CaseComparison {
  private let test: TestCase
  /// The order of rows in a grouped update without ORDER BY is an accident of hashing in the original.
  private let forgivesRowOrder: Bool

  init(_ test: TestCase) {
    self.test = test
    let epl = test.epl.lowercased()
    forgivesRowOrder = test.anyRowOrder || (epl.contains("group by") && !epl.contains("order by"))
  }

  /// What is missing, what is too much and what is other than expected, as lines; none where the answers are the expected ones.
  func differences(_ given: [TestCase.Update]) -> [String] {
    if !test.anyStatementOrder { return differences(test.updates, given) }
    var differences: [String] = []
    var names: [String?] = []
    for update in test.updates + given where !names.contains(update.statement) { names.append(update.statement) }
    for name in names {
      differences += self.differences(test.updates.filter { $0.statement == name }, given.filter { $0.statement == name })
    }
    return differences
  }

  private func differences(_ expected: [TestCase.Update], _ given: [TestCase.Update]) -> [String] {
    if expected.count == given.count, zip(expected, given).allSatisfy({ same($0, $1) }) { return [] }
    return DifferenceText(self).lines(expected, given)
  }

  func same(_ a: TestCase.Update, _ b: TestCase.Update) -> Bool {
    if a.time != b.time || a.failed != b.failed { return false }
    if a.failed { return true }
    return a.statement == b.statement && sameRows(a.new, b.new) && sameRows(a.old ?? [], b.old ?? [])
  }

  private func sameRows(_ a: [Value], _ b: [Value]) -> Bool {
    guard a.count == b.count else { return false }
    if zip(a, b).allSatisfy({ sameRow($0, $1) }) { return true }
    guard forgivesRowOrder else { return false }
    var rest = b
    for row in a {
      guard let index = rest.firstIndex(where: { sameRow(row, $0) }) else { return false }
      rest.remove(at: index)
    }
    return true
  }

  /// A row has exactly its columns, unless the case names only those that matter to it.
  func sameRow(_ a: Value, _ b: Value) -> Bool {
    if test.namedColumnsOnly, case .map(let wanted) = a, case .map(let given) = b {
      return wanted.entries.allSatisfy { sameValue($0.value, given[$0.key]) }
    }
    if case .map(let x) = a, case .map(let y) = b, x.entries.count != y.entries.count { return false }
    return sameValue(a, b)
  }

  /// The columns in which a row that came differs from the one expected, each as a line.
  func columns(_ wanted: ValueMap, _ given: ValueMap) -> [String] {
    var lines: [String] = []
    for (name, value) in wanted.entries where !sameValue(value, given[name]) {
      let isThere = given.entries.contains { $0.key == name }
      lines.append("\(name): \(isThere ? JSONText.text(given[name]) : "no such column"), expected \(JSONText.text(value))")
    }
    if test.namedColumnsOnly { return lines }
    for (name, value) in given.entries where !wanted.entries.contains(where: { $0.key == name }) {
      lines.append("\(name): \(JSONText.text(value)), a column that is not expected")
    }
    return lines
  }

  /// An event within a row is the map that was sent, in the original without the properties that it left out: they are null here.
  func sameValue(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.map(let x), .map(let y)):
      return x.entries.allSatisfy { sameValue($0.value, y[$0.key]) } && y.entries.allSatisfy { sameValue(x[$0.key], $0.value) }
    case (.array(let x), .array(let y)):
      return x.values.count == y.values.count && zip(x.values, y.values).allSatisfy { sameValue($0, $1) }
    case (.double(let x), _) where x.isFinite: return b.number.map { near(x, $0) } ?? false
    case (_, .double(let y)):
      if let x = a.number { return near(x, y) }
      return a.text == b.text
    default: return a == b
    }
  }

  private func near(_ a: Double, _ b: Double) -> Bool { a == b || abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }
}
