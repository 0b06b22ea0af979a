internal import EventModel
internal import Execution
internal import Plan

/// What a statement has taken, given, spent and keeps.
public struct StatementCounts: Sendable, Equatable {
  /// Events that passed the filters of its FROM clause.
  public let eventsIn: UInt64
  public let rowsOut: UInt64
  /// CPU time; of single events one in 128 is measured and stands for the others.
  public let nanoseconds: UInt64
  /// Rows, groups, partial matches and the like, as last measured, and about how many bytes they take.
  public let entries: Int
  public let bytes: Int
  /// Entries given up because the statement kept more than it may.
  public let shed: UInt64
}

/// When each statement is measured again, and which statements have lately given up state.
struct StateLimits {
  /// How long, in ms of engine time, rows are marked after the last that was given up.
  static let markedFor: Int64 = 3_600_000
  /// A statement that keeps too much is brought down to this share of what it may keep, so that it has room for a while.
  static let target = 0.75

  fileprivate var nextMeasure: [Int64] = []
  private var shedAt: [Int: Int64] = [:]

  func isIncomplete(_ statement: Int, at time: Int64) -> Bool {
    guard !shedAt.isEmpty, let shed = shedAt[statement] else { return false }
    return time <= shed + Self.markedFor
  }

  fileprivate mutating func note(_ statements: [Int], at time: Int64) { for statement in statements { shedAt[statement] = time } }
}

extension Engine {
  /// What each statement has taken, given, spent and keeps, by the statement's number.
  public var statementCounts: [StatementCounts] {
    statements.map { statement in
      let gauge = runtime.gauge(of: statement.number)
      return StatementCounts(
        eventsIn: gauge.eventsIn, rowsOut: gauge.rowsOut, nanoseconds: gauge.nanoseconds, entries: gauge.entries, bytes: gauge.bytes,
        shed: gauge.shed)
    }
  }

  /// Measures what statements keep, and has those that keep too much give up the oldest of it; between two batches, about once a second.
  ///
  /// - Parameter milliseconds: any clock that goes on evenly. A statement is measured once a second, or as seldom as keeps measuring below
  ///   one part in a hundred of the time.
  /// - Returns: the statements that have given something up, with how many entries.
  @discardableResult
  public func checkState(at milliseconds: Int64) -> [(statement: StatementInfo, entries: Int)] {
    if limits.nextMeasure.isEmpty { limits.nextMeasure = Array(repeating: milliseconds, count: statements.count) }
    var shed: [(statement: StatementInfo, entries: Int)] = []
    for statement in statements where limits.nextMeasure[statement.number] <= milliseconds {
      let start = ContinuousClock.now
      runtime.measure(statement.number)
      let took = Int64((ContinuousClock.now - start) / .milliseconds(1))
      limits.nextMeasure[statement.number] = milliseconds + max(1000, took * 100)
      guard let limit = stateLimit, options.clock != .compat else { continue }
      let bytes = runtime.gauge(of: statement.number).bytes
      guard bytes > limit else { continue }
      // Marked first: giving up rows may itself give rows.
      let sharers = partitionSharers(of: statement.number)
      limits.note(sharers.flatMap { [$0] + readers(of: $0) }, at: runtime.now)
      let entries = runtime.shed(statement.number, share: 1 - StateLimits.target * Double(limit) / Double(bytes))
      runtime.measure(statement.number)
      if entries > 0 { shed.append((statement, entries)) }
    }
    return shed
  }

  /// The statement and those that share its context's partitions, which are given up together.
  private func partitionSharers(of number: Int) -> [Int] {
    let all = plans.flatMap(\.statements)
    var name = all[number].context
    if case .createContext(let context) = all[number].kind { name = context.name }
    guard let name else { return [number] }
    return all.indices.filter { $0 == number || all[$0].context == name }
  }

  /// The statements that read, directly or through others, what a statement inserts or keeps for them.
  private func readers(of number: Int) -> [Int] {
    let all = plans.flatMap(\.statements)
    var found: [Int] = []
    var open = [number]
    while let next = open.popLast() {
      let given = all[next].givenTypes
      for (other, plan) in all.enumerated() where other != number && !found.contains(other) {
        guard plan.readTypes.contains(where: { type in given.contains { $0 === type } }) else { continue }
        found.append(other)
        open.append(other)
      }
    }
    return found
  }
}

extension StatementPlan {
  fileprivate var givenTypes: [EventType] {
    if case .createWindow(let window) = kind { return [window.type] }
    if case .createTable(let table) = kind { return [table.type] }
    return insertTargets
  }

  fileprivate var readTypes: [EventType] {
    var sources = subqueries.map(\.source)
    switch kind {
    case .select(let select): sources += select.sources
    case .on(let on): sources.append(on.trigger)
    default: break
    }
    return sources.flatMap { source -> [EventType] in
      if case .pattern(let pattern) = source.kind { return pattern.root.types }
      return [source.matchRecognize?.inputType ?? source.viewedType ?? source.type]
    }
  }
}
