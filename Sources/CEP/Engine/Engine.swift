internal import Builtins
public import Diagnostics
public import EventModel
public import EventTime
internal import Execution
internal import Plan
internal import Semantics
internal import Syntax

/// A module's text and the name that errors show.
public struct EngineModule: Sendable {
  public var name: String
  public var text: String
  /// Where the files that the module names are, with a slash at its end; empty for the working folder.
  public var folder: String
  /// - Parameter folder: by default that of a file of the module's name.
  public init(name: String, text: String, folder: String? = nil) {
    self.name = name
    self.text = text
    self.folder = folder ?? name.lastIndex(of: "/").map { String(name[...$0]) } ?? ""
  }
}

/// Events of one type that an engine wants.
public struct EngineInput: Sendable {
  /// The name under which they are sent.
  public let name: String
  public let type: EventType
  /// The properties that some statement reads, ascending; the others need not be extracted.
  public let properties: [Int]
  /// Those of them that decide whether any statement wants an event, to be asked of ``Engine/wanted(_:)``; nil where all events are wanted.
  public let decidingProperties: [Int]?
}

/// The embedder's face of the engine: modules in, events in, rows out. One thread owns it.
///
/// Each module is a namespace of its own; types that the embedder declares are common to all that do not declare them themselves.
public final class Engine {
  public let options: EngineOptions
  /// Warnings of the modules.
  public let diagnostics: DiagnosticList
  public let statements: [StatementInfo]
  public let inputs: [EngineInput]
  /// Called with each statement's rows, in order.
  public var onRows: (EngineRows) -> Void = { _ in }
  /// Called where a statement fails on an event, with the statement (nil: none in particular) and the reason.
  public var onFailure: (StatementInfo?, String) -> Void = { _, _ in }
  var counts = EngineCounters()
  let runtime: Runtime
  let plans: [ModulePlan]
  let scopes: [ModuleScope]
  private(set) var modules: [DeployedModule] = []
  let lists: ListKeeper
  /// Whether the first event has set the clock.
  var hasBegun = false
  var watermark: WatermarkClock?
  /// The clock has passed events that `hold` has not given.
  var owes = false
  var notices: [ClockNotice] = []
  private let moduleNames: [String]
  private let predeclared: [EventType]
  /// Under which names a saved state knows statements and types.
  private(set) lazy var stateNames = StateNames(plans, moduleNames, common: predeclared)
  var wall: Int64 = 0
  /// How many bytes one statement may keep, about; nil for no limit.
  public var stateLimit: Int?
  /// What statements keep, and which of them had to give up some of it.
  var limits = StateLimits()

  /// Compiles and deploys modules. Throws all mistakes of all modules at once.
  ///
  /// - Parameter predeclared: types that modules may use without declaring them.
  public init(modules: [EngineModule], predeclared: [EventType] = [], options: EngineOptions = EngineOptions()) throws(CompileError) {
    self.options = options
    var diagnostics = DiagnosticList()
    var plans: [ModulePlan] = []
    var scopes: [ModuleScope] = []
    for module in modules {
      let binding = Engine.compile(module, predeclared, options.catalog, &diagnostics)
      plans.append(binding.plan)
      scopes.append(binding.scope)
    }
    lists = ListKeeper(plans, modules, &diagnostics)
    if options.rewrites {
      let goesOn = options.clock != .compat && !options.honoursPriorities
      if goesOn { plans = plans.map { Engine.pushConditions($0) } }
      let inserted = Engine.insertedTypes(plans)
      plans = plans.map { Engine.chooseStrategies($0, inserted: inserted, options) }
      if goesOn { plans = Engine.chooseSequences(plans) }
    }
    if diagnostics.hasErrors { throw CompileError(diagnostics: diagnostics) }
    self.plans = plans
    stateLimit = options.stateLimit
    self.predeclared = predeclared
    // A module is known by its own name, or by its file's wherever that lies.
    moduleNames = zip(plans, modules).map { plan, module in
      plan.name ?? module.name.split(separator: "/").last.map(String.init) ?? module.name
    }
    self.scopes = scopes
    runtime = Runtime(
      start: options.start, seed: options.seed ?? UInt64.random(in: .min ... .max), honoursPriorities: options.honoursPriorities,
      isCompat: options.clock == .compat)
    runtime.catalog = options.catalog
    runtime.insertedTypes = Engine.insertedTypes(plans)
    let use = PropertyUse(plans)
    for (type, properties) in use.properties { runtime.use(properties, of: type) }
    for type in Engine.inputTypes(plans) { runtime.use(Engine.propertiesRead(of: type, use), of: type) }
    for (plan, module) in zip(plans, modules) {
      do throws(DeploymentError) {
        self.modules.append(try runtime.deploy(plan))
      } catch {
        let start = error.line.map { SourcePosition(line: $0, column: 1) }
        diagnostics.add(Diagnostic(.error, file: module.name, start: start, message: error.description))
      }
    }
    if diagnostics.hasErrors { throw CompileError(diagnostics: diagnostics) }
    self.diagnostics = diagnostics
    statements = Engine.describe(plans, modules)
    inputs = Engine.inputs(plans, use, runtime, countsAll: options.clock != .watermark)
    if options.clock == .watermark { watermark = WatermarkClock(options: options.watermark) }
    counts.rowsOut = Array(repeating: 0, count: statements.count)
    connect()
  }

  private func connect() {
    runtime.onOutput = { [unowned self] output in
      counts.rowsOut[output.statement] += UInt64(output.new.count + output.old.count)
      onRows(
        EngineRows(
          statement: statements[output.statement], time: output.time, new: output.new, old: output.old,
          isIncomplete: limits.isIncomplete(output.statement, at: output.time)))
    }
    runtime.onFailure = { [unowned self] statement, error in
      counts.failed += 1
      onFailure(statement >= 0 ? statements[statement] : nil, error.description)
    }
  }

  public var counters: EngineCounters { counts }

  /// What has become known about the exporters' clocks since the last call, to be told to the operator.
  public func takeClockNotices() -> [ClockNotice] {
    defer { notices = [] }
    return notices
  }

  /// A session has ended: its clock neither agrees nor disagrees with the others' any more.
  public func endSession(_ session: UInt32) {
    watermark?.endSession(session)
    noteClock()
  }

  /// Engine time in ms.
  public var now: Int64 { runtime.now }

  /// The type that a name stands for, as an input.
  public func input(named name: String) -> EngineInput? { inputs.first { $0.name == name } }

  /// Which events of a batch, of which only the deciding properties need be there, some statement may want; nil where all are wanted.
  ///
  /// What no statement wants need not be taken out of its record: a batch that is sent may hold the values of the others alone
  /// (``EventBatch/chosen``). In watermark mode a variable that is set from outside chooses among events from then on.
  public func wanted(_ batch: EventBatch) -> [UInt32]? {
    // The watermark holds no times of events that nobody wants.
    runtime.wanted(batch, countsAll: options.clock != .watermark)
  }

  /// Answers as `wanted` does for one type's batches, and may do so on another thread than the engine's: variables keep the values that
  /// they have now. Nil where every event is wanted.
  public func chooser(of type: EventType) -> ((EventBatch) -> [UInt32]?)? {
    runtime.chooser(of: type, countsAll: options.clock != .watermark)
  }

  // MARK: Events and time

  /// Takes a batch: at once in compat and system mode, in time order as the clock goes on in watermark mode.
  ///
  /// - Parameter wall: the wall clock in ms, for watermark mode: it tells exporters that are silent from those that contradict. Without it
  ///   the last one told counts.
  public func send(_ batch: EventBatch, wall: Int64? = nil) {
    // What is not wanted is not held; where most is, picking out the rest costs more than holding it.
    let wanted = options.clock == .watermark && batch.chosen == nil ? wanted(batch) : nil
    let chosen = wanted.flatMap { $0.count * 4 <= batch.count * 3 ? batch.choosing($0) : nil }
    deliver(hold(chosen ?? batch, wall: wall ?? self.wall, limit: 0))
  }

  /// Sets the clock: to the wall clock's time in system mode, to an instant of a test in compat mode. Timers that are due fire.
  public func advance(to time: Int64) { runtime.advance(to: time) }

  /// Says how much wall time, in ms, has passed since the last record; in watermark mode a quiet stream's clock goes on with it.
  public func idle(for milliseconds: Int64) {
    watermark?.idle(wall: wall + milliseconds)
    release()
  }

  /// The end of input: held events are delivered. Windows stay open, unless `flush` advances the clock to the last pending timer
  /// (never in compat mode).
  public func finish(flush: Bool = false) {
    watermark?.finish(wall: wall)
    release()
    guard flush, options.clock != .compat, let last = runtime.lastTimer else { return }
    // From timer to timer, but not for ever: what begins anew every millisecond until the end of time fires once more at the last.
    var left = 100_000
    while let next = runtime.nextTimer, next <= last, left > 0 {
      runtime.advance(to: max(next, runtime.now))
      left -= 1
    }
    // What is given up without a timer may be due after the last of those.
    if left == 0 || runtime.now < last { runtime.advance(to: max(last, runtime.now)) }
  }

  /// The plan of every statement as text.
  public func explain() -> String { plans.map { PlanPrinter.text($0) }.joined(separator: "\n") }
}

/// The mistakes for which modules were refused.
public struct CompileError: Error, Sendable {
  public let diagnostics: DiagnosticList
}
