internal import Builtins
internal import EventModel
internal import Plan

typealias PreviousKind = Expression.Previous.Kind

/// Views one behind the other.
final class ViewChain {
  let views: [View]
  var first: View { views[0] }
  var last: View { views[views.count - 1] }

  init(_ views: [View]) {
    self.views = views
    for (view, following) in zip(views, views.dropFirst()) { view.next = ViewReceiver(following) }
  }

  func start() throws(EvaluationError) { for view in views { try view.start() } }
  func stop() { for view in views { view.stop() } }
  func discard(_ events: [Event]) { for view in views { view.discard(events) } }
  func exchange(_ archive: StateArchive) { for view in views { view.exchange(archive) } }
  var contents: [Event] { last.contents }
  /// Whether rows go on in batches.
  var isBatch: Bool { views.contains { $0.isBatch } }
  /// Whether a change of nothing is passed on, as in the original: not by batches, nor by windows that choose what to let in.
  var passesNothingOn: Bool { !isBatch && !choosesEntrants }
  /// Whether it may refuse an event.
  var choosesEntrants: Bool { views.contains { $0 is FirstUniqueView || $0 is FirstLengthView || $0 is FirstTimeView } }
  var history: History? { views.lazy.compactMap(\.history).first }
}

/// Builds windows from their plans.
struct ViewBuilder {
  let compiler: ExpressionCompiler
  let site: ViewSite

  /// Nil for no views.
  func chain(_ plans: [ViewPlan], _ combination: ViewCombination) throws(DeploymentError) -> ViewChain? {
    if plans.isEmpty { return nil }
    if case .grouped(let keys) = plans[0] {
      let rest = Array(plans.dropFirst())
      let evaluators = try compiler.compile(keys)
      // Built once now, so that a mistake shows at deployment.
      _ = try inner(rest, combination)
      return ViewChain([
        GroupedView(keys: evaluators, site: site) { () throws(EvaluationError) in
          do throws(DeploymentError) { return try inner(rest, combination) } catch { throw EvaluationError(error.description) }
        }
      ])
    }
    return try inner(plans, combination)
  }

  private func inner(_ plans: [ViewPlan], _ combination: ViewCombination) throws(DeploymentError) -> ViewChain {
    if plans.isEmpty { return ViewChain([PassView()]) }
    var views: [View] = []
    for plan in plans { views.append(try view(plan)) }
    if views.count < 2 || combination == .chain { return ViewChain(views) }
    // What is derived stands behind all windows.
    let derived = views.count > 1 && views[views.count - 1] is DerivedRowView ? views.removeLast() : nil
    if views.count == 1 { return ViewChain(views + (derived.map { [$0] } ?? [])) }
    let batch = views.firstIndex { $0.isBatch }
    let combined = CombinedView(parts: views.map { ViewChain([$0]) }, isUnion: combination == .union, batch: batch)
    return ViewChain([combined] + (derived.map { [$0] } ?? []))
  }

  private func view(_ plan: ViewPlan) throws(DeploymentError) -> View {
    switch plan {
    case .time(let period): return TimeView(interval: try interval(period), site: site)
    case .timeBatch(let period, let reference, let flags):
      return TimeBatchView(
        interval: try interval(period), reference: try reference.map { r throws(DeploymentError) in Int64(try number(r)) },
        manner: .init(forcesUpdate: !flags.isEmpty, startsEager: flags.contains(.startEager)), site: site)
    case .externallyTimed(let timestamp, let period):
      return ExternallyTimedView(interval: try interval(period), timestamp: try compile(timestamp), site: site)
    case .externallyTimedBatch(let timestamp, let period, let reference):
      return ExternallyTimedBatchView(
        interval: try interval(period), timestamp: try compile(timestamp),
        reference: try reference.map { r throws(DeploymentError) in Int64(try number(r)) }, site: site)
    case .length(let size): return LengthView(size: try self.size(size))
    case .lengthBatch(let size): return LengthBatchView(size: try self.size(size))
    case .timeLengthBatch(let period, let size, let flags):
      return TimeLengthBatchView(
        interval: try interval(period), size: try self.size(size),
        manner: .init(forcesUpdate: flags.contains(.forceUpdate), startsEager: flags.contains(.startEager)), site: site)
    case .timeAccumulating(let period): return TimeAccumulatingView(interval: try interval(period), site: site)
    case .firstTime(let period): return FirstTimeView(interval: try interval(period), site: site)
    case .firstLength(let size): return FirstLengthView(size: try self.size(size))
    case .keepAll: return KeepAllView()
    case .unique(let keys): return UniqueView(keys: try compile(keys), site: site)
    case .firstUnique(let keys): return FirstUniqueView(keys: try compile(keys), site: site)
    case .lastEvent: return LastEventView()
    case .firstEvent: return FirstLengthView(size: 1)
    case .sort(let size, let keys): return SortView(size: try self.size(size), ordering: try ordering(keys), site: site)
    case .rank(let unique, let size, let keys):
      return RankView(size: try self.size(size), unique: try compile(unique), ordering: try ordering(keys), site: site)
    case .grouped: throw DeploymentError("std:groupwin must be the first view")
    case .timeOrder(let timestamp, let period):
      return TimeOrderView(interval: try interval(period), timestamp: try compile(timestamp), site: site)
    case .derived(let kind, let values, let others, let type):
      return DerivedRowView(kind, values: try compile(values), others: try compile(others), type: type, site: site)
    case .expression(let expression, let aggregates): return try ExpressionView(expression, aggregates, compiler, site)
    case .expressionBatch(let expression, let includesTrigger, let aggregates):
      return try ExpressionBatchView(expression, aggregates, compiler, site, includesTrigger: includesTrigger)
    }
  }

  private func compile(_ expression: Expression) throws(DeploymentError) -> Evaluator {
    try compiler.compile(expression)
  }
  private func compile(_ expressions: [Expression]) throws(DeploymentError) -> [Evaluator] {
    try compiler.compile(expressions)
  }
  private func ordering(_ keys: [OrderKey]) throws(DeploymentError) -> Ordering {
    Ordering(keys: try compile(keys.map(\.expression)), descending: keys.map(\.descending))
  }
  private func number(_ expression: Expression) throws(DeploymentError) -> Int {
    let evaluator = try compile(expression)
    do throws(EvaluationError) {
      guard let number = try evaluator(site.frame).integer else { throw EvaluationError("a window's size is null") }
      return Int(number)
    } catch { throw DeploymentError(error.description) }
  }
  /// A size that a variable gives may be anything.
  private func size(_ expression: Expression) throws(DeploymentError) -> Int { max(0, try number(expression)) }
  private func interval(_ period: TimePeriod) throws(DeploymentError) -> Interval {
    let evaluator = try PeriodEvaluator(period, compiler)
    do throws(EvaluationError) { return try evaluator.interval(site.frame) } catch { throw DeploymentError(error.description) }
  }
}

/// Lets everything through.
final class PassView: View {
  override func update(new: [Event], old: [Event]) throws(EvaluationError) { try pass(new: new, old: old) }
  override func exchange(_ archive: StateArchive) {}
}

/// A statement that cannot be deployed.
public struct DeploymentError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// Where in the module the statement begins that could not be deployed.
  public var line: Int?
  public init(_ description: String, line: Int? = nil) {
    self.description = description
    self.line = line
  }
}
