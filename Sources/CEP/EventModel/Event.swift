/// What stands before an event's values in memory.
public struct EventHeader {
  @usableFromInline init(type: EventType, time: Int64, count: Int, underlying: Event?) {
    self.type = type
    self.time = time
    self.count = count
    self.underlying = underlying
  }
  public let type: EventType
  /// The event's time in ms where its type has a timestamp, else the engine's time on arrival.
  public let time: Int64
  @usableFromInline let count: Int
  /// The event as it was sent, where this one is its view through a supertype or variant.
  public let underlying: Event?
}

/// One event (or row): its type and its values in one allocation, immutable once it has been handed on.
public final class Event: ManagedBuffer<EventHeader, Value> {
  /// - Parameter fill: initialises values by `(index)`; called once per value, in order.
  @inlinable public static func make(
    _ type: EventType, time: Int64, count: Int, underlying: Event? = nil, fill: (Int) throws -> Value
  ) rethrows -> Event {
    let buffer = Event.create(minimumCapacity: count) { _ in
      EventHeader(type: type, time: time, count: count, underlying: underlying)
    }
    let event = unsafeDowncast(buffer, to: Event.self)
    try event.withUnsafeMutablePointerToElements { values in
      for index in 0..<count { (values + index).initialize(to: .null) }
      for index in 0..<count { values[index] = try fill(index) }
    }
    return event
  }

  @inlinable public static func make(_ type: EventType, time: Int64, _ values: [Value]) -> Event {
    make(type, time: time, count: values.count) { values[$0] }
  }

  @inlinable public var type: EventType { header.type }
  @inlinable public var time: Int64 { header.time }
  @inlinable public var count: Int { header.count }
  /// The event as it was sent.
  @inlinable public var origin: Event { header.underlying ?? self }

  /// The value in a slot; null beyond the last.
  @inlinable public subscript(slot: Int) -> Value {
    guard slot >= 0, slot < header.count else { return .null }
    return withUnsafeMutablePointerToElements { $0[slot] }
  }

  public var values: [Value] { (0..<count).map { self[$0] } }

  /// A copy with other values in some slots.
  public func replacing(_ changes: [(slot: Int, value: Value)]) -> Event {
    var values = self.values
    for change in changes where change.slot < values.count { values[change.slot] = change.value }
    return Event.make(type, time: time, values)
  }

  deinit {
    _ = withUnsafeMutablePointers { header, elements in elements.deinitialize(count: header.pointee.count) }
  }
}
