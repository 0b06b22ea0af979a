public import EventModel
internal import Builtins
internal import Diagnostics
internal import Execution

extension Engine {
  /// A statement's current rows.
  public func currentRows(of statement: StatementInfo) -> [Event] { runtime.currentRows(of: statement.number) }

  /// Sets a variable in every module that has one of that name.
  ///
  /// - Returns: whether there was one.
  public func set(_ variable: String, to value: Value) -> Bool {
    modules.reduce(false) { found, module in runtime.set(variable, to: value, in: module) || found }
  }

  /// Answers an on-demand query against the first module's windows and tables.
  public func answer(_ query: String) throws(CompileError) -> [Event] {
    var diagnostics = DiagnosticList()
    diagnostics.add(Diagnostic(.error, message: "on-demand queries cannot be answered yet"))
    throw CompileError(diagnostics: diagnostics)
  }
}
