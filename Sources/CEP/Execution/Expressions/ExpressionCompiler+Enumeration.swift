internal import Plan

extension ExpressionCompiler {
  func compileEnumeration(_ method: Expression.Enumeration) throws(DeploymentError) -> Evaluator {
    throw DeploymentError("no enumeration method \(method.method)")
  }
}
