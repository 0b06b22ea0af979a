internal import Builtins
internal import EventModel
internal import Plan

/// An output row with the keys that order it.
struct Row {
  let event: Event
  let keys: [Value]
}

/// The rows of one change.
struct Rows {
  var new: [Row] = []
  var old: [Row] = []
  var isEmpty: Bool { new.isEmpty && old.isEmpty }
}

/// Turns the rows that enter and leave into output rows, by the statement's form of aggregation and grouping.
final class ResultProcessor {
  let code: SelectCode
  let frame: Frame
  let form: GroupingPlan.Form
  /// One table per level: one level but for rollup.
  let tables: [GroupTable]
  /// The only group of a statement without keys.
  let whole: Group
  /// A unidirectional join aggregates over each change by itself.
  private let forgetsBetweenChanges: Bool
  private let unforgetting: [Int]
  /// Told of every row that stands for a group: `into table`.
  var onGroupRow: ((Group, Event) -> Void)?
  /// The number of the pass that marks groups.
  var markCount = 0
  /// For `output all`, of each level.
  var everSeen: [SeenGroups]

  /// - Parameter forgets: each change is aggregated by itself.
  init(_ code: SelectCode, _ frame: Frame, seed: UInt64, forgets: Bool = false) {
    self.code = code
    self.frame = frame
    form = code.plan.grouping.form
    unforgetting = code.aggregates.indices.filter { !code.aggregates[$0].canForget }
    let levels = form == .rollup ? code.plan.grouping.levels.count : 1
    tables = (0..<levels).map { _ in GroupTable(code.aggregates, seed: seed) }
    everSeen = Array(repeating: SeenGroups(), count: levels)
    whole = tables[0].newGroup([])
    forgetsBetweenChanges = forgets || code.plan.sources.count > 1 && code.plan.sources.contains(where: \.isUnidirectional)
  }

  func shed(_ share: Double) -> Int { tables.reduce(0) { $0 + $1.shed(share) } }

  /// For `output all`: groups are forgotten in the order in which they first came.
  func shedSeen(_ share: Double) -> Int { everSeen.indices.reduce(0) { $0 + everSeen[$1].shed(share) } }

  func exchange(_ archive: StateArchive) {
    for table in tables { table.exchange(archive) }
    whole.exchange(archive)
    for level in everSeen.indices { everSeen[level].exchange(archive) }
  }

  /// Before each change, where that is aggregated by itself.
  func forgetBetweenChanges() {
    guard forgetsBetweenChanges else { return }
    for table in tables { table.removeAll() }
    whole.clear()
  }

  func process(new: [Tuple], old: [Tuple]) throws(EvaluationError) -> Rows {
    forgetBetweenChanges()
    switch form {
    case .rowPerEvent:
      frame.group = nil
      return Rows(new: try rows(new, isNew: true), old: code.givesOld ? try rows(old, isNew: false) : [])
    case .rowForAll:
      let before = code.givesOld ? try wholeRow(isNew: false) : []
      try apply(new, old)
      return Rows(new: try wholeRow(isNew: true), old: before)
    case .aggregatedRowPerEvent:
      try apply(new, old)
      frame.group = whole
      return Rows(new: try rows(new, isNew: true), old: code.givesOld ? try rows(old, isNew: false) : [])
    case .groupedRowPerEvent:
      let (newGroups, oldGroups) = (try groups(new), try groups(old))
      try applyGrouped(new, newGroups, old, oldGroups)
      let rows = Rows(
        new: try groupedRows(new, newGroups, isNew: true), old: code.givesOld ? try groupedRows(old, oldGroups, isNew: false) : [])
      reclaim(oldGroups)
      return rows
    case .rowPerGroup: return try processGroups(new, old)
    case .rollup: return try processLevels(new, old)
    }
  }

  // MARK: A row per event

  /// Rows of events, with whatever group the frame has.
  func rows(_ tuples: [Tuple], isNew: Bool) throws(EvaluationError) -> [Row] {
    frame.isNew = isNew
    var rows: [Row] = []
    for tuple in tuples {
      frame.load(tuple)
      if let row = try currentRow() { rows.append(row) }
    }
    return rows
  }

  private func groupedRows(_ tuples: [Tuple], _ groups: [Group], isNew: Bool) throws(EvaluationError) -> [Row] {
    var rows: [Row] = []
    for index in tuples.indices { if let row = try row(of: tuples[index], in: groups[index], isNew: isNew) { rows.append(row) } }
    return rows
  }

  func row(of tuple: Tuple, in group: Group, isNew: Bool) throws(EvaluationError) -> Row? {
    frame.isNew = isNew
    frame.load(tuple)
    frame.group = group
    return try currentRow()
  }

  /// The row for what the frame holds, unless HAVING rejects it.
  func currentRow() throws(EvaluationError) -> Row? {
    if let having = code.having, !(try having(frame).isTrue) { return nil }
    let event = try code.row(frame)
    guard let ordering = code.ordering else { return Row(event: event, keys: []) }
    return Row(event: event, keys: try evaluateAll(ordering.keys, frame))
  }

  // MARK: One row for all

  func wholeRow(isNew: Bool) throws(EvaluationError) -> [Row] {
    frame.isNew = isNew
    frame.group = whole
    for index in frame.events.indices { frame.events[index] = nil }
    guard let row = try currentRow() else { return [] }
    if isNew { onGroupRow?(whole, row.event) }
    return [row]
  }

  // MARK: Aggregates

  /// New rows enter before old ones leave.
  func apply(_ new: [Tuple], _ old: [Tuple]) throws(EvaluationError) {
    if !old.isEmpty { empty(whole) }
    for tuple in new { try apply(tuple, to: whole, entering: true) }
    for tuple in old { try apply(tuple, to: whole, entering: false) }
  }

  func apply(_ tuple: Tuple, to group: Group, entering: Bool) throws(EvaluationError) {
    frame.load(tuple)
    group.count += entering ? 1 : -1
    for number in code.aggregates.indices { try code.aggregates[number].apply(group.state(number), frame, entering: entering) }
  }

  func keys(_ tuples: [Tuple]) throws(EvaluationError) -> [[Value]] {
    var keys: [[Value]] = []
    keys.reserveCapacity(tuples.count)
    for tuple in tuples {
      frame.load(tuple)
      keys.append(try evaluateAll(code.keys, frame))
    }
    return keys
  }

  /// The batch before leaves as a whole those aggregates that cannot forget single values.
  private func empty(_ group: Group) {
    for number in unforgetting { group.state(number).clear() }
  }

  /// The group of each row, made where there is none yet.
  func groups(_ tuples: [Tuple]) throws(EvaluationError) -> [Group] {
    var groups: [Group] = []
    groups.reserveCapacity(tuples.count)
    for tuple in tuples {
      frame.load(tuple)
      groups.append(tables[0].group(try evaluateAll(code.keys, frame)))
    }
    return groups
  }

  func applyGrouped(_ new: [Tuple], _ newGroups: [Group], _ old: [Tuple], _ oldGroups: [Group]) throws(EvaluationError) {
    if !unforgetting.isEmpty { for group in oldGroups { empty(group) } }
    for index in new.indices { try apply(new[index], to: newGroups[index], entering: true) }
    for index in old.indices { try apply(old[index], to: oldGroups[index], entering: false) }
  }

  /// Forgets groups that nothing is in any more.
  func reclaim(_ groups: [Group]) {
    for group in groups where group.count <= 0 && tables[0].find(group.key) === group { tables[0].remove(group.key) }
  }

  // MARK: A row per group

  private func processGroups(_ new: [Tuple], _ old: [Tuple]) throws(EvaluationError) -> Rows {
    let (newGroups, oldGroups) = (try groups(new), try groups(old))
    let touched = touched(new, newGroups, old, oldGroups)
    let before = code.givesOld ? try rows(ofGroups: touched, isNew: false) : []
    try applyGrouped(new, newGroups, old, oldGroups)
    let after = try rows(ofGroups: touched, isNew: true)
    reclaim(oldGroups)
    return Rows(new: after, old: before)
  }

  /// The groups of a change in order of first appearance, each with the last row that belongs to it.
  func touched(_ new: [Tuple], _ newGroups: [Group], _ old: [Tuple] = [], _ oldGroups: [Group] = []) -> [Group] {
    var touched: [Group] = []
    markCount += 1
    func touch(_ group: Group, _ tuple: Tuple) {
      if group.mark != markCount {
        group.mark = markCount
        touched.append(group)
      }
      group.representative = tuple
    }
    for index in new.indices { touch(newGroups[index], new[index]) }
    for index in old.indices { touch(oldGroups[index], old[index]) }
    return touched
  }

  func rows(ofGroups groups: [Group], isNew: Bool) throws(EvaluationError) -> [Row] {
    frame.isNew = isNew
    var rows: [Row] = []
    for group in groups {
      guard let tuple = group.representative else { continue }
      frame.load(tuple)
      frame.group = group
      guard let row = try currentRow() else { continue }
      if isNew { onGroupRow?(group, row.event) }
      rows.append(row)
    }
    return rows
  }

  // MARK: Levels

  func levelKey(_ key: [Value], _ level: [Int]) -> [Value] { level.map { key[$0] } }

  private func processLevels(_ new: [Tuple], _ old: [Tuple]) throws(EvaluationError) -> Rows {
    let newKeys = try keys(new)
    let oldKeys = try keys(old)
    let levels = code.plan.grouping.levels
    var touched: [[Group]] = []
    markCount += 1
    for (number, level) in levels.enumerated() {
      var groups: [Group] = []
      for (tuple, key) in zip(new + old, newKeys + oldKeys) {
        let group = tables[number].group(levelKey(key, level))
        if group.mark != markCount {
          group.mark = markCount
          groups.append(group)
        }
        group.representative = tuple
      }
      touched.append(groups)
    }
    let before = code.givesOld ? try levelRows(touched, isNew: false) : []
    try applyLevels(new, newKeys, old, oldKeys)
    let after = try levelRows(touched, isNew: true)
    reclaimLevels(oldKeys)
    return Rows(new: after, old: before)
  }

  func applyLevels(_ new: [Tuple], _ newKeys: [[Value]], _ old: [Tuple], _ oldKeys: [[Value]]) throws(EvaluationError) {
    for (number, level) in code.plan.grouping.levels.enumerated() {
      if !unforgetting.isEmpty { for key in oldKeys { empty(tables[number].group(levelKey(key, level))) } }
      for (tuple, key) in zip(new, newKeys) { try apply(tuple, to: tables[number].group(levelKey(key, level)), entering: true) }
      for (tuple, key) in zip(old, oldKeys) { try apply(tuple, to: tables[number].group(levelKey(key, level)), entering: false) }
    }
  }

  func reclaimLevels(_ keys: [[Value]]) {
    for (number, level) in code.plan.grouping.levels.enumerated() {
      for key in keys {
        let key = levelKey(key, level)
        if let group = tables[number].find(key), group.count <= 0 { tables[number].remove(key) }
      }
    }
  }

  func levelRows(_ touched: [[Group]], isNew: Bool) throws(EvaluationError) -> [Row] {
    var result: [Row] = []
    for (number, groups) in touched.enumerated() {
      frame.level = code.plan.grouping.levels[number]
      result += try rows(ofGroups: groups, isNew: isNew)
    }
    frame.level = nil
    return result
  }
}
