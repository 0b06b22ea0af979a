internal import Builtins
internal import EventModel
internal import Plan

/// The first rows of groups, for `output first` with GROUP BY.
extension ResultProcessor {
  /// - Parameter passes: whether an event may be given for its group; asked once for each event in order (after HAVING).
  func firstOfGroups(_ changes: [RateLimiter.Change], passes: ([Value], Bool) -> Bool) throws(EvaluationError) -> Rows {
    if form == .rollup { return try firstOfLevels(changes, passes: passes) }
    var rows = Rows()
    var given: [(tuple: Tuple, group: Group)] = []
    var leaving: [Group] = []
    for change in changes {
      forgetBetweenChanges()
      let (newGroups, oldGroups) = (try groups(change.new), try groups(change.old))
      leaving += oldGroups
      if code.having != nil { try applyGrouped(change.new, newGroups, change.old, oldGroups) }
      let all = zip(change.new, newGroups).map { ($0, $1, true) } + zip(change.old, oldGroups).map { ($0, $1, false) }
      for (tuple, group, entering) in all {
        guard try passesHaving(tuple, group) else { continue }
        if passes(group.key, entering) {
          if let index = given.firstIndex(where: { $0.group === group }) {
            given[index].tuple = tuple
          } else {
            given.append((tuple, group))
            group.representative = tuple
            if code.givesOld, form == .rowPerGroup { rows.old += try self.rows(ofGroups: [group], isNew: false) }
          }
        }
        if code.having == nil { try apply(tuple, to: group, entering: entering) }
      }
    }
    for (tuple, group) in given { if let row = try row(of: tuple, in: group, isNew: true) { rows.new.append(row) } }
    reclaim(leaving)
    return rows
  }

  /// Whether HAVING, if there is one, lets a group with its newest row be given.
  private func passesHaving(_ tuple: Tuple, _ group: Group) throws(EvaluationError) -> Bool {
    guard let having = code.having else { return true }
    frame.load(tuple)
    frame.group = group
    frame.isNew = true
    return try having(frame).isTrue
  }

  /// The same for the groups of each level, which has intervals of its own.
  private func firstOfLevels(_ changes: [RateLimiter.Change], passes: ([Value], Bool) -> Bool) throws(EvaluationError) -> Rows {
    let levels = code.plan.grouping.levels
    var given = levels.map { _ in [Group]() }
    var rows = Rows()
    var oldKeysOfAll: [[Value]] = []
    for change in changes {
      forgetBetweenChanges()
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      oldKeysOfAll += oldKeys
      if code.having != nil { try applyLevels(change.new, newKeys, change.old, oldKeys) }
      let all = zip(change.new, newKeys).map { ($0, $1, true) } + zip(change.old, oldKeys).map { ($0, $1, false) }
      for (tuple, key, entering) in all {
        for (number, level) in levels.enumerated() {
          let group = tables[number].group(levelKey(key, level))
          frame.level = level
          guard try passesHaving(tuple, group) else { continue }
          guard passes([.int(Int64(number))] + group.key, entering) else { continue }
          group.representative = tuple
          if given[number].contains(where: { $0 === group }) { continue }
          given[number].append(group)
          if code.givesOld { rows.old += try self.rows(ofGroups: [group], isNew: false) }
        }
        if code.having == nil {
          try applyLevels(entering ? [tuple] : [], entering ? [key] : [], entering ? [] : [tuple], entering ? [] : [key])
        }
      }
    }
    rows.new = try levelRows(given, isNew: true)
    reclaimLevels(oldKeysOfAll)
    return rows
  }
}
