internal import EventModel

/// A held event: when it is due, and where its values are.
struct HeldEvent {
  var time: Int64
  var slot: UInt32
  var row: UInt32
}

/// The columns of held events, batch by batch; a batch is let go with the last of its rows.
struct HeldBatches {
  /// One type's batches: a column for each property that any of them has.
  private final class Shape {
    let type: EventType
    var columns: [ColumnTable] = []
    var batches = 0
    /// The last batch's list of properties and their columns; batches of one source list the same ones.
    var list: [Int] = []
    var listColumns: [Int] = []
    init(_ type: EventType) { self.type = type }
  }

  private struct Slot {
    var shape = 0
    var rows = 0
    var live: Int32 = 0
    var memory: UnsafeMutableRawPointer?
    var capacity = 0
  }

  private var shapes: [Shape] = []
  private var slots: [Slot] = []
  private var free: [UInt32] = []
  private var spare: [(memory: UnsafeMutableRawPointer, capacity: Int)] = []
  /// Rows in memory, those already handed out among them.
  private(set) var rowsInMemory = 0

  var hasSeveralShapes: Bool { shapes.count > 1 }
  func shape(of event: HeldEvent) -> Int { slots[Int(event.slot)].shape }
  func liveRows(_ slot: UInt32) -> (live: Int, all: Int) { (Int(slots[Int(slot)].live), slots[Int(slot)].rows) }

  /// Takes a batch's columns in; its rows are live until they are released.
  mutating func add(_ batch: EventBatch) -> UInt32 {
    let index = shapeIndex(of: batch)
    let shape = shapes[index]
    let number = free.popLast() ?? UInt32(slots.count)
    if number == slots.count { slots.append(Slot()) }
    slots[Int(number)] = Slot(shape: index, rows: batch.count, live: Int32(batch.count))
    var columns = [Column](repeating: .absent, count: shape.columns.count)
    for (place, column) in batch.columns.enumerated() { columns[shape.listColumns[place]] = column }
    let rows = RowEncoder(columns, count: batch.count, spare: &spare)
    for (index, table) in shape.columns.enumerated() { table.set(Int(number), rows.places[index], columns[index]) }
    slots[Int(number)].memory = rows.memory
    slots[Int(number)].capacity = rows.capacity
    shape.batches += 1
    rowsInMemory += batch.count
    return number
  }

  private mutating func shapeIndex(of batch: EventBatch) -> Int {
    let index = shapes.firstIndex { $0.type === batch.type } ?? shapes.count
    if index == shapes.count { shapes.append(Shape(batch.type)) }
    let shape = shapes[index]
    if shape.list == batch.properties { return index }
    shape.list = batch.properties
    shape.listColumns = batch.properties.map { property in
      if let column = shape.columns.firstIndex(where: { $0.property == property }) { return column }
      shape.columns.append(ColumnTable(property: property, slots: slots.count, absentIn: shape.batches))
      return shape.columns.count - 1
    }
    return index
  }

  /// Rows are handed out or given up.
  mutating func release(_ events: UnsafeBufferPointer<HeldEvent>) {
    for event in events {
      slots[Int(event.slot)].live -= 1
      if slots[Int(event.slot)].live == 0 { drop(event.slot) }
    }
  }

  private mutating func drop(_ number: UInt32) {
    let slot = slots[Int(number)]
    let shape = shapes[slot.shape]
    for table in shape.columns { table.clear(Int(number)) }
    if let memory = slot.memory {
      if spare.count < 8 { spare.append((memory, slot.capacity)) } else { memory.deallocate() }
    }
    shape.batches -= 1
    rowsInMemory -= slot.rows
    slots[Int(number)] = Slot()
    free.append(number)
  }

  mutating func deallocate() {
    for number in slots.indices where slots[number].rows > 0 { drop(UInt32(number)) }
    for item in spare { item.memory.deallocate() }
  }

  /// The events, which are of one type, as a batch of their own, in the order given.
  func gather(_ events: UnsafeBufferPointer<HeldEvent>) -> EventBatch {
    let shape = shapes[shape(of: events[0])]
    let times = [Int64](unsafeUninitializedCapacity: events.count) { times, count in
      for index in 0..<events.count { times.initializeElement(at: index, to: events[index].time) }
      count = events.count
    }
    return EventBatch(
      type: shape.type, count: events.count, properties: shape.columns.map(\.property),
      columns: shape.columns.map { $0.gather(events) }, times: times)
  }
}
