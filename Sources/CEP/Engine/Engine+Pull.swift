public import EventModel
internal import Builtins
internal import Diagnostics
internal import Execution
internal import Semantics
internal import Syntax

extension Engine {
  /// A statement's current rows, where the options have them kept.
  public func currentRows(of statement: StatementInfo) -> [Event] { runtime.currentRows(of: statement.number) }

  /// Sets a variable in every module that has one of that name.
  ///
  /// - Returns: whether there was one.
  public func set(_ variable: String, to value: Value) -> Bool {
    modules.reduce(false) { found, module in runtime.set(variable, to: value, in: module) || found }
  }

  /// Answers an on-demand query against the first module's windows and tables: the rows that it selected, deleted, changed or inserted.
  public func answer(_ query: String) throws(CompileError) -> [Event] {
    let source = SourceText(name: "<query>", text: query)
    var (statement, diagnostics) = parseOnDemandQuery(source)
    guard let statement, let scope = scopes.first, let module = modules.first, !diagnostics.hasErrors else {
      throw CompileError(diagnostics: diagnostics)
    }
    let (plan, mistakes) = bindOnDemandQuery(statement, source: source, scope: scope)
    diagnostics.add(contentsOf: mistakes)
    guard let plan else { throw CompileError(diagnostics: diagnostics) }
    do throws(DeploymentError) { return try runtime.answer(plan, in: module) } catch {
      diagnostics.add(Diagnostic(.error, file: source.name, message: error.description))
      throw CompileError(diagnostics: diagnostics)
    }
  }
}
