internal import EventModel
internal import Glibc

/// What the original takes from Java's own classes, under their names.
extension Builtins {
  static let javaFunctions: [ScalarFunction] = mathFunctions + parsingFunctions + textMethods

  private static let mathFunctions: [ScalarFunction] = [
    math("Math.floor", "the largest whole number that is not larger") { $0.rounded(.down) },
    math("Math.ceil", "the smallest whole number that is not smaller") { $0.rounded(.up) },
    math("Math.rint", "the nearest whole number, of two the even one") { $0.rounded(.toNearestOrEven) },
    math("Math.exp", "e to that power") { exp($0) }, math("Math.log", "the natural logarithm") { log($0) },
    math("Math.log10", "the decimal logarithm") { log10($0) }, math("Math.cbrt", "the cube root") { cbrt($0) },
    math("Math.sin", "the sine") { sin($0) }, math("Math.cos", "the cosine") { cos($0) }, math("Math.tan", "the tangent") { tan($0) },
    math("Math.signum", "-1, 0 or 1") { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    ScalarFunction("Math.pow", arity: 2...2, help: "the first to the power of the second", resultType: numbers(.double)) { arguments in
      guard let base = arguments[0].number, let exponent = arguments[1].number else { return .null }
      return .double(pow(base, exponent))
    },
    ScalarFunction("Math.hypot", arity: 2...2, help: "the root of the sum of squares", resultType: numbers(.double)) { arguments in
      guard let a = arguments[0].number, let b = arguments[1].number else { return .null }
      return .double(hypot(a, b))
    },
    ScalarFunction("Math.round", arity: 1...1, help: "the nearest integer, of two the larger", resultType: numbers(.long)) { arguments in
      arguments[0].number.map { .int(Value.double(($0 + 0.5).rounded(.down)).integer ?? 0) } ?? .null
    },
  ]

  private static let parsingFunctions: [ScalarFunction] =
    ["Integer.parseInt", "Integer.valueOf"].map { integer($0, .int) { Int32($0).map(Int64.init) } }
    + ["Long.parseLong", "Long.valueOf"].map { integer($0, .long) { Int64($0) } }
    + ["Short.parseShort", "Short.valueOf"].map { integer($0, .short) { Int16($0).map(Int64.init) } }
    + ["Double.parseDouble", "Double.valueOf", "Float.parseFloat", "Float.valueOf"].map { name in
      ScalarFunction(name, arity: 1...1, help: "the number that a text is", resultType: { _ in name.hasPrefix("F") ? .float : .double }) {
        arguments throws(EvaluationError) in
        if let number = arguments[0].number { return .double(number) }
        guard let text = arguments[0].text else { return .null }
        guard let number = Double(text) else { throw EvaluationError("'\(text)' is no number") }
        return .double(number)
      }
    }
    + ["Boolean.parseBoolean", "Boolean.valueOf"].map { name in
      ScalarFunction(name, arity: 1...1, help: "whether a text is \"true\"", resultType: { _ in .boolean }) { arguments in
        .bool(arguments[0].text?.lowercased() == "true")
      }
    }
    + ["Integer.toString", "Long.toString", "Double.toString", "Boolean.toString"].map { name in
      ScalarFunction(name, arity: 1...1, help: "the text of a value", resultType: { _ in .string }) { arguments in
        arguments[0].text.map { .string($0) } ?? .null
      }
    }
    + [
      ScalarFunction("Integer.toBinaryString", arity: 1...1, help: "binary digits", resultType: numbers(.string)) { arguments in
        arguments[0].integer.map { .string(String(UInt32(truncatingIfNeeded: $0), radix: 2)) } ?? .null
      },
      ScalarFunction("Long.toHexString", arity: 1...1, help: "hexadecimal digits", resultType: numbers(.string)) { arguments in
        arguments[0].integer.map { .string(String(UInt64(bitPattern: $0), radix: 16)) } ?? .null
      },
    ]

  private static let textMethods: [ScalarFunction] = [
    ScalarFunction(".replace", arity: 3...3, help: "with every such text replaced by another", resultType: { _ in .string }) { arguments in
      guard let text = arguments[0].text, let part = arguments[1].text, let other = arguments[2].text else { return .null }
      return .string(replaced(Array(text.utf8), Array(part.utf8), Array(other.utf8)))
    },
    ScalarFunction(".charAt", arity: 2...2, help: "the unit at a place, from 0", resultType: { _ in .character }) {
      arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let place = arguments[1].integer else { return .null }
      let units = Array(text.utf16)
      guard place >= 0, place < units.count else { throw EvaluationError("charAt(\(place)) of \(units.count) characters") }
      return .string(String(decoding: [units[Int(place)]], as: UTF16.self))
    },
    ScalarFunction(".concat", arity: 2...2, help: "both texts, one behind the other", resultType: { _ in .string }) { arguments in
      guard let a = arguments[0].text, let b = arguments[1].text else { return .null }
      return .string(a + b)
    },
    ScalarFunction(".isEmpty", arity: 1...1, help: "whether it has no characters", resultType: { _ in .boolean }) {
      $0[0].text.map { .bool($0.isEmpty) } ?? .null
    },
    ScalarFunction(".hashCode", arity: 1...1, help: "Java's hash of a text", resultType: { types in types[0].isText ? .int : nil }) {
      arguments in
      arguments[0].text.map { .int(Int64($0.utf16.reduce(Int32(0)) { $0 &* 31 &+ Int32($1) })) } ?? .null
    },
    ScalarFunction(".lastIndexOf", arity: 2...2, help: "where a text last stands, -1 if nowhere", resultType: { _ in .int }) { arguments in
      guard let text = arguments[0].text.map({ Array($0.utf16) }), let sought = arguments[1].text.map({ Array($0.utf16) }) else {
        return .null
      }
      guard sought.count <= text.count else { return .int(-1) }
      for start in (0...(text.count - sought.count)).reversed() where text[start...].starts(with: sought) { return .int(Int64(start)) }
      return .int(-1)
    },
    ScalarFunction(
      ".compareTo", arity: 2...2, help: "below, at or above 0 as it stands before, with or behind another", resultType: { _ in .int }
    ) {
      arguments in
      guard let a = arguments[0].text.map({ Array($0.utf16) }), let b = arguments[1].text.map({ Array($0.utf16) }) else { return .null }
      for (x, y) in zip(a, b) where x != y { return .int(Int64(x) - Int64(y)) }
      return .int(Int64(a.count - b.count))
    },
    ScalarFunction(".matches", arity: 2...2, help: "whether a regular expression fits the whole text", resultType: texts(.boolean)) {
      arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let pattern = arguments[1].text else { return .null }
      return .bool((try? expression(pattern).wholeMatch(in: text)) != nil)
    },
    ScalarFunction(".replaceAll", arity: 3...3, help: "with everything replaced that a regular expression fits", resultType: texts(.string))
    {
      arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let pattern = arguments[1].text, let other = arguments[2].text else { return .null }
      return .string(text.replacing(try expression(pattern), with: other))
    },
    ScalarFunction(
      ".replaceFirst", arity: 3...3, help: "with the first replaced that a regular expression fits", resultType: texts(.string)
    ) {
      arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let pattern = arguments[1].text, let other = arguments[2].text else { return .null }
      return .string(text.replacing(try expression(pattern), with: other, maxReplacements: 1))
    },
    ScalarFunction(
      ".split", arity: 2...2, help: "the parts between what a regular expression fits",
      resultType: { types in types.allSatisfy { $0 == .null || $0.isText } ? .array(.string) : nil }
    ) { arguments throws(EvaluationError) in
      guard let text = arguments[0].text, let pattern = arguments[1].text else { return .null }
      var parts = text.split(separator: try expression(pattern), omittingEmptySubsequences: false).map { Value.string(String($0)) }
      // Empty parts at the end do not count.
      while parts.count > 1, parts.last?.text == "" { parts.removeLast() }
      return .array(parts)
    },
    ScalarFunction(".intValue", arity: 1...1, help: "as an int", resultType: numbers(.int)) { arguments in
      arguments[0].integer.map { .int(Int64(Int32(truncatingIfNeeded: $0))) } ?? .null
    },
    ScalarFunction(".longValue", arity: 1...1, help: "as a long", resultType: numbers(.long)) { $0[0].integer.map { .int($0) } ?? .null },
    ScalarFunction(".doubleValue", arity: 1...1, help: "as a double", resultType: numbers(.double)) {
      $0[0].number.map { .double($0) } ?? .null
    },
    ScalarFunction(
      ".between", arity: 3...5, help: "whether a time lies between two others; two flags say whether they belong to the span",
      resultType: { types in types.prefix(3).allSatisfy { $0 == .null || $0.isNumeric } ? .boolean : nil }
    ) { arguments in
      guard let time = arguments[0].integer, let first = arguments[1].integer, let second = arguments[2].integer else { return .null }
      let (low, high) = (min(first, second), max(first, second))
      let includesLow = arguments.count < 4 || arguments[3].isTrue
      let includesHigh = arguments.count < 5 || arguments[4].isTrue
      return .bool((includesLow ? time >= low : time > low) && (includesHigh ? time <= high : time < high))
    },
  ]

  private static func expression(_ pattern: String) throws(EvaluationError) -> Regex<AnyRegexOutput> {
    guard let expression = try? Regex(pattern) else { throw EvaluationError("'\(pattern)' is no regular expression") }
    return expression
  }

  private static func texts(_ result: ValueType) -> @Sendable ([ValueType]) -> ValueType? {
    { types in types.allSatisfy { $0 == .null || $0.isText } ? result : nil }
  }

  private static func numbers(_ result: ValueType) -> @Sendable ([ValueType]) -> ValueType? {
    { types in types.allSatisfy { $0 == .null || $0.isNumeric } ? result : nil }
  }

  private static func math(_ name: String, _ help: String, _ apply: @escaping @Sendable (Double) -> Double) -> ScalarFunction {
    ScalarFunction(name, arity: 1...1, help: help, resultType: numbers(.double)) { $0[0].number.map { .double(apply($0)) } ?? .null }
  }

  private static func integer(_ name: String, _ type: ValueType, _ read: @escaping @Sendable (String) -> Int64?) -> ScalarFunction {
    ScalarFunction(name, arity: 1...1, help: "the number that a text is", resultType: { _ in type }) { arguments throws(EvaluationError) in
      if let number = arguments[0].integer { return .int(number) }
      guard let text = arguments[0].text else { return .null }
      guard let number = read(text) else { throw EvaluationError("'\(text)' is no number") }
      return .int(number)
    }
  }

  private static func replaced(_ text: [UInt8], _ part: [UInt8], _ other: [UInt8]) -> String {
    if part.isEmpty { return String(decoding: text, as: UTF8.self) }
    var result: [UInt8] = []
    var place = 0
    while place < text.count {
      if text[place...].starts(with: part) {
        result += other
        place += part.count
      } else {
        result.append(text[place])
        place += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
