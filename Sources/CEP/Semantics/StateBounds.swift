import Diagnostics
import EventModel
import Plan
import Syntax

/// Warnings about state that can grow as long as the engine runs. What a context partition holds goes when the partition ends.
extension StatementBinder {
  /// The data windows of a source, a subquery or a named window.
  func checkBounds(_ views: [ViewPlan], _ combination: ViewCombination, _ syntax: [ViewSyntax]) {
    if contextEnds { return }
    let faults = zip(views, syntax).map { view, syntax in (fault: view.growth, range: syntax.range) }
    let windows = zip(views, faults).filter { $0.0.isWindow }.map(\.1)
    let runEmpty = !windows.isEmpty && views.allSatisfy(\.runsEmpty)
    // Of windows that work together the smallest bounds all, in a union the largest.
    let isBounded = combination == .union ? windows.allSatisfy { $0.fault == nil } : windows.contains { $0.fault == nil }
    for (view, entry) in zip(views, faults) {
      guard let fault = entry.fault else { continue }
      if view.isWindow, isBounded { continue }
      if case .grouped = view, runEmpty { continue }
      noteGrowth(fault.message, at: entry.range, advice: fault.advice)
    }
  }

  /// Groups that nothing ever leaves, and aggregates that keep every value of a stream without a window.
  func checkBounds(_ plan: SelectPlan, _ syntax: SelectSyntax) {
    if contextEnds { return }
    if plan.outputRate?.kind == .all, let first = syntax.groupBy.first {
      noteGrowth(
        "\"output all\" gives every group that ever was", at: first.range,
        advice: "\"output snapshot\" gives those that the data window holds")
    }
    if plan.sources.contains(where: { !$0.isEndless }) { return }
    let window = "add a data window: #time_batch(1 min)"
    if let first = syntax.groupBy.first, !plan.aggregates.isEmpty || plan.outputRate != nil {
      noteGrowth("without a data window every group is kept for ever", at: first.range, advice: window)
    }
    for aggregate in plan.aggregates where aggregate.isDistinct || StatementBinder.keepers.contains(aggregate.function) {
      let name = aggregate.isDistinct ? "\(aggregate.function)(distinct …)" : aggregate.function
      let advice = aggregate.isDistinct && aggregate.function == "count" ? window + ", or use approxCountDistinct" : window
      noteGrowth("\"\(name)\" keeps every value of a stream without data window", at: syntax.selection.range, advice: advice)
    }
  }
  /// Aggregates whose state has an entry for each value.
  private static let keepers: Set<String> = [
    "median", "avedev", "min", "max", "fmin", "fmax", "window", "sorted", "maxby", "minby", "first", "last", "nth", "entropy", "baseline",
    "zscore",
  ]

  func checkBounds(_ syntax: MatchRecognizeSyntax, _ plan: MatchRecognizePlan, over source: SourcePlan) {
    if contextEnds || !source.views.isEmpty { return }
    if let key = syntax.partitionBy.first {
      noteGrowth("match_recognize keeps a partition for every key", at: key.range, advice: "add a data window before it: #time(10 min)")
    }
    let open = Set(plan.variables.indices.filter { plan.variables[$0].define == nil })
    if plan.pattern.repeatsWithoutEnd(open) {
      noteGrowth(
        "a variable without DEFINE that repeats without end matches every row, so that no match ever ends", at: syntax.pattern.range,
        advice: "DEFINE it, bound it ({1,100}), or add a data window: #time(10 min)")
    }
  }

  func checkBounds(_ context: ContextPlan, at range: SourceRange) {
    if context.keepsKeys {
      noteGrowth(
        "a partition is kept for every key, for as long as its statements keep something", at: range,
        advice:
          "give its statements windows that run empty (#time), or nest it in a context that ends: context Hour start @now end after 1 hour")
    } else if context.overlapsForEver {
      noteGrowth("partitions begin and never end", at: range, advice: "end them: terminated after 10 min")
    }
  }

  // MARK: patterns

  func checkBounds(_ pattern: PatternSyntax) { if !contextEnds { check(pattern, isGuarded: false) } }

  private func check(_ pattern: PatternSyntax, isGuarded: Bool) {
    let guardAdvice = "add a guard: where timer:within(10 min)"
    switch pattern.kind {
    case .atom, .observer, .missing: break
    case .every(let inner), .not(let inner): check(inner, isGuarded: isGuarded)
    case .everyDistinct(let keys, let inner):
      if !isGuarded, keys.last?.isTimePeriod != true {
        noteGrowth("every-distinct remembers every key for ever", at: pattern.range, advice: "end the keys with a time period: 10 min")
      }
      check(inner, isGuarded: isGuarded)
    case .guarded(let inner, let namespace, _, _): check(inner, isGuarded: isGuarded || namespace.text == "timer")
    case .whileGuard(let inner, _): check(inner, isGuarded: isGuarded)
    case .or(let parts): for part in parts { check(part, isGuarded: isGuarded) }
    case .and(let parts):
      if !isGuarded, parts.count > 1, let part = parts.first(where: \.comesAgain) {
        noteGrowth("AND keeps every match of this part, to combine it with the others", at: part.range, advice: guardAdvice)
      }
      for part in parts { check(part, isGuarded: isGuarded) }
    case .followedBy(let parts, let maxima):
      for index in parts.indices.dropLast() where !isGuarded {
        let hasMaximum = index < maxima.count && maxima[index] != nil
        guard let cause = parts[...index].first(where: \.comesAgain), !hasMaximum, !parts[index + 1].endsByItself else { continue }
        noteGrowth(
          "each match of this part waits for what follows, for ever if it does not come", at: cause.range,
          advice: "guard what follows: -> (… where timer:within(10 min)), or bound the number that wait: -[1000]>")
        break
      }
      for part in parts { check(part, isGuarded: isGuarded) }
    case .repeated(_, let high, _, let inner, let until):
      if !isGuarded, high == nil, let until, !until.endsByItself {
        noteGrowth("the repeat keeps every match until its end comes", at: pattern.range, advice: guardAdvice)
      }
      check(inner, isGuarded: isGuarded)
      if let until { check(until, isGuarded: isGuarded) }
    }
  }
}

/// Named windows and tables, which other statements may empty.
struct StoreBounds {
  private var stores: [(name: String, finding: Diagnostic)] = []
  private var emptied: Set<String> = []

  mutating func note(_ syntax: StatementSyntax, _ plan: StatementPlan, _ source: SourceText, contextEnds: Bool) {
    switch (syntax.body, plan.kind) {
    case (.createWindow(let create), .createWindow(let window)):
      guard !contextEnds, window.views.allSatisfy({ $0.growth != nil }), let view = create.views.first else { return }
      add(
        create.name.text, "nothing ever leaves the named window \"\(create.name.text)\"", "use a window that forgets, or an ON DELETE",
        view.range, source)
    case (.createTable(let create), .createTable(let table)):
      guard !contextEnds, table.columns.contains(where: \.isKey) else { return }
      add(
        create.name.text, "no row ever leaves the table \"\(create.name.text)\"",
        "delete rows: on … delete from \(create.name.text) where …", create.name.range, source)
    case (_, .on(let on)):
      switch on.action {
      case .delete(let window, _): emptied.insert(window)
      case .select(_, let window, let deletes): if deletes { emptied.insert(window) }
      case .merge(let window, _, let branches):
        if branches.contains(where: { $0.actions.contains { if case .delete = $0 { true } else { false } } }) { emptied.insert(window) }
      case .update, .set, .split: break
      }
    default: break
    }
  }

  private mutating func add(_ name: String, _ message: String, _ advice: String, _ range: SourceRange, _ source: SourceText) {
    stores.append(
      (name, Diagnostic(.warning, in: source, at: range, message: "state can grow without bound: " + message, suggestion: advice)))
  }

  var findings: [Diagnostic] { stores.filter { !emptied.contains($0.name) }.map(\.finding) }
}

extension ViewPlan {
  fileprivate var isWindow: Bool {
    switch self {
    case .grouped, .derived: false
    default: true
    }
  }

  /// Whether nothing is left of it some time after the last event.
  fileprivate var runsEmpty: Bool {
    switch self {
    case .grouped, .time, .timeAccumulating, .timeOrder: true
    default: false
    }
  }

  /// What can grow without bound in the window, and what to do about it.
  fileprivate var growth: (message: String, advice: String)? {
    switch self {
    case .keepAll: ("keepall keeps every event", "use a window that forgets: #time(10 min) or #length(10000)")
    case .unique: ("a unique window keeps an event for every key", "let it forget: #unique(…)#time(10 min)")
    case .firstUnique: ("a firstunique window keeps an event for every key", "let it forget: #firstunique(…)#time(10 min)")
    case .grouped: ("groupwin keeps a window for every key", "where keys come and go, use one window and GROUP BY: #time(10 min)")
    case .expression(let condition, let aggregates), .expressionBatch(let condition, _, let aggregates):
      !aggregates.isEmpty || condition.readsWindow
        ? nil : ("the window's expression does not look at the window", "bound it: current_count <= 10000")
    default: nil
    }
  }
}

extension Expression {
  fileprivate var readsWindow: Bool {
    var found = false
    visit { if case .variable(let name) = $0, name.hasSuffix("_count") || name.hasSuffix("_timestamp") { found = true } }
    return found
  }
}

extension SourcePlan {
  /// A stream that no window lets events leave, and that no store bounds.
  fileprivate var isEndless: Bool {
    switch kind {
    case .stream, .pattern: views.isEmpty
    case .window, .table: false
    }
  }
}

extension PatternSyntax {
  /// Whether the part can turn true again and again.
  fileprivate var comesAgain: Bool {
    switch kind {
    case .every, .everyDistinct: true
    case .guarded(let inner, let namespace, _, _): namespace.text != "timer" && inner.comesAgain
    case .whileGuard(let inner, _): inner.comesAgain
    case .and(let parts), .or(let parts), .followedBy(let parts, _): parts.contains(where: \.comesAgain)
    case .atom, .not, .repeated, .observer, .missing: false
    }
  }

  /// Whether the part ends after some time, whatever comes.
  fileprivate var endsByItself: Bool {
    switch kind {
    case .observer: true
    case .guarded(let inner, let namespace, _, _): namespace.text == "timer" || inner.endsByItself
    case .whileGuard(let inner, _): inner.endsByItself
    case .and(let parts): parts.contains(where: \.endsByItself) && parts.allSatisfy { $0.endsByItself || $0.isNot }
    case .or(let parts): parts.contains(where: \.endsByItself)
    case .followedBy(let parts, _): parts.allSatisfy(\.endsByItself)
    case .repeated(_, _, _, let inner, let until): until?.endsByItself ?? inner.endsByItself
    case .atom, .every, .everyDistinct, .not, .missing: false
    }
  }
  private var isNot: Bool { if case .not = kind { true } else { false } }
}

extension MatchRecognizePlan.Node {
  fileprivate func repeatsWithoutEnd(_ open: Set<Int>) -> Bool {
    switch self {
    case .variable: false
    case .sequence(let nodes), .alternation(let nodes), .permutation(let nodes): nodes.contains { $0.repeatsWithoutEnd(open) }
    case .repeated(.variable(let variable), _, nil, _): open.contains(variable)
    case .repeated(let inner, _, _, _): inner.repeatsWithoutEnd(open)
    }
  }
}

extension ContextPlan {
  /// Whether its partitions end at some time.
  var ends: Bool {
    switch kind {
    case .keyed, .hash, .category: false
    case .startEnd(_, _, let end), .initiatedTerminated(_, _, let end, _): if case .never = end { false } else { true }
    case .nested(let levels): levels.contains(where: \.ends)
    }
  }

  fileprivate var overlapsForEver: Bool {
    switch kind {
    case .initiatedTerminated(let start, _, .never, _): if case .never = start { false } else { true }
    case .nested(let levels): !levels.contains(where: \.ends) && levels.contains(where: \.overlapsForEver)
    case .initiatedTerminated, .startEnd, .keyed, .hash, .category: false
    }
  }

  fileprivate var keepsKeys: Bool {
    switch kind {
    case .keyed: true
    case .nested(let levels): levels.contains(where: \.keepsKeys) && !levels.contains(where: \.ends)
    case .hash, .category, .startEnd, .initiatedTerminated: false
    }
  }
}

extension ExpressionSyntax {
  fileprivate var isTimePeriod: Bool { if case .timePeriod = kind { true } else { false } }
}

extension GroupElementSyntax {
  fileprivate var range: SourceRange {
    switch self {
    case .expression(let expression): expression.range
    case .rollup(_, let range), .cube(_, let range), .groupingSets(_, let range), .combined(_, let range): range
    }
  }
}
