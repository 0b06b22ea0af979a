internal import Builtins
internal import EventModel
internal import Kernels
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
        let pattern = BytePattern(text, escape: escape?.constantText)
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
        return .bool(BytePattern(pattern, escape: escape).matches(&text) != negated)
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
