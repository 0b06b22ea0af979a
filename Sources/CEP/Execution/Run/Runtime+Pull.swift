internal import Builtins
public import EventModel

extension Runtime {
  /// A statement's current rows, over all its partitions; a failing expression gives none.
  public func currentRows(of statement: Int) -> [Event] {
    guard let instance = statements[statement].instance else { return [] }
    return (try? instance.currentRows()) ?? []
  }

  /// - Returns: whether the module has a variable of that name.
  public func set(_ variable: String, to value: Value, in module: DeployedModule) -> Bool {
    guard let variable = module.environment.variables[variable] else { return false }
    variable.value = variable.type.isNumeric ? (try? castValue(value, to: variable.type)) ?? value : value
    return true
  }
}
