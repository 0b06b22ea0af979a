internal import Builtins
internal import EventModel
internal import Plan

/// When held rows are given out.
final class RateCondition {
  enum Kind {
    /// How many: a variable may change it.
    case events(Evaluator)
    /// How long: the same.
    case period(PeriodEvaluator)
    case at(CronSchedule)
    case when(Evaluator, [Assignment])
    case never
  }
  let kind: Kind
  var onMet: (Bool) throws(EvaluationError) -> Void = { _ in }
  private unowned let instance: SelectInstance
  private let compiler: ExpressionCompiler
  private let counters: [String: Variable]
  /// At how many events they are given.
  private(set) var count: Int64 = 1
  /// How long at present; nil for what is no period.
  var period: Interval? {
    get throws(EvaluationError) {
      if case .period(let period) = kind { return try period.interval(instance.frame) }
      return nil
    }
  }
  private var new: Int64 = 0
  private var old: Int64 = 0
  private var reference: Int64?
  /// The period that the timer was made for.
  private var timed: Interval?
  private var timer: Timer?
  private var slot: Int

  init(_ plan: OutputRatePlan, _ instance: SelectInstance) throws(EvaluationError) {
    self.instance = instance
    let statement = instance.statement
    slot = statement.takeSlot()
    let now = instance.frame.clock.now
    var counters: [String: Variable] = [:]
    for name in ["count_insert", "count_remove", "count_insert_total", "count_remove_total"] {
      counters[name] = Variable(name: name, type: .int, value: .int(0))
    }
    counters["last_output_timestamp"] = Variable(name: "last_output_timestamp", type: .long, value: .int(now))
    self.counters = counters
    var compiler = statement.environment.compiler(instance.code.types, context: instance.code.contextType)
    compiler.localVariables = counters
    self.compiler = compiler
    let runtime = statement.runtime
    switch plan.condition {
    case .events(let count):
      let evaluator = try runtime.lifted { () throws(DeploymentError) in try compiler.compile(count) }
      guard let number = try evaluator(instance.frame).integer else { throw EvaluationError("the number of events is null") }
      self.count = number
      kind = .events(evaluator)
    case .period(let period):
      let evaluator = try runtime.lifted { () throws(DeploymentError) in try PeriodEvaluator(period, compiler) }
      timed = try evaluator.interval(instance.frame)
      kind = .period(evaluator)
    case .at(let cron): kind = .at(try CronSchedule(cron, compiler, instance.frame))
    case .when(let condition, let then):
      kind = .when(try runtime.lifted { () throws(DeploymentError) in try compiler.compile(condition) }, then)
    case .never: kind = .never
    }
  }

  func compile(_ expression: Expression) throws(EvaluationError) -> Evaluator {
    try instance.statement.runtime.lifted { () throws(DeploymentError) in try compiler.compile(expression) }
  }

  func stop() { timer?.cancel() }

  func exchange(_ archive: StateArchive) {
    for name in counters.keys.sorted() { if let counter = counters[name] { archive.value(&counter.value) } }
    archive.integer(&new)
    archive.integer(&old)
    archive.integer(&reference)
    archive.place(&slot)
    archive.timer(&timer) { makeTimer(at: $0, sequence: $1) }
  }

  func note(new newCount: Int, old oldCount: Int) throws(EvaluationError) {
    switch kind {
    case .events(let number):
      if let present = try number(instance.frame).integer { count = present }
      new += Int64(newCount)
      old += Int64(oldCount)
      if new >= count || old >= count {
        (new, old) = (0, 0)
        try onMet(false)
      }
    case .period(let period):
      if !period.isConstant, try period.interval(instance.frame) != timed {  // the variable has changed: the grid keeps its beginning
        timer?.cancel()
        timer = nil
      }
      if timer == nil { try schedule() }
    case .at: if timer == nil { try schedule() }
    case .when(let condition, let then):
      tally(newCount, oldCount)
      if try condition(instance.frame).isTrue {
        try assign(then)
        try onMet(true)
        counters["count_insert"]?.value = .int(0)
        counters["count_remove"]?.value = .int(0)
        counters["last_output_timestamp"]?.value = .int(instance.frame.clock.now)
      }
    // For what `when terminated` asks.
    case .never: tally(newCount, oldCount)
    }
  }

  private func tally(_ new: Int, _ old: Int) {
    for (name, count) in [("count_insert", new), ("count_insert_total", new), ("count_remove", old), ("count_remove_total", old)] {
      if let variable = counters[name] { variable.value = .int((variable.value.integer ?? 0) + Int64(count)) }
    }
  }

  func assign(_ plan: [Assignment]) throws(EvaluationError) {
    if plan.isEmpty { return }
    let statement = instance.statement
    let code = try statement.runtime.lifted { () throws(DeploymentError) in try AssignmentCode(plan, compiler) }
    try code.setVariables(instance.frame)
  }

  /// The grid is kept for ever: first change + n periods.
  private func schedule() throws(EvaluationError) {
    let clock = instance.frame.clock
    let now = clock.now
    let next: Int64
    switch kind {
    case .period(let period):
      let interval = try period.interval(instance.frame)
      timed = interval
      let start = reference ?? now
      reference = start
      if interval.months > 0 {
        next = interval.first(after: now, from: start)
      } else {
        let size = max(interval.milliseconds, 1)
        var offset = (now - start) % size
        if offset < 0 { offset += size }
        next = now - offset + size
      }
    case .at(let cron):
      guard let time = cron.next(after: now) else { return }
      next = time
    default: return
    }
    timer = makeTimer(at: next)
  }

  private func makeTimer(at time: Int64, sequence: UInt64? = nil) -> Timer {
    instance.frame.clock.schedule(at: time, for: instance.statement, rank: slot, sequence: sequence) {
      [unowned self] () throws(EvaluationError) in
      try self.schedule()
      try self.onMet(true)
    }
  }
}

/// `output after n events` or `after 10 sec`.
final class AfterCondition {
  private let count: Int64?
  private let interval: Interval?
  private let clock: Clock
  private var seen: Int64 = 0
  private var opens: Int64 = .min
  private var isDone = false

  init(_ plan: OutputRatePlan, _ instance: SelectInstance) throws(EvaluationError) {
    clock = instance.frame.clock
    let statement = instance.statement
    let compiler = statement.environment.compiler(instance.code.types, context: instance.code.contextType)
    if let expression = plan.afterCount {
      count = try statement.runtime.lifted { () throws(DeploymentError) in try compiler.compile(expression) }(instance.frame).integer
    } else {
      count = nil
    }
    if let period = plan.afterPeriod {
      interval = try statement.runtime.lifted { () throws(DeploymentError) in try PeriodEvaluator(period, compiler) }.interval(
        instance.frame)
    } else {
      interval = nil
    }
    isDone = count == nil && interval == nil
  }

  func exchange(_ archive: StateArchive) {
    archive.integer(&seen)
    archive.integer(&opens)
    archive.flag(&isDone)
  }

  func start() { if let interval { opens = interval.after(clock.now) } }

  func isOpen(_ newCount: Int) -> Bool {
    if isDone { return true }
    if let count {
      seen += Int64(newCount)
      isDone = seen > count
    } else {
      isDone = clock.now >= opens
    }
    return isDone
  }
}
