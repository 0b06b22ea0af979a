internal import Builtins
internal import EventModel
internal import Plan

/// A SELECT at work: sources, windows, the join of several sources, aggregation, output.
final class SelectInstance: StatementInstance {
  let code: SelectCode
  let frame: Frame
  let processor: ResultProcessor
  let output: OutputStage
  private(set) var sources: [SourceRuntime] = []
  private var join: JoinRuntime?
  private(set) var limiter: RateLimiter?
  private var changes: [(new: [Event], old: [Event])] = []
  private var isWaiting = false

  init(_ statement: StatementRuntime, _ partition: Partition?, _ code: SelectCode, _ sourceCodes: [SourceCode]) throws(EvaluationError) {
    self.code = code
    frame = Frame(streams: max(code.types.count, 1), clock: statement.runtime.clock)
    frame.enter(partition)
    processor = ResultProcessor(code, frame, seed: statement.runtime.seed)
    output = OutputStage(code, frame, statement)
    super.init(statement, partition)
    for code in code.subqueries { frame.subqueries.append(try SubqueryInstance(code, frame, statement)) }
    for (number, source) in sourceCodes.enumerated() {
      let receiver = ClosureReceiver { [unowned self] (new, old) throws(EvaluationError) in try self.sourceChanged(number, new, old) }
      sources.append(try SourceRuntime(source, statement, frame, receiver, prior: code.priors[number]))
    }
    frame.history = sources.map(\.history)
    if sources.count > 1 {
      changes = Array(repeating: ([], []), count: sources.count)
      join = try JoinRuntime(code, sources, frame, statement.environment)
    }
    if let table = code.plan.intoTable.flatMap({ statement.environment.tables[$0]?.of(partition) }) {
      processor.onGroupRow = { group, row in table.set(group.key, row) }
    }
    if let rate = code.plan.outputRate { limiter = try RateLimiter(rate, self) }
  }

  override func start() throws(EvaluationError) {
    for subquery in frame.subqueries { try subquery.start() }
    for source in sources { try source.start() }
    try limiter?.start()
  }

  override func stop() {
    for subquery in frame.subqueries { subquery.stop() }
    for source in sources { source.stop() }
    limiter?.stop()
  }

  override func terminate() throws(EvaluationError) { try limiter?.terminate() }

  override var lastDue: Int64? { sources.compactMap { $0.sequence?.lastDue }.max() }
  override func clockGoesBack() { for source in sources { source.sequence?.expire() } }

  override func shed(_ share: Double) throws(EvaluationError) -> Int {
    var count = limiter?.shed(share) ?? 0
    for subquery in frame.subqueries { count += try subquery.shed(share) }
    for source in sources { count += try source.shed(share) }
    if sources.allSatisfy({ !$0.hasWindow }) { count += processor.shed(share) }
    return count + processor.shedSeen(share)
  }

  /// Between two passes no change waits for a join.
  override func exchange(_ archive: StateArchive) {
    if archive.isComparing, isWaiting { return archive.fail("a change waits for the join") }
    for subquery in frame.subqueries { subquery.exchange(archive) }
    for source in sources { source.exchange(archive) }
    join?.exchange(archive)
    processor.exchange(archive)
    limiter?.exchange(archive)
  }

  private func sourceChanged(_ number: Int, _ new: [Event], _ old: [Event]) throws(EvaluationError) {
    guard join != nil else {
      defer { forgetLeft() }
      // A window that is told to (FORCE_UPDATE) tells of nothing, too, which WHERE does not let pass.
      let force = new.isEmpty && old.isEmpty && code.filter == nil
      let (entering, leaving) = (try filtered(new, isNew: true), try filtered(old, isNew: false))
      // A change that WHERE has emptied gives no row.
      if !force, entering.isEmpty, leaving.isEmpty { return }
      return try process(new: entering, old: leaving, force: force)
    }
    changes[number].new += new
    changes[number].old += old
    if !isWaiting {
      isWaiting = true
      statement.finishLater(self)
    }
  }

  override func endPass() throws(EvaluationError) {
    guard let join else { return }
    isWaiting = false
    defer { forgetLeft() }
    let changes = self.changes
    for index in self.changes.indices { self.changes[index] = ([], []) }
    let rows = try join.process(changes)
    if !rows.new.isEmpty || !rows.old.isEmpty { try process(new: rows.new, old: rows.old, force: false) }
  }

  override func abandonPass() {
    isWaiting = false
    for index in changes.indices { changes[index] = ([], []) }
  }

  /// For `prior`: rows that a rate holds back are still to be evaluated.
  func forgetLeft() {
    if limiter?.holdsRows ?? false { return }
    for source in sources { source.forgetLeft() }
  }

  private func filtered(_ events: [Event], isNew: Bool = true) throws(EvaluationError) -> [Tuple] {
    guard let filter = code.filter else { return events.map { Tuple($0) } }
    frame.isNew = isNew
    var tuples: [Tuple] = []
    for event in events {
      frame.events[0] = event
      if try filter(frame).isTrue { tuples.append(Tuple(event)) }
    }
    return tuples
  }

  private func process(new: [Tuple], old: [Tuple], force: Bool) throws(EvaluationError) {
    if let limiter { return try limiter.process(new: new, old: old) }
    try output.give(try processor.process(new: new, old: old), force: force)
  }

  /// What `output snapshot` gives.
  func snapshotRows() throws(EvaluationError) -> [Row] {
    if sources.count == 1, !sources[0].hasWindow, processor.form == .rowPerGroup {
      return try processor.rows(ofGroups: processor.tables[0].all, isNew: true)
    }
    return try processor.snapshot(try currentTuples())
  }

  /// The rows that the sources now hold, before aggregation.
  func currentTuples() throws(EvaluationError) -> [Tuple] {
    if let join { return try join.current() }
    return try filtered(sources[0].contents)
  }

  /// The rows that a query gives that is run once: over what the sources hold, without being started.
  func rowsOnce() throws(EvaluationError) -> [Event] {
    for subquery in frame.subqueries { try subquery.load() }
    join?.load()
    return try output.arrange(try processor.process(new: try currentTuples(), old: []).new)
  }

  override func currentRows() throws(EvaluationError) -> [Event] { try output.arrange(try processor.snapshot(try currentTuples())) }
}

extension ResultProcessor {
  /// The output rows of what the sources hold now.
  func snapshot(_ tuples: [Tuple]) throws(EvaluationError) -> [Row] {
    switch form {
    case .rowPerEvent: return try rows(tuples, isNew: true)
    case .aggregatedRowPerEvent:
      frame.group = whole
      return try rows(tuples, isNew: true)
    case .rowForAll: return try wholeRow(isNew: true)
    case .groupedRowPerEvent:
      var result: [Row] = []
      for (tuple, key) in zip(tuples, try keys(tuples)) {
        if let row = try row(of: tuple, in: tables[0].find(key) ?? tables[0].newGroup(key), isNew: true) { result.append(row) }
      }
      return result
    case .rowPerGroup: return try rows(ofGroups: touched(tuples, try groups(tuples)), isNew: true)
    case .rollup:
      let keys = try keys(tuples)
      var touched: [[Group]] = []
      markCount += 1
      for (number, level) in code.plan.grouping.levels.enumerated() {
        var groups: [Group] = []
        for (tuple, key) in zip(tuples, keys) {
          let group = tables[number].group(level.map { key[$0] })
          group.representative = tuple
          if group.mark != markCount {
            group.mark = markCount
            groups.append(group)
          }
        }
        touched.append(groups)
      }
      return try levelRows(touched, isNew: true)
    }
  }
}
