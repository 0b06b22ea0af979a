internal import EventModel

extension Layouts {
  /// Events of a type as columns, of the properties that statements read.
  func batch(_ events: [Event], _ type: EventType) -> EventBatch {
    let properties = usedProperties(of: type)
    let columns = properties.map { property in
      let slot = slot(type, property)
      return Column.typed(events.map { $0[slot] })
    }
    return EventBatch(type: type, count: events.count, properties: properties, columns: columns)
  }
}

/// Makes events from a batch's rows: the slots of the type's events and the columns that fill them.
final class EventMaker {
  let properties: [Int]
  private let type: EventType
  /// For each slot the batch's column; -1 where the batch has none.
  private let columns: [Int]

  init(_ batch: EventBatch, _ runtime: Runtime) {
    type = batch.type
    properties = batch.properties
    var columns = [Int](repeating: -1, count: runtime.width(of: batch.type))
    for (column, property) in batch.properties.enumerated() {
      let slot = runtime.slot(batch.type, property)
      if slot >= 0 { columns[slot] = column }
    }
    self.columns = columns
  }

  /// The event whose values have this number in the batch's columns.
  func event(_ batch: EventBatch, _ value: Int, now: Int64) -> Event {
    let columns = self.columns
    return Event.make(type, time: batch.times.isEmpty ? now : batch.times[batch.event(ofValue: value)], count: columns.count) { slot in
      let column = columns[slot]
      return column < 0 ? .null : batch.columns[column][value]
    }
  }
}
