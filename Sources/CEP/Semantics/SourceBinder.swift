import Diagnostics
import EventModel
import Plan
import Syntax

/// The FROM clause.
extension StatementBinder {
  struct BoundSource {
    var plan: SourcePlan
    var stream: NameScope.Stream
  }

  /// - Parameters:
  ///   - number: the stream's number in the clause's expressions.
  ///   - outer: streams of an enclosing statement, which filters may not name but subqueries' conditions may.
  func bindSource(_ syntax: StreamSyntax, number: Int) -> BoundSource? {
    switch syntax.source {
    case .events(let filter): return eventSource(filter, syntax, number)
    case .pattern(let pattern):
      guard let plan = bindPattern(pattern) else { return nil }
      return finish(syntax, kind: .pattern(plan), type: plan.type, typeName: nil, number, hasStore: false)
    }
  }

  private func eventSource(_ filter: StreamFilterSyntax, _ syntax: StreamSyntax, _ number: Int) -> BoundSource? {
    let name = filter.eventType.text
    if let window = scope.windows[name] {
      // A statement without context reads what changes in the windows of all partitions.
      if self.syntax.context != nil { checkStore(filter.eventType) }
      let condition = bindFilter(filter, type: window.type, alias: syntax.alias?.text)
      return finish(syntax, kind: .window(name, filter: condition), type: window.type, typeName: name, number, hasStore: true)
    }
    if let table = scope.tables[name] {
      checkStore(filter.eventType)
      if let place = filter.conditions.first { report("a table takes no filter here", at: place.range, suggestion: "use WHERE") }
      if let view = syntax.views.first { report("a table has no windows: its rows stay until they are deleted", at: view.range) }
      return finish(syntax, kind: .table(name), type: table.type, typeName: name, number, hasStore: true)
    }
    guard let type = eventType(filter.eventType) else { return nil }
    let condition = bindFilter(filter, type: type, alias: syntax.alias?.text)
    return finish(syntax, kind: .stream(type, filter: condition), type: type, typeName: name, number, hasStore: false)
  }

  /// A named window or table of each partition of a context can be named in statements of that context.
  func checkStore(_ name: NameSyntax) {
    if spansPartitions { return }
    if let window = scope.windows[name.text] { return checkPartitions("named window", name.text, of: window.context, at: name.range) }
    checkPartitions("table", name.text, of: scope.tables[name.text]?.context, at: name.range)
  }

  private func finish(
    _ syntax: StreamSyntax, kind: SourcePlan.Kind, type: EventType, typeName: String?, _ number: Int, hasStore: Bool
  ) -> BoundSource? {
    let binder = ViewBinder(self, type: type, name: syntax.alias?.text ?? typeName)
    var views: [ViewPlan] = []
    var isWhole = true
    for view in syntax.views {
      if let bound = binder.bind(view) { views.append(bound) } else { isWhole = false }
    }
    let combination = combination(views, syntax.retain, at: syntax.range)
    // What a wrong view would give is not known; other windows leave the events as they are.
    if !isWhole, syntax.views.contains(where: { DerivedView(rawValue: $0.name.text) != nil }) { return nil }
    var rowType = type
    if case .derived(_, _, _, let derived)? = views.last { rowType = derived }
    for (view, syntax) in zip(views.dropLast(), syntax.views) {
      if case .derived = view { report("the view \"\(syntax.name.text)\" can only stand last", at: syntax.range) }
    }
    if isWhole { checkBounds(views, combination, syntax.views) }
    var plan = SourcePlan(
      name: syntax.alias?.text ?? typeName ?? "pattern", kind: kind, views: views, combination: combination,
      isUnidirectional: syntax.unidirectional, type: rowType)
    if rowType !== type { plan.viewedType = type }
    let stream = NameScope.Stream(
      number: number, alias: syntax.alias?.text, typeName: typeName, type: rowType, isWindowed: hasStore || !syntax.views.isEmpty,
      isViewed: !syntax.views.isEmpty, slides: slides(kind, views))
    return BoundSource(plan: plan, stream: stream)
  }

  private func slides(_ kind: SourcePlan.Kind, _ views: [ViewPlan]) -> Bool {
    switch kind {
    case .table: return true
    case .window(let name, _) where views.isEmpty: return scope.windows[name]?.views.contains(where: \.slides) ?? true
    default: return views.contains(where: \.slides) && !views.contains(where: \.isBatch)
    }
  }

  /// Several data windows on one source keep what all (or any) of them keep.
  func combination(_ views: [ViewPlan], _ retain: StreamSyntax.Retain?, at place: SourceRange) -> ViewCombination {
    let windows = views.filter { view in
      switch view {
      case .grouped, .derived: false
      default: true
      }
    }
    if let retain { return retain == .union ? .union : .intersection }
    return windows.count > 1 ? .intersection : .chain
  }

  /// The conditions in the parentheses after a type; nil where there are none.
  func bindFilter(_ filter: StreamFilterSyntax, type: EventType, alias: String?, tags: NameScope.Stream? = nil) -> Expression? {
    if filter.conditions.isEmpty { return nil }
    var names = NameScope()
    names.streams = [NameScope.Stream(number: 0, alias: alias, typeName: filter.eventType.text, type: type, isWindowed: false)]
    if let tags { names.outer = [tags] }
    if namesContextTags, let contextType {
      names.outer.append(NameScope.Stream(number: Expression.contextStream, alias: nil, typeName: nil, type: contextType))
    }
    names.contextType = contextType
    let binder = ExpressionBinder(self, names: names, clause: "a stream's filter")
    let bound = filter.conditions.map(binder.condition)
    if bound.contains(where: { $0.type.isFaulty }) { return nil }
    return bound.count == 1 ? bound[0] : Expression(.and(bound), .boolean)
  }

  /// The event type of a name; nil, and reported, where there is none.
  func eventType(_ name: NameSyntax) -> EventType? {
    if let window = scope.windows[name.text] { return window.type }
    if scope.tables[name.text] != nil {
      report("\"\(name.text)\" is a table, whose rows are no events", at: name.range)
      return nil
    }
    if let type = scope.types[name.text] { return type }
    reportUnknown("event type", name, among: scope.streamNames)
    return nil
  }
}

extension ViewPlan {
  fileprivate var isBatch: Bool {
    switch self {
    case .timeBatch, .externallyTimedBatch, .lengthBatch, .timeLengthBatch, .expressionBatch: true
    default: false
    }
  }

  /// Whether single events leave it.
  fileprivate var slides: Bool {
    switch self {
    case .keepAll, .firstTime, .firstLength, .firstUnique, .firstEvent, .grouped, .derived: false
    default: !isBatch
    }
  }
}
