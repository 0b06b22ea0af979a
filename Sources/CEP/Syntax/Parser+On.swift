import Diagnostics

extension Parser {
  /// `on <trigger> <action>`.
  mutating func on() throws(SyntaxFailure) -> OnSyntax {
    advance()
    let trigger = try stream()
    return OnSyntax(trigger: trigger, action: try action(trigger))
  }

  private mutating func action(_ trigger: StreamSyntax) throws(SyntaxFailure) -> OnSyntax.Action {
    switch current.lowered {
    case "set":
      advance()
      return .set(try assignments())
    case "delete":
      advance()
      return .delete(try delete())
    case "update":
      advance()
      return .update(try updateRest())
    case "merge":
      advance()
      return .merge(try merge())
    case "insert", "select":
      return try selectOrSplit()
    default:
      throw unexpected(
        "what to do: SELECT, INSERT INTO, DELETE, UPDATE, MERGE or SET", near: ["select", "insert", "delete", "update", "merge", "set"])
    }
  }

  /// A select has a FROM; INSERT INTO … SELECT without one begins a split.
  private mutating func selectOrSplit() throws(SyntaxFailure) -> OnSyntax.Action {
    let start = current.range.start
    let insert = at("insert") ? try insertInto() : nil
    guard at("select"), !(peek().isWord("and")), !peek().isWord("delete") else { return .select(try onSelect(insert, from: start)) }
    let selection = try selectClause()
    if at("from") || insert == nil {
      return .select(OnSelectSyntax(query: try onSelectRest(insert, selection, from: start), andDelete: false))
    }
    guard let insert else { throw unexpected("INSERT INTO") }
    return try split(first: insert, selection, from: start)
  }

  /// `select and delete …`, also without AND.
  private mutating func onSelect(_ insert: InsertIntoSyntax?, from start: Int) throws(SyntaxFailure) -> OnSelectSyntax {
    let selectStart = current.range.start
    try expect("select")
    _ = take("and")
    try expect("delete")
    let distinct = take("distinct")
    let items = try list { parser throws(SyntaxFailure) in try parser.selectItem() }
    let selection = SelectClauseSyntax(selector: nil, distinct: distinct, items: items, range: range(from: selectStart))
    return OnSelectSyntax(query: try onSelectRest(insert, selection, from: start), andDelete: true)
  }

  private mutating func onSelectRest(
    _ insert: InsertIntoSyntax?, _ selection: SelectClauseSyntax, from start: Int
  ) throws(SyntaxFailure) -> SelectSyntax {
    var streams: [StreamSyntax] = []
    if take("from") { streams = [try stream()] }
    return try clauses(insert: insert, selection: selection, streams: streams, joins: [], from: start)
  }

  private mutating func split(
    first: InsertIntoSyntax, _ selection: SelectClauseSyntax, from start: Int
  ) throws(SyntaxFailure) -> OnSyntax.Action {
    var branches = [
      SplitBranchSyntax(
        insertInto: first, items: selection.items, whereClause: take("where") ? try expression() : nil, range: range(from: start))
    ]
    while at("insert") {
      let branchStart = current.range.start
      let insert = try insertInto()
      let next = try selectClause()
      let condition = take("where") ? try expression() : nil
      branches.append(
        SplitBranchSyntax(insertInto: insert, items: next.items, whereClause: condition, range: range(from: branchStart)))
    }
    var outputAll = false
    if take("output") {
      outputAll = at("all")
      guard take("all") || take("first") else { throw unexpected("ALL or FIRST", near: ["all", "first"]) }
    }
    return .split(branches, outputAll: outputAll)
  }

  private mutating func target() throws(SyntaxFailure) -> TargetSyntax {
    let name = try dottedName("a named window or table")
    return TargetSyntax(name: name, alias: try alias())
  }

  /// What follows DELETE.
  mutating func delete() throws(SyntaxFailure) -> DeleteSyntax {
    try expect("from")
    return DeleteSyntax(target: try target(), whereClause: take("where") ? try expression() : nil)
  }

  /// What follows UPDATE.
  mutating func updateRest() throws(SyntaxFailure) -> UpdateSyntax {
    let target = try target()
    try expect("set")
    let assignments = try assignments()
    return UpdateSyntax(target: target, assignments: assignments, whereClause: take("where") ? try expression() : nil)
  }

  // MARK: merge

  private mutating func merge() throws(SyntaxFailure) -> MergeSyntax {
    _ = take("into")
    let target = try target()
    if at("insert") {
      advance()
      return MergeSyntax(target: target, whereClause: nil, branches: [], insertOnly: try mergeInsert())
    }
    let condition = take("where") ? try expression() : nil
    var branches: [MergeBranchSyntax] = []
    while at("when") { branches.append(try mergeBranch()) }
    if branches.isEmpty { throw unexpected("WHEN MATCHED or WHEN NOT MATCHED", near: ["when"]) }
    return MergeSyntax(target: target, whereClause: condition, branches: branches, insertOnly: nil)
  }

  private mutating func mergeBranch() throws(SyntaxFailure) -> MergeBranchSyntax {
    let start = current.range.start
    advance()
    let matched = !take("not")
    try expect("matched")
    let condition = take("and") ? try expression() : nil
    var actions: [MergeActionSyntax] = []
    while take("then") { actions.append(try mergeAction()) }
    if actions.isEmpty { throw unexpected("THEN", near: ["then"]) }
    return MergeBranchSyntax(matched: matched, condition: condition, actions: actions, range: range(from: start))
  }

  private mutating func mergeAction() throws(SyntaxFailure) -> MergeActionSyntax {
    if take("delete") { return .delete(where: take("where") ? try expression() : nil) }
    if take("update") {
      try expect("set")
      let assignments = try assignments()
      return .update(assignments, where: take("where") ? try expression() : nil)
    }
    guard take("insert") else { throw unexpected("INSERT, UPDATE or DELETE", near: ["insert", "update", "delete"]) }
    return .insert(try mergeInsert())
  }

  private mutating func mergeInsert() throws(SyntaxFailure) -> MergeInsertSyntax {
    let start = current.range.start
    let into = take("into") ? try dottedName("a stream") : nil
    let columns = at(symbol: "(") ? try parenthesized { parser throws(SyntaxFailure) in try parser.dottedName("a column") } : []
    try expect("select")
    let items = try list { parser throws(SyntaxFailure) in try parser.selectItem() }
    let condition = take("where") ? try expression() : nil
    return MergeInsertSyntax(into: into, columns: columns, items: items, whereClause: condition, range: range(from: start))
  }
}
