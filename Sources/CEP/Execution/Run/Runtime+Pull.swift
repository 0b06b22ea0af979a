internal import Builtins
public import EventModel
internal import Plan

extension Runtime {
  /// A statement's current rows, over all its partitions; a failing expression gives none.
  public func currentRows(of number: Int) -> [Event] {
    let statement = statements[number]
    if let instance = statement.instance { return (try? instance.currentRows()) ?? [] }
    return statement.partitions?.partitions.flatMap { (try? $0.instance(of: statement)?.currentRows()) ?? [] } ?? []
  }

  /// - Returns: whether the module has a variable of that name.
  public func set(_ variable: String, to value: Value, in module: DeployedModule) -> Bool {
    guard let variable = module.environment.variables[variable]?.only else { return false }
    variable.value = variable.type.isNumeric ? (try? castValue(value, to: variable.type)) ?? value : value
    return true
  }
}
