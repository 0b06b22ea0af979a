public import EventModel
internal import Plan

/// What an embedder may know of a deployed statement.
public struct StatementInfo: Sendable {
  /// The place in the order of deployment, over all modules.
  public let number: Int
  public let name: String
  /// A name that no other statement of any module has: the statement's own, with its module's where two share one.
  public internal(set) var label: String
  /// False where the engine made the name up.
  public let isNamed: Bool
  /// The module's name, else its file's.
  public let module: String
  /// The line of the module at which it starts, from 1.
  public let line: Int
  /// The type of its rows; nil for statements that give none.
  public let rowType: EventType?
  /// The stream that its rows are inserted into.
  public let insertsInto: String?
  /// Whether another statement of the module reads what it inserts.
  public let isReadByOthers: Bool
  /// `@Tag`s, `@Description` and the like: annotation name, attribute name, value.
  public let annotations: [(name: String, attribute: String, value: Value)]

  /// What a detection of this statement is called: the stream, else the statement.
  public var outputName: String { insertsInto ?? name }
  public var columns: [(name: String, type: ValueType)] { rowType?.properties.map { ($0.name, $0.type) } ?? [] }
}

/// Rows of one statement at one instant.
public struct EngineRows {
  public let statement: StatementInfo
  /// Engine time in ms.
  public let time: Int64
  /// Rows of the statement's row type; values by column. They may be in columns, of which a row is made each time that it is asked for.
  public let new: EventRows
  /// Rows that left, where the statement selects them.
  public let old: EventRows
  /// Whether the statement, or one whose rows it reads, has lately given up state: what it gives may lack something.
  public let isIncomplete: Bool
}

/// What an engine has done.
public struct EngineCounters: Sendable, Equatable {
  public var eventsIn: UInt64 = 0
  /// Events older than the clock on arrival.
  public var late: UInt64 = 0
  public var lateDropped: UInt64 = 0
  /// Events that were not delivered at a time of their own, since it lay ahead of all others'.
  public var ahead: UInt64 = 0
  /// Events that the clock has not passed yet.
  public var held: UInt64 = 0
  /// Events on which some statement failed.
  public var failed: UInt64 = 0
  /// Events whose type no statement reads.
  public var unread: UInt64 = 0
  public var rowsOut: [UInt64] = []
}
