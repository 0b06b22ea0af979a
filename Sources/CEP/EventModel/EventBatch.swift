/// Events of one type, column by column.
///
/// `columns[i]` belongs to property `properties[i]` of the type; a property that is not listed is null in every event.
public final class EventBatch: Sendable {
  public let type: EventType
  public let count: Int
  public let properties: [Int]
  public let columns: [Column]
  /// Each event's time in ms; empty where the events have none (system clock).
  public let times: [Int64]
  /// The export time in ms of the message that brought each event; empty where there is none. It bounds what the event's time may
  /// do to the clock.
  public let exportTimes: [Int64]
  /// The session that brought each event; empty where all came by one.
  public let sessions: [UInt32]
  /// Where columns have values of some of the events alone: which, ascending. The others have no more than their times, since no
  /// statement wants them. Nil where columns have a value of every event.
  public let chosen: [UInt32]?

  public init(
    type: EventType, count: Int, properties: [Int], columns: [Column], times: [Int64] = [], exportTimes: [Int64] = [],
    sessions: [UInt32] = [], chosen: [UInt32]? = nil
  ) {
    precondition(properties.count == columns.count, "a batch has one column for each property that it lists")
    self.type = type
    self.count = count
    self.properties = properties
    self.columns = columns
    self.times = times
    self.exportTimes = exportTimes
    self.sessions = sessions
    self.chosen = chosen
  }

  /// How many values each column has.
  public var valueCount: Int { chosen?.count ?? count }

  /// The event that values with a number in the columns are of.
  @inlinable public func event(ofValue index: Int) -> Int { chosen.map { Int($0[index]) } ?? index }

  /// The same events with the values of some of them alone.
  /// - Parameter rows: ascending.
  public func choosing(_ rows: [UInt32]) -> EventBatch {
    EventBatch(
      type: type, count: count, properties: properties, columns: columns.map { $0.gathering(rows) }, times: times,
      exportTimes: exportTimes, sessions: sessions, chosen: rows)
  }
}
