internal import Builtins
internal import EventModel
internal import Plan

extension ExpressionCompiler {
  func compileConcatenation(_ parts: [Expression]) throws(DeploymentError) -> Evaluator {
    let parts = try compile(parts)
    return { frame throws(EvaluationError) in
      var text = ""
      for part in parts {
        guard let piece = try part(frame).text else { return .null }
        text += piece
      }
      return .string(text)
    }
  }

  func compileMatch(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    switch expression.node {
    case .like(let value, let pattern, let escape, let negated):
      let value = try compile(value)
      if case .constant(let constant) = pattern.node, escape == nil || escape?.constantText != nil {
        guard let text = constant.text else { return { _ in .null } }
        let pattern = LikePattern(text, escape: escape?.constantText)
        return { frame throws(EvaluationError) in
          let value = try value(frame)
          if case .string(var text) = value { return .bool(pattern.matches(&text) != negated) }
          guard var text = value.text else { return .null }
          return .bool(pattern.matches(&text) != negated)
        }
      }
      let (patternOf, escapeOf) = (try compile(pattern), try compile(escape))
      return { frame throws(EvaluationError) in
        guard var text = try value(frame).text, let pattern = try patternOf(frame).text else { return .null }
        let escape = try escapeOf.map { e throws(EvaluationError) in try e(frame) }?.text
        return .bool(LikePattern(pattern, escape: escape).matches(&text) != negated)
      }
    case .regexp(let value, let pattern, let negated):
      let value = try compile(value)
      if let text = pattern.constantText, let regex = try? Regex(text) {
        return { frame throws(EvaluationError) in
          guard let text = try value(frame).text else { return .null }
          return .bool(((try? regex.wholeMatch(in: text)) != nil) != negated)
        }
      }
      let patternOf = try compile(pattern)
      return { frame throws(EvaluationError) in
        guard let text = try value(frame).text, let pattern = try patternOf(frame).text else { return .null }
        guard let regex = try? Regex(pattern) else { throw EvaluationError("'\(pattern)' is no regular expression") }
        return .bool(((try? regex.wholeMatch(in: text)) != nil) != negated)
      }
    default: throw DeploymentError("no match")
    }
  }

  func compileCall(_ name: String, _ arguments: [Expression]) throws(DeploymentError) -> Evaluator {
    guard let function = environment.runtime.catalog.functions[name] else { throw DeploymentError("no function \(name)") }
    let arguments = try compile(arguments)
    let evaluate = function.evaluate
    return { frame throws(EvaluationError) in try evaluate(try evaluateAll(arguments, frame)) }
  }
}

extension Expression {
  var constantText: String? {
    if case .constant(let value) = node { return value.text }
    return nil
  }
}

/// A LIKE pattern: `%` stands for any characters (also line ends), `_` for one.
struct LikePattern {
  private enum Token { case any, one, text([UInt8]) }
  private var tokens: [Token] = []
  /// For the common `%text%`: what is looked for.
  private var needle: [UInt8]?

  init(_ pattern: String, escape: String?) {
    var text: [UInt8] = []
    var isEscaped = false
    let escape = escape ?? "\\"
    func flush(_ tokens: inout [Token]) {
      if !text.isEmpty { tokens.append(.text(text)) }
      text = []
    }
    for character in pattern.unicodeScalars {
      if !isEscaped, String(character) == escape {
        isEscaped = true
      } else if !isEscaped, character == "%" {
        flush(&tokens)
        tokens.append(.any)
      } else if !isEscaped, character == "_" {
        flush(&tokens)
        tokens.append(.one)
      } else {
        text += Array(String(character).utf8)
        isEscaped = false
      }
    }
    flush(&tokens)
    if tokens.count == 3, case .any = tokens[0], case .text(let middle) = tokens[1], case .any = tokens[2] { needle = middle }
  }

  func matches(_ text: inout String) -> Bool {
    text.withUTF8 { bytes in
      if let needle { return contains(bytes, needle) }
      return matches(bytes, 0, 0)
    }
  }

  func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    if let needle { return contains(bytes, needle) }
    return matches(bytes, 0, 0)
  }

  private func contains(_ bytes: UnsafeBufferPointer<UInt8>, _ needle: [UInt8]) -> Bool {
    guard needle.count <= bytes.count else { return false }
    let first = needle[0]
    outer: for start in 0...(bytes.count - needle.count) where bytes[start] == first {
      for index in 1..<max(needle.count, 1) where bytes[start + index] != needle[index] { continue outer }
      return true
    }
    return false
  }

  /// Greedy with one point to go back to, which suffices since `%` takes anything.
  private func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ firstToken: Int) -> Bool {
    var (position, token) = (start, firstToken)
    var retry: (position: Int, token: Int)?
    while true {
      if token < tokens.count, case .any = tokens[token] {
        token += 1
        retry = (position, token)
        if token == tokens.count { return true }
        continue
      }
      if token == tokens.count, position == bytes.count { return true }
      if token < tokens.count, let next = step(bytes, position, tokens[token]) {
        (position, token) = (next, token + 1)
        continue
      }
      guard let point = retry, point.position < bytes.count else { return false }
      retry = (point.position + 1, point.token)
      (position, token) = (point.position + 1, point.token)
    }
  }

  private func step(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int, _ token: Token) -> Int? {
    switch token {
    case .any: return position
    case .one:
      guard position < bytes.count else { return nil }
      var next = position + 1
      while next < bytes.count, bytes[next] & 0xc0 == 0x80 { next += 1 }
      return next
    case .text(let text):
      guard position + text.count <= bytes.count else { return nil }
      for index in 0..<text.count where bytes[position + index] != text[index] { return nil }
      return position + text.count
    }
  }
}
