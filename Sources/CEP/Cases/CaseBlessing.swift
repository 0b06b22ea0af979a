internal import EventModel
internal import JSONLines

/// Writes the answers that were given into a case's file as those expected; nothing else in the file changes.
public struct CaseBlessing {
  private let test: TestCase
  public init(_ test: TestCase) { self.test = test }

  /// The file's new text.
  public func text(_ json: [UInt8], given: [TestCase.Update]) throws(CaseError) -> [UInt8] {
    let answers = Array(expected(given).utf8)
    do throws(JSONError) {
      let members = try JSONMembers(json)
      if let place = members.range(of: "expected") { return Array(json[..<place.lowerBound]) + answers + Array(json[place.upperBound...]) }
      return Array(json[..<members.end]) + Array(",\n \"expected\": ".utf8) + answers + Array(json[members.end...])
    } catch { throw CaseError("no JSON: \(error)") }
  }

  private func expected(_ given: [TestCase.Update]) -> String {
    var text = "{\n  \"updates\": ["
    for (index, update) in given.enumerated() { text += (index == 0 ? "\n   " : ",\n   ") + line(update) }
    text += given.isEmpty ? "]" : "\n  ]"
    if !test.types.isEmpty {
      let types = test.types.map { statement -> (key: String, value: Value) in
        (statement.statement, .map(ValueMap(statement.columns.map { ($0.name, .string($0.type)) })))
      }
      text += ",\n  \"types\": " + JSONText.text(.map(ValueMap(types)))
    }
    return text + "\n }"
  }

  private func line(_ update: TestCase.Update) -> String {
    var entries: [(key: String, value: Value)] = [("t", .int(update.time))]
    if update.failed {
      entries.append(("runtime_error", .string("the event failed")))
    } else {
      entries.append(("statement", update.statement.map { .string($0) } ?? .null))
      entries.append(("new", .array(update.new.map { named($0, update.statement) })))
      if let old = update.old { entries.append(("old", .array(old.map { named($0, update.statement) }))) }
    }
    return JSONText.text(.map(ValueMap(entries)))
  }

  /// Of a case that names single columns only those that it named for the statement before, where it named any.
  private func named(_ row: Value, _ statement: String?) -> Value {
    guard test.namedColumnsOnly, case .map(let map) = row else { return row }
    var wanted = Set<String>()
    for update in test.updates where update.statement == statement {
      for case .map(let row) in update.new + (update.old ?? []) { wanted.formUnion(row.entries.map(\.key)) }
    }
    return wanted.isEmpty ? row : .map(ValueMap(map.entries.filter { wanted.contains($0.key) }))
  }
}
