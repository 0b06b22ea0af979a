/// Rows of one statement in order: events, or columns of which an event is made where one is asked for.
///
/// Who wants no more than their number pays for no events.
public struct EventRows: RandomAccessCollection {
  /// The first rows, where they came as events.
  private var events: [Event]
  /// The rows behind them.
  private var pieces: [Piece] = []
  public private(set) var count: Int

  private enum Piece {
    case events([Event])
    /// A column for each property of the batch's type, in order, and the rows' time.
    case columns(EventBatch, time: Int64)

    var count: Int {
      switch self {
      case .events(let events): events.count
      case .columns(let batch, _): batch.count
      }
    }
  }

  public init(_ events: [Event] = []) {
    self.events = events
    count = events.count
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }

  public subscript(index: Int) -> Event {
    if index < events.count { return events[index] }
    var index = index - events.count
    for piece in pieces {
      if index < piece.count {
        switch piece {
        case .events(let events): return events[index]
        case .columns(let batch, let time): return batch.row(index, time: time)
        }
      }
      index -= piece.count
    }
    preconditionFailure("no such row")
  }

  public mutating func append(_ more: [Event]) {
    count += more.count
    if pieces.isEmpty { events += more } else if !more.isEmpty { pieces.append(.events(more)) }
  }

  /// - Parameters:
  ///   - batch: with a column for each property of its type, in order.
  ///   - time: of each of its rows.
  public mutating func append(_ batch: EventBatch, time: Int64) {
    precondition(batch.chosen == nil && batch.columns.count == batch.type.properties.count, "rows have all their properties")
    count += batch.count
    if batch.count > 0 { pieces.append(.columns(batch, time: time)) }
  }
}

extension EventBatch {
  fileprivate func row(_ index: Int, time: Int64) -> Event {
    Event.make(type, time: time, count: columns.count) { columns[$0][index] }
  }
}
