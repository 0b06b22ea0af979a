internal import Diagnostics
public import Engine
public import EventModel
internal import JSONLines

/// Plays a case to the engine and compares.
public struct CaseRunner {
  /// How many events go into one batch, where nothing else cuts it.
  public var batchSize: Int
  public var options: EngineOptions
  /// After every so many steps the state is saved, the engine thrown away, and another one goes on with the state.
  public var restartsAfter: Int?
  /// Event types that a module has without declaring them.
  public var predeclared: [EventType]
  /// Sends a capture's flow records to an engine, as events of an input.
  public var readCapture: (_ path: String, Engine, EngineInput) throws(CaseError) -> Void = { path, _, _ throws(CaseError) in
    throw CaseError("no capture can be read here: \(path)")
  }

  public init(batchSize: Int = 1, options: EngineOptions = EngineOptions(), predeclared: [EventType] = []) {
    self.batchSize = batchSize
    self.predeclared = predeclared
    self.options = options
  }

  /// The differences between the answers expected and given; none where the case passes.
  public func run(_ test: TestCase) -> [String] { result(of: test).differences }

  public func result(of test: TestCase) -> CaseResult {
    let engine: Engine
    do throws(CompileError) { engine = try self.engine(for: test) } catch {
      if test.expectsError { return .notRun([]) }
      let texts = error.diagnostics.errors.flatMap { $0.text.split(separator: "\n").map(String.init) }
      return .notRun(["the module is refused:"] + texts)
    }
    var differences = test.expectsError ? ["deployed, but should have been refused"] : typeDifferences(test, engine)
    let player = CasePlayer(test, engine, batchSize)
    if let restartsAfter { player.restarts = (restartsAfter, { () throws(CompileError) in try self.engine(for: test) }) }
    do throws(CaseError) { try player.play(readCapture) } catch {
      return .notRun([error.description])
    }
    differences += player.problems
    if !test.expectsError { differences += CaseComparison(test).differences(player.updates) }
    return CaseResult(differences: differences, given: player.updates, wasRun: true)
  }

  /// The engine's answers; throws where it refuses the module.
  public func answers(to test: TestCase) throws(CompileError) -> [TestCase.Update] {
    let player = CasePlayer(test, try engine(for: test), batchSize)
    try? player.play(readCapture)
    return player.updates
  }

  private func engine(for test: TestCase) throws(CompileError) -> Engine {
    var options = self.options
    options.clock = test.clock
    options.start = test.start ?? 0
    options.honoursPriorities = test.prioritized
    options.keepsCurrentRows = test.steps.contains { if case .iterate = $0.step { true } else { false } }
    let module = EngineModule(name: test.moduleFile ?? "\(test.feature)/\(test.name)", text: test.epl, folder: test.folder)
    return try Engine(modules: [module], predeclared: predeclared, options: options)
  }

  private func typeDifferences(_ test: TestCase, _ engine: Engine) -> [String] {
    var differences: [String] = []
    for (name, columns) in test.types {
      guard let statement = engine.statements.first(where: { $0.name == name }) else {
        differences.append("no statement \(name)")
        continue
      }
      for column in columns {
        guard let type = statement.columns.first(where: { $0.name == column.name })?.type else {
          differences.append("\(name): no column \(column.name), has \(statement.columns.map(\.name).joined(separator: ", "))")
          continue
        }
        let wanted = CaseRunner.plainType(column.type)
        if let wanted, wanted != type.javaName, !(type == .null && wanted == "null") {
          differences.append("\(name): column \(column.name) is \(type.javaName), should be \(wanted)")
        }
      }
    }
    return differences
  }

  /// The original's type names without packages; nil where its type says less than ours.
  private static func plainType(_ name: String) -> String? {
    switch name {
    case "int": return "Integer"
    case "long": return "Long"
    case "boolean": return "Boolean"
    case "double": return "Double"
    case "float": return "Float"
    case "Object", "java.util.Collection", "null": return nil
    default:
      if name.contains("Map") || name.contains("Calendar") { return nil }
      return name.split(separator: ".").last.map(String.init)
    }
  }
}

/// What came of a case.
public struct CaseResult: Sendable {
  /// None where it passes.
  public var differences: [String] = []
  public var given: [TestCase.Update] = []
  /// False where the module was refused or the events could not be read.
  public var wasRun = false

  static func notRun(_ differences: [String]) -> CaseResult { CaseResult(differences: differences) }
}

/// One run of a case: sends its events, gathers what the listeners are told.
final class CasePlayer {
  private let test: TestCase
  private var engine: Engine
  private let batchSize: Int
  /// After how many steps the engine gives way to a new one, and how that is made.
  var restarts: (after: Int, make: () throws(CompileError) -> Engine)?
  /// What went wrong with saving and restoring.
  private(set) var problems: [String] = []
  private(set) var updates: [TestCase.Update] = []
  private var waiting: (input: EngineInput, rows: [[Value]], times: [Int64])?

  init(_ test: TestCase, _ engine: Engine, _ batchSize: Int) {
    self.test = test
    self.engine = engine
    self.batchSize = batchSize
  }

  func play(_ readCapture: (String, Engine, EngineInput) throws(CaseError) -> Void) throws(CaseError) {
    connect()
    if let capture = test.capture { try play(capture: capture, readCapture) }
    for (number, (time, step)) in test.steps.enumerated() {
      play(step, at: time)
      if let restarts, (number + 1) % restarts.after == 0 { restart(restarts.make) }
    }
    flush()
    for name in test.iterateEnd { pull(name) }
  }

  private func restart(_ make: () throws(CompileError) -> Engine) {
    flush()
    do {
      let state = try engine.saveState()
      let next = try make()
      let restored = try next.restoreState(state)
      if !restored.empty.isEmpty { problems.append("starts empty: " + restored.empty.map(\.name).joined(separator: ", ")) }
      engine = next
      connect()
    } catch {
      let problem = "not restored: \(error)"
      if !problems.contains(problem) { problems.append(problem) }
    }
  }

  private func connect() {
    engine.onRows = { [unowned self] rows in
      guard test.outputs.contains(rows.statement.name) else { return }
      // A case that names single columns may name the rule's fields too.
      let fields = test.namedColumnsOnly ? rows.statement.ruleFields : []
      updates.append(
        TestCase.Update(
          time: rows.time, statement: rows.statement.name, new: rows.new.map { RowValue.of($0, and: fields) },
          old: rows.old.isEmpty ? nil : rows.old.map { RowValue.of($0, and: fields) }, failed: false))
    }
    engine.onFailure = { [unowned self] _, _ in fail(at: engine.now) }
  }

  private func play(
    capture: String, _ read: (String, Engine, EngineInput) throws(CaseError) -> Void
  ) throws(CaseError) {
    guard let input = engine.input(named: "IPFIX") else {
      throw CaseError("a capture gives events of the type IPFIX, which no statement reads")
    }
    try read(capture, engine, input)
    engine.finish(flush: test.flushes)
  }

  private func fail(at time: Int64) {
    // One failed event is told once, however many statements it failed in.
    if let last = updates.last, last.failed, last.time == time { return }
    updates.append(TestCase.Update(time: time, statement: nil, new: [], old: nil, failed: true))
  }

  private func play(_ step: TestCase.Step, at time: Int64) {
    if case .event(let type, let values) = step, let input = engine.input(named: type) {
      if let current = waiting, current.input.type !== input.type || current.rows.count >= batchSize { flush() }
      if waiting == nil { waiting = (input, [], []) }
      waiting?.rows.append(input.properties.map { RowValue.property($0, of: input.type, values) })
      waiting?.times.append(time)
      return
    }
    flush()
    engine.advance(to: time)
    switch step {
    case .advance: break
    case .event: fail(at: time)
    case .fire(let query): fire(query)
    case .iterate(let statement): pull(statement)
    case .set(let variable, let value): _ = engine.set(variable, to: value)
    }
  }

  private func flush() {
    guard let (input, rows, times) = waiting else { return }
    waiting = nil
    let columns = input.properties.indices.map { index in Column(.values(rows.map { $0[index] })) }
    engine.send(EventBatch(type: input.type, count: rows.count, properties: input.properties, columns: columns, times: times))
  }

  private func pull(_ name: String) {
    guard let statement = engine.statements.first(where: { $0.name == name }) else { return }
    let rows = engine.currentRows(of: statement)
    updates.append(
      TestCase.Update(time: engine.now, statement: name, new: rows.map { RowValue.of($0) }, old: nil, failed: false))
  }

  private func fire(_ query: String) {
    do throws(CompileError) {
      let rows = try engine.answer(query)
      updates.append(
        TestCase.Update(time: engine.now, statement: query, new: rows.map { RowValue.of($0) }, old: nil, failed: false))
    } catch { fail(at: engine.now) }
  }
}
