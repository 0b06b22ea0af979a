import Diagnostics
import EventModel
import Plan
import Syntax

/// ON triggers. Over a window or table its row is stream 0 and the trigger's event stream 1.
extension StatementBinder {
  func bindOn(_ syntax: OnSyntax) -> OnPlan? {
    guard let trigger = bindSource(syntax.trigger, number: 1) else { return nil }
    var plan = trigger.plan
    if plan.name.isEmpty { plan.name = "trigger" }
    let action: OnPlan.Action? =
      switch syntax.action {
      case .select(let select): onSelect(select, trigger)
      case .delete(let delete):
        target(delete.target).flatMap { stored in
          let names = names(stored, trigger)
          let filter = delete.whereClause.map { ExpressionBinder(self, names: names, clause: "the WHERE clause").condition($0) }
          return .delete(window: stored.typeName ?? "", filter: filter)
        }
      case .update(let update): onUpdate(update, trigger)
      case .merge(let merge): onMerge(merge, trigger)
      case .set(let assignments): onSet(assignments, trigger)
      case .split(let branches, let all): split(branches, all, trigger)
      }
    guard let action, !diagnostics.hasErrors, !isFollowing else { return nil }
    return OnPlan(trigger: plan, action: action)
  }

  /// The window's or table's row as stream 0.
  func target(_ syntax: TargetSyntax) -> NameScope.Stream? {
    guard let type = scope.windows[syntax.name.text]?.type ?? scope.tables[syntax.name.text]?.type else {
      reportUnknown("named window or table", syntax.name, among: (Array(scope.windows.keys) + Array(scope.tables.keys)).sorted())
      return nil
    }
    checkStore(syntax.name)
    return NameScope.Stream(number: 0, alias: syntax.alias?.text, typeName: syntax.name.text, type: type)
  }

  private func names(_ stored: NameScope.Stream, _ trigger: BoundSource) -> NameScope {
    var names = NameScope()
    names.streams = [stored, trigger.stream]
    names.contextType = contextType
    return names
  }

  private func trigger(_ trigger: BoundSource) -> NameScope {
    var names = NameScope()
    var stream = trigger.stream
    stream.number = 0
    names.streams = [stream]
    names.contextType = contextType
    return names
  }

  // MARK: select

  private func onSelect(_ syntax: OnSelectSyntax, _ trigger: BoundSource) -> OnPlan.Action? {
    let query = syntax.query
    guard let from = query.from.first, case .events(let filter) = from.source else {
      report("ON … SELECT needs FROM with a named window or table", at: query.range)
      return nil
    }
    guard let stored = target(TargetSyntax(name: filter.eventType, alias: from.alias)) else { return nil }
    let window = filter.eventType.text
    let kind: SourcePlan.Kind = scope.windows[window] != nil ? .window(window, filter: nil) : .table(window)
    let source = BoundSource(plan: SourcePlan(name: stored.alias ?? window, kind: kind, type: stored.type), stream: stored)
    var windowed = trigger
    windowed.stream.isWindowed = true
    var own = query
    own.from = [from, from]
    own.joins = [nil]
    if own.selection.items.count == 1, case .wildcard = own.selection.items[0].kind, let name = stored.names.first {
      // `*` means the window's rows, not the pairs of row and trigger.
      own.selection.items[0].kind = .streamWildcard(NameSyntax(name, own.selection.items[0].range))
    }
    return SelectBinder(self, own, [source, windowed]).bind().map { .select($0, window: window, deletes: syntax.andDelete) }
  }

  // MARK: update and set

  /// `set v = w.v + 1`: properties of the window's row.
  func assignments(_ list: [AssignmentSyntax], _ stored: NameScope.Stream, _ binder: ExpressionBinder) -> [Assignment] {
    list.compactMap { syntax in
      var name = syntax.target.text
      for prefix in stored.names where name.hasPrefix(prefix + ".") && stored.type.index(of: name) == nil {
        name = String(name.dropFirst(prefix.count + 1))
      }
      guard let index = stored.type.index(of: name) else {
        report(
          "\"\(stored.typeName ?? stored.type.name)\" has no property \"\(name)\"", at: syntax.target.range,
          suggestion: didYouMean(name, among: stored.type.properties.map(\.name)))
        return nil
      }
      let value = binder.bind(syntax.value)
      var wanted = stored.type.properties[index].type
      var target = Assignment.Target.property(index)
      if let place = syntax.index {
        target = .element(property: index, index: binder.bind(place))
        wanted = wanted.element ?? .faulty
      }
      guard isAssignable(value.type, to: wanted) else {
        report("the property \"\(name)\" is \(wanted.quoted), the value \(value.type.quoted)", at: syntax.value.range)
        return nil
      }
      return Assignment(target, converted(value, to: wanted))
    }
  }

  private func onUpdate(_ syntax: UpdateSyntax, _ trigger: BoundSource) -> OnPlan.Action? {
    guard let stored = target(syntax.target) else { return nil }
    var names = names(stored, trigger)
    let filter = syntax.whereClause.map { ExpressionBinder(self, names: names, clause: "the WHERE clause").condition($0) }
    names.prefixed = [NameScope.Stream(number: 2, alias: "initial", typeName: nil, type: stored.type)]
    let assignments = assignments(syntax.assignments, stored, ExpressionBinder(self, names: names, clause: "the SET clause"))
    return .update(window: syntax.target.name.text, assignments, filter: filter)
  }

  private func onSet(_ list: [AssignmentSyntax], _ trigger: BoundSource) -> OnPlan.Action? {
    .set(variableAssignments(list, ExpressionBinder(self, names: self.trigger(trigger), clause: "the SET clause")))
  }

  // MARK: merge

  private func onMerge(_ syntax: MergeSyntax, _ trigger: BoundSource) -> OnPlan.Action? {
    guard let stored = target(syntax.target) else { return nil }
    let names = names(stored, trigger)
    let window = syntax.target.name.text
    let filter = syntax.whereClause.map { ExpressionBinder(self, names: names, clause: "the WHERE clause").condition($0) }
    var branches = syntax.branches.map { branch in
      MergeBranch(
        isMatched: branch.matched,
        condition: branch.condition.map { ExpressionBinder(self, names: names, clause: "a WHEN condition").condition($0) },
        actions: branch.actions.compactMap { mergeAction($0, stored, names, trigger, isMatched: branch.matched) })
    }
    if let insert = syntax.insertOnly, let action = mergeInsert(insert, stored, names, trigger, isMatched: false) {
      branches = [MergeBranch(isMatched: false, condition: nil, actions: [action])]
    }
    return .merge(window: window, filter: filter, branches)
  }

  private func mergeAction(
    _ syntax: MergeActionSyntax, _ stored: NameScope.Stream, _ names: NameScope, _ trigger: BoundSource, isMatched: Bool
  ) -> MergeBranch.Action? {
    let condition = { (clause: ExpressionSyntax?) in
      clause.map { ExpressionBinder(self, names: names, clause: "the WHERE clause").condition($0) }
    }
    switch syntax {
    case .delete(let clause): return .delete(where: condition(clause))
    case .update(let list, let clause):
      var own = names
      own.prefixed = [NameScope.Stream(number: 2, alias: "initial", typeName: nil, type: stored.type)]
      let assignments = assignments(list, stored, ExpressionBinder(self, names: own, clause: "the SET clause"))
      return .update(assignments, where: condition(clause))
    case .insert(let insert): return mergeInsert(insert, stored, names, trigger, isMatched: isMatched)
    }
  }

  private func mergeInsert(
    _ syntax: MergeInsertSyntax, _ stored: NameScope.Stream, _ names: NameScope, _ trigger: BoundSource, isMatched: Bool
  ) -> MergeBranch.Action? {
    var own = names
    // Where nothing matched there is no row: only the trigger's properties can be named.
    if !isMatched { own.streams = [trigger.stream] }
    let columns = ColumnBinder(ExpressionBinder(self, names: own, clause: "the SELECT clause")).bind(syntax.items).columns
    if columns.contains(where: { $0.type.isFaulty }) { return nil }
    var named = columns
    if !syntax.columns.isEmpty {
      guard syntax.columns.count == columns.count else {
        report("INSERT names \(syntax.columns.count) columns, SELECT gives \(columns.count)", at: syntax.range)
        return nil
      }
      for (index, name) in syntax.columns.enumerated() { named[index].name = name.text }
    }
    let target = syntax.into ?? NameSyntax(stored.typeName ?? "", syntax.range)
    let properties = named.map { EventType.Property($0.name, $0.type) }
    guard let insert = InsertBinder(self).insert(target, properties, source: nil, .insert, columns: named) else { return nil }
    let condition = syntax.whereClause.map { ExpressionBinder(self, names: own, clause: "the WHERE clause").condition($0) }
    return .insert(columns: named, insert, where: condition)
  }

  // MARK: split and update istream

  private func split(_ branches: [SplitBranchSyntax], _ all: Bool, _ trigger: BoundSource) -> OnPlan.Action? {
    var source = trigger
    source.stream.number = 0
    let plans = branches.compactMap { branch -> SelectPlan? in
      let selection = SelectClauseSyntax(selector: nil, distinct: false, items: branch.items, range: branch.range)
      let query = SelectSyntax(
        insertInto: branch.insertInto, selection: selection, from: [], whereClause: branch.whereClause, range: branch.range)
      return SelectBinder(self, query, [source]).bind()
    }
    return plans.count == branches.count ? .split(plans, all: all) : nil
  }

  func bindUpdateStream(_ syntax: UpdateStreamSyntax) -> UpdateStreamPlan? {
    guard let type = eventType(syntax.target.name) else { return nil }
    let stream = NameScope.Stream(number: 0, alias: syntax.target.alias?.text, typeName: syntax.target.name.text, type: type)
    var names = NameScope()
    names.streams = [stream]
    names.contextType = contextType
    let filter = syntax.whereClause.map { ExpressionBinder(self, names: names, clause: "the WHERE clause").condition($0) }
    let assignments = assignments(syntax.assignments, stream, ExpressionBinder(self, names: names, clause: "the SET clause"))
    return diagnostics.hasErrors || isFollowing ? nil : UpdateStreamPlan(type: type, assignments: assignments, filter: filter)
  }
}
