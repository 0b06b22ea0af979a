internal import Builtins
internal import EventModel
internal import Plan

/// What the changes of an interval amount to, for `output last` and `all`.
extension ResultProcessor {
  /// The last row (of each group).
  func last(of changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    switch form {
    case .rowPerEvent, .aggregatedRowPerEvent:
      var rows = Rows()
      for change in changes {
        let part = try process(new: change.new, old: change.old)
        if let last = part.new.last { rows.new = [last] }
        if let last = part.old.last { rows.old = [last] }
      }
      return rows
    case .rowForAll: return try lastForAll(changes)
    case .rowPerGroup: return try lastOfGroups(changes)
    case .groupedRowPerEvent: return try lastEventsOfGroups(changes)
    case .rollup: return try lastOfLevels(changes)
    }
  }

  private func lastForAll(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var before = code.givesOld ? try wholeRow(isNew: false) : []
    for (number, change) in changes.enumerated() {
      forgetBetweenChanges()
      // The first row that HAVING lets pass.
      if number > 0, before.isEmpty, code.givesOld { before = try wholeRow(isNew: false) }
      try apply(change.new, change.old)
    }
    return Rows(new: try wholeRow(isNew: true), old: before)
  }

  /// Groups in order of first appearance within the interval; what a group was before its first change is old.
  private func lastOfGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var touched: [Group] = []
    var seen = Set<ObjectIdentifier>()
    var rows = Rows()
    var leaving: [Group] = []
    for change in changes {
      forgetBetweenChanges()
      let (newGroups, oldGroups) = (try groups(change.new), try groups(change.old))
      for group in self.touched(change.new, newGroups, change.old, oldGroups) where seen.insert(ObjectIdentifier(group)).inserted {
        touched.append(group)
        if code.givesOld { rows.old += try self.rows(ofGroups: [group], isNew: false) }
      }
      try applyGrouped(change.new, newGroups, change.old, oldGroups)
      leaving += oldGroups
    }
    rows.new = try self.rows(ofGroups: touched, isNew: true)
    reclaim(leaving)
    return rows
  }

  private func lastEventsOfGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var new = OrderedRows()
    var old = OrderedRows()
    for change in changes {
      forgetBetweenChanges()
      let (newGroups, oldGroups) = (try groups(change.new), try groups(change.old))
      try applyGrouped(change.new, newGroups, change.old, oldGroups)
      for (tuple, group) in zip(change.new, newGroups) {
        if let row = try row(of: tuple, in: group, isNew: true) { new.set(group.key, row) }
      }
      if code.givesOld {
        for (tuple, group) in zip(change.old, oldGroups) {
          if let row = try row(of: tuple, in: group, isNew: false) { old.set(group.key, row) }
        }
      }
      reclaim(oldGroups)
    }
    return Rows(new: new.rows, old: old.rows)
  }

  /// - Parameter ofAll: rows of all groups that ever were, not only of those that changed.
  private func lastOfLevels(_ changes: [RateLimiter.Change], ofAll: Bool = false) throws(EvaluationError) -> Rows {
    let levels = code.plan.grouping.levels
    var touched = levels.map { _ in SeenGroups() }
    let groups = { (seen: [SeenGroups]) in levels.indices.map { seen[$0].groups(self.tables[$0]) } }
    var rows = Rows(old: ofAll && code.givesOld ? try levelRows(groups(everSeen), isNew: false) : [])
    var oldKeysOfAll: [[Value]] = []
    for change in changes {
      forgetBetweenChanges()
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      oldKeysOfAll += oldKeys
      for (number, level) in levels.enumerated() {
        for (tuple, key) in zip(change.new + change.old, newKeys + oldKeys) {
          let group = tables[number].group(levelKey(key, level))
          group.representative = tuple
          guard ofAll ? everSeen[number].set(group.key, tuple) : touched[number].set(group.key, tuple), code.givesOld else { continue }
          frame.level = level
          rows.old += try self.rows(ofGroups: [group], isNew: false)
        }
      }
      try applyLevels(change.new, newKeys, change.old, oldKeys)
    }
    rows.new = try levelRows(groups(ofAll ? everSeen : touched), isNew: true)
    reclaimLevels(oldKeysOfAll)
    return rows
  }

  // MARK: All

  /// The rows of each change, one after the other. One row for all is given even if nothing changed.
  func each(of changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    if form == .rowForAll, changes.isEmpty {
      return Rows(new: try wholeRow(isNew: true), old: code.givesOld ? try wholeRow(isNew: false) : [])
    }
    var rows = Rows()
    for change in changes {
      let part = try process(new: change.new, old: change.old)
      rows.new += part.new
      rows.old += part.old
    }
    return rows
  }

  /// Every row of the interval, and a row for each group that had none.
  func all(of changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    switch form {
    case .rowPerEvent, .aggregatedRowPerEvent, .rowForAll: return try each(of: changes)
    case .rowPerGroup: return try allGroups(changes)
    case .groupedRowPerEvent: return try allEventsAndGroups(changes)
    case .rollup: return try lastOfLevels(changes, ofAll: true)
    }
  }

  private func allGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var rows = Rows()
    var leaving: [Group] = []
    if code.givesOld { rows.old = try self.rows(ofGroups: everSeen[0].groups(tables[0]), isNew: false) }
    for change in changes {
      forgetBetweenChanges()
      let (newGroups, oldGroups) = (try groups(change.new), try groups(change.old))
      for (tuple, group) in zip(change.new + change.old, newGroups + oldGroups) {
        group.representative = tuple
        if everSeen[0].set(group.key, tuple), code.givesOld { rows.old += try self.rows(ofGroups: [group], isNew: false) }
      }
      try applyGrouped(change.new, newGroups, change.old, oldGroups)
      leaving += oldGroups
    }
    rows.new = try self.rows(ofGroups: everSeen[0].groups(tables[0]), isNew: true)
    reclaim(leaving)
    return rows
  }

  private func allEventsAndGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var rows = Rows()
    var hadEvents = Set<[Value]>()
    for change in changes {
      forgetBetweenChanges()
      let newKeys = try keys(change.new)
      for (tuple, key) in zip(change.new, newKeys) {
        hadEvents.insert(key)
        _ = everSeen[0].set(key, tuple)
      }
      let part = try process(new: change.new, old: change.old)
      rows.new += part.new
      rows.old += part.old
    }
    for (key, tuple) in everSeen[0].entries where !hadEvents.contains(key) {
      if let row = try row(of: tuple, in: tables[0].find(key) ?? tables[0].newGroup(key), isNew: true) { rows.new.append(row) }
    }
    return rows
  }
}

/// Rows by group, in order of first appearance.
private struct OrderedRows {
  private var positions: [[Value]: Int] = [:]
  private(set) var rows: [Row] = []
  mutating func set(_ key: [Value], _ row: Row) {
    if let position = positions[key] {
      rows[position] = row
    } else {
      positions[key] = rows.count
      rows.append(row)
    }
  }
}

/// Every group that ever was, with its last row.
struct SeenGroups {
  private var positions: [[Value]: Int] = [:]
  private(set) var entries: [(key: [Value], tuple: Tuple)] = []

  /// - Returns: whether the group is new.
  mutating func set(_ key: [Value], _ tuple: Tuple) -> Bool {
    if let position = positions[key] {
      entries[position].tuple = tuple
      return false
    }
    positions[key] = entries.count
    entries.append((key, tuple))
    return true
  }

  /// Forgets the first of them.
  mutating func shed(_ share: Double) -> Int {
    let count = StatementShare.of(entries.count, share)
    if count == 0 { return 0 }
    entries.removeFirst(count)
    positions = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
    return count
  }

  mutating func exchange(_ archive: StateArchive) {
    if archive.isMeasuring {
      let event = entries.first?.tuple.first
      return archive.note(entries: entries.count, of: 216 + (event.map { 16 * $0.count } ?? 0))
    }
    var keys = entries.map(\.key)
    archive.array(&keys, blank: []) { archive.values(&$0) }
    var tuples = entries.map(\.tuple)
    archive.tuples(&tuples)
    guard archive.isRestoring else { return }
    self = SeenGroups()
    for (key, tuple) in zip(keys, tuples) { _ = set(key, tuple) }
  }

  func groups(_ table: GroupTable) -> [Group] {
    entries.map { entry in
      // One that is empty is made for its row alone.
      let group = table.find(entry.key) ?? table.newGroup(entry.key)
      group.representative = entry.tuple
      return group
    }
  }
}
