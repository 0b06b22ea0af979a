internal import Builtins
internal import EventModel
internal import Plan

/// What the changes of an interval amount to, for `output last`, `all` and `first` by group.
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
    let before = code.givesOld ? try wholeRow(isNew: false) : []
    for change in changes { try apply(change.new, change.old) }
    return Rows(new: try wholeRow(isNew: true), old: before)
  }

  /// Groups in order of first appearance within the interval; what a group was before its first change is old.
  private func lastOfGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var touched: [Group] = []
    var seen = Set<ObjectIdentifier>()
    var rows = Rows()
    var oldKeysOfAll: [[Value]] = []
    for change in changes {
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      for (tuple, key) in zip(change.new + change.old, newKeys + oldKeys) {
        let group = tables[0].group(key)
        group.representative = tuple
        if seen.insert(ObjectIdentifier(group)).inserted {
          touched.append(group)
          if code.givesOld { rows.old += try self.rows(ofGroups: [group], isNew: false) }
        }
      }
      try applyGrouped(change.new, newKeys, change.old, oldKeys)
      oldKeysOfAll += oldKeys
    }
    rows.new = try self.rows(ofGroups: touched, isNew: true)
    reclaim(oldKeysOfAll)
    return rows
  }

  private func lastEventsOfGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var new = OrderedRows()
    var old = OrderedRows()
    for change in changes {
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      try applyGrouped(change.new, newKeys, change.old, oldKeys)
      for (tuple, key) in zip(change.new, newKeys) { if let row = try groupedRow(tuple, key, isNew: true) { new.set(key, row) } }
      if code.givesOld {
        for (tuple, key) in zip(change.old, oldKeys) { if let row = try groupedRow(tuple, key, isNew: false) { old.set(key, row) } }
      }
      reclaim(oldKeys)
    }
    return Rows(new: new.rows, old: old.rows)
  }

  private func groupedRow(_ tuple: Tuple, _ key: [Value], isNew: Bool) throws(EvaluationError) -> Row? {
    frame.isNew = isNew
    frame.load(tuple)
    frame.group = tables[0].find(key) ?? tables[0].newGroup(key)
    return try currentRow()
  }

  private func lastOfLevels(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    let levels = code.plan.grouping.levels
    var touched = levels.map { _ in [Group]() }
    var old: [Row] = []
    for change in changes {
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      for (number, level) in levels.enumerated() {
        for (tuple, key) in zip(change.new + change.old, newKeys + oldKeys) {
          let group = tables[number].group(level.map { key[$0] })
          group.representative = tuple
          if touched[number].contains(where: { $0 === group }) { continue }
          touched[number].append(group)
          if code.givesOld {
            frame.level = level
            old += try rows(ofGroups: [group], isNew: false)
          }
        }
        for (tuple, key) in zip(change.new, newKeys) { try apply(tuple, to: tables[number].group(level.map { key[$0] }), entering: true) }
        for (tuple, key) in zip(change.old, oldKeys) { try apply(tuple, to: tables[number].group(level.map { key[$0] }), entering: false) }
      }
    }
    let new = try levelRows(touched, isNew: true)
    for (number, groups) in touched.enumerated() { for group in groups where group.count <= 0 { tables[number].remove(group.key) } }
    return Rows(new: new, old: old)
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
    case .rollup: return try lastOfLevels(changes)
    }
  }

  private func allGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var rows = Rows()
    var oldKeysOfAll: [[Value]] = []
    if code.givesOld { rows.old = try self.rows(ofGroups: everSeen.groups(tables[0]), isNew: false) }
    for change in changes {
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      for (tuple, key) in zip(change.new + change.old, newKeys + oldKeys) {
        let group = tables[0].group(key)
        group.representative = tuple
        if everSeen.set(key, tuple), code.givesOld { rows.old += try self.rows(ofGroups: [group], isNew: false) }
      }
      try applyGrouped(change.new, newKeys, change.old, oldKeys)
      oldKeysOfAll += oldKeys
    }
    rows.new = try self.rows(ofGroups: everSeen.groups(tables[0]), isNew: true)
    reclaim(oldKeysOfAll)
    return rows
  }

  private func allEventsAndGroups(_ changes: [RateLimiter.Change]) throws(EvaluationError) -> Rows {
    var rows = Rows()
    var hadEvents = Set<[Value]>()
    for change in changes {
      let newKeys = try keys(change.new)
      for (tuple, key) in zip(change.new, newKeys) {
        hadEvents.insert(key)
        _ = everSeen.set(key, tuple)
      }
      let part = try process(new: change.new, old: change.old)
      rows.new += part.new
      rows.old += part.old
    }
    for (key, tuple) in everSeen.entries where !hadEvents.contains(key) {
      if let row = try groupedRow(tuple, key, isNew: true) { rows.new.append(row) }
    }
    return rows
  }

  // MARK: First by group

  /// - Parameter passes: whether an event may be given for its group; asked once for each event in order (after HAVING).
  func firstOfGroups(_ changes: [RateLimiter.Change], passes: ([Value], Bool) -> Bool) throws(EvaluationError) -> Rows {
    var rows = Rows()
    var given: [(tuple: Tuple, group: Group)] = []
    var oldKeysOfAll: [[Value]] = []
    for change in changes {
      let newKeys = try keys(change.new)
      let oldKeys = try keys(change.old)
      oldKeysOfAll += oldKeys
      if code.having != nil { try applyGrouped(change.new, newKeys, change.old, oldKeys) }
      let all = zip(change.new, newKeys).map { ($0, $1, true) } + zip(change.old, oldKeys).map { ($0, $1, false) }
      for (tuple, key, entering) in all {
        let group = tables[0].group(key)
        if let having = code.having {
          frame.load(tuple)
          frame.group = group
          frame.isNew = true
          guard try having(frame).isTrue else { continue }
        }
        if passes(key, entering) {
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
    for (tuple, group) in given {
      frame.isNew = true
      frame.load(tuple)
      frame.group = group
      if let row = try currentRow() { rows.new.append(row) }
    }
    reclaim(oldKeysOfAll)
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
