internal import Builtins
internal import EventModel
internal import Plan

/// How often a filter takes an event, in compat mode: the original delivers an event once for each time that its value stands in an IN
/// list of a stream's filter.
struct RepeatedMembers {
  private let lists: [(value: Evaluator, members: [Value])]

  /// Nil where no list names a value twice.
  init?(_ filters: [Expression?], _ compiler: ExpressionCompiler) throws(DeploymentError) {
    var lists: [(value: Evaluator, members: [Value])] = []
    for part in filters.flatMap({ $0?.conjuncts ?? [] }) {
      guard case .oneOf(let value, let list, false) = part.node, case .column = value.node else { continue }
      let members = list.compactMap { member -> Value? in if case .constant(let constant) = member.node { constant } else { nil } }
      guard members.count == list.count, Set(members).count < members.count else { continue }
      lists.append((try compiler.compile(value), members))
    }
    if lists.isEmpty { return nil }
    self.lists = lists
  }

  /// Of an event that has passed the filter.
  func count(_ frame: Frame) throws(EvaluationError) -> Int {
    var count = 1
    for list in lists {
      let value = try list.value(frame)
      count *= list.members.count { $0 == value }
    }
    return count
  }
}
