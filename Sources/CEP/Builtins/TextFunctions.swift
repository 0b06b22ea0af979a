internal import EventModel

private typealias Units = [UInt16]

private func units(_ value: Value) -> Units? { value.text.map { Array($0.utf16) } }

extension Builtins {
  static let textFunctions: [ScalarFunction] = [
    ScalarFunction(".length", arity: 1...1, help: "the number of UTF-16 units", resultType: { _ in .int }) {
      $0[0].text.map { .int(Int64($0.utf16.count)) } ?? .null
    },
    ScalarFunction(".toUpperCase", arity: 1...1, help: "in upper case", resultType: { _ in .string }) {
      $0[0].text.map { .string($0.uppercased()) } ?? .null
    },
    ScalarFunction(".toLowerCase", arity: 1...1, help: "in lower case", resultType: { _ in .string }) {
      $0[0].text.map { .string($0.lowercased()) } ?? .null
    },
    ScalarFunction(".trim", arity: 1...1, help: "without white space at both ends", resultType: { _ in .string }) {
      $0[0].text.map { text in
        let start = text.unicodeScalars.drop { $0.value <= 32 }
        return .string(String(String(String(start).unicodeScalars.reversed().drop { $0.value <= 32 }.reversed().map(Character.init))))
      } ?? .null
    },
    ScalarFunction(".substring", arity: 2...3, help: "the part from a unit (to another)", resultType: { _ in .string }) {
      arguments throws(EvaluationError) in
      guard let text = units(arguments[0]), let start = arguments[1].integer else { return .null }
      let end = arguments.count > 2 ? arguments[2].integer ?? Int64(text.count) : Int64(text.count)
      guard start >= 0, start <= end, end <= text.count else {
        throw EvaluationError("substring(\(start), \(end)) of \(text.count) characters")
      }
      return .string(String(decoding: text[Int(start)..<Int(end)], as: UTF16.self))
    },
    ScalarFunction(".indexOf", arity: 2...3, help: "where a text first stands (from a unit on), -1 if nowhere", resultType: { _ in .int }) {
      arguments in
      guard let text = units(arguments[0]), let sought = units(arguments[1]) else { return .null }
      let first = arguments.count > 2 ? max(0, Int(clamping: arguments[2].integer ?? 0)) : 0
      guard sought.count <= text.count, first <= text.count - sought.count else { return .int(-1) }
      for start in first...(text.count - sought.count) where text[start...].starts(with: sought) { return .int(Int64(start)) }
      return .int(-1)
    },
    ScalarFunction(
      ".startsWith", arity: 2...3, help: "whether it begins (or goes on from a unit) with a text", resultType: { _ in .boolean }
    ) { arguments in
      guard let text = units(arguments[0]), let prefix = units(arguments[1]) else { return .null }
      let first = arguments.count > 2 ? Int(clamping: arguments[2].integer ?? 0) : 0
      return .bool(first >= 0 && first <= text.count && text[first...].starts(with: prefix))
    },
    ScalarFunction(".endsWith", arity: 2...2, help: "whether it ends with a text", resultType: { _ in .boolean }) { arguments in
      guard let text = arguments[0].text, let suffix = arguments[1].text else { return .null }
      return .bool(text.utf8.reversed().starts(with: suffix.utf8.reversed()))
    },
    ScalarFunction(".contains", arity: 2...2, help: "whether a text stands in it", resultType: { _ in .boolean }) { arguments in
      guard let text = arguments[0].text, let part = arguments[1].text else { return .null }
      return .bool(part.isEmpty || text.utf8.indices.contains { text.utf8[$0...].starts(with: part.utf8) })
    },
    ScalarFunction(".equals", arity: 2...2, help: "whether it is the same text", resultType: { _ in .boolean }) {
      $0[0].isNull ? .null : .bool($0[0] == $0[1])
    },
    ScalarFunction(".equalsIgnoreCase", arity: 2...2, help: "whether it is the same text but for case", resultType: { _ in .boolean }) {
      arguments in arguments[0].isNull ? .null : .bool(arguments[0].text?.lowercased() == arguments[1].text?.lowercased())
    },
    ScalarFunction(".toString", arity: 1...1, help: "the value's text", resultType: { _ in .string }) {
      $0[0].text.map { .string($0) } ?? .null
    },
  ]
}
