import Diagnostics
import EventModel
import Plan
import Syntax

/// CREATE LIST. The file is read by the engine.
extension StatementBinder {
  func bindList(_ syntax: CreateListSyntax) -> ListPlan? {
    let name = syntax.name.text
    let taken = scope.lists[name] != nil || scope.variables[name] != nil || scope.types[name] != nil || scope.tables[name] != nil
    if taken {
      report("\"\(name)\" is declared already", at: syntax.name.range)
      return nil
    }
    if syntax.path.isEmpty {
      report("the list's file has no name", at: syntax.pathRange)
      return nil
    }
    let list = MemberList(name: name, kind: syntax.kind == .address ? .addresses : .texts)
    scope.lists[name] = list
    let place = source.position(at: syntax.pathRange.start)
    return ListPlan(list: list, path: syntax.path, line: place.line, column: place.column)
  }
}
