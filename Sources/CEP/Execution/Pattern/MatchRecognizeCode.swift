internal import Builtins
internal import EventModel
internal import Plan

/// match_recognize, compiled.
final class MatchRecognizeCode {
  let plan: MatchRecognizePlan
  let automaton: RowAutomaton
  let partition: [Evaluator]
  let defines: [Evaluator?]
  let measures: [Evaluator]
  let interval: PeriodEvaluator?
  /// How many earlier rows `prev` reaches back to.
  let depth: Int

  init(_ plan: MatchRecognizePlan, context: EventType?, environment: Environment) throws(DeploymentError) {
    self.plan = plan
    automaton = try RowAutomaton(plan.pattern)
    partition = try environment.compiler([plan.inputType], context: context).compile(plan.partition)
    let compiler = environment.compiler([plan.matchType, plan.inputType], context: context)
    var defines: [Evaluator?] = []
    for variable in plan.variables { defines.append(try compiler.compile(variable.define)) }
    self.defines = defines
    measures = try compiler.compile(plan.measures.map(\.expression))
    interval = try plan.interval.map { period throws(DeploymentError) in
      try PeriodEvaluator(period, environment.compiler([], context: context))
    }
    depth = plan.variables.map { $0.define.map(Self.depth) ?? 0 }.max() ?? 0
  }

  private static func depth(_ expression: Expression) -> Int {
    var own = 0
    if case .matchPrevious(_, let count) = expression.node { own = min(count, 10_000) }
    return max(own, expression.children.map(depth).max() ?? 0)
  }
}

/// A match begun: where in the pattern it stands, and its rows by variable.
struct PartialMatch {
  var position: Int
  var rows: [[Event]]
  /// The numbers of its first and last row within the partition, and when it began.
  var firstRow: UInt64
  var lastRow: UInt64
  var began: Int64
}

extension PartialMatch {
  static var blank: PartialMatch { PartialMatch(position: 0, rows: [], firstRow: 0, lastRow: 0, began: 0) }

  mutating func exchange(_ archive: StateArchive) {
    archive.integer(&position)
    archive.array(&rows, blank: []) { archive.events(&$0) }
    archive.word(&firstRow)
    archive.word(&lastRow)
    archive.integer(&began)
  }

  func fits(_ code: MatchRecognizeCode) -> Bool {
    code.automaton.variables.indices.contains(position) && rows.count == code.plan.variables.count
  }
}
