/// The events of a state file, each once, and the types that they are of.
///
/// A type is written as its key, by which the engine that restores finds its own; of an event of a large type only some properties have a
/// slot, so the slots' properties are written too.
public final class EventPool {
  /// What the engine knows of its types.
  public struct Types {
    public var key: (EventType) -> String?
    public var type: (String) -> EventType?
    /// The properties that stand in the slots of a type's events.
    public var slots: (EventType) -> [Int]
    public init(key: @escaping (EventType) -> String?, type: @escaping (String) -> EventType?, slots: @escaping (EventType) -> [Int]) {
      self.key = key
      self.type = type
      self.slots = slots
    }
  }

  private struct Entry {
    var key: String
    var name: String
    /// Nil where the engine that restores has no such type (any more).
    var type: EventType?
    var slotNames: [String]
    /// For each slot written the slot now; nil where they are the same.
    var mapping: [Int]?
    var width = 0
  }

  private let types: Types?
  private var entries: [Entry] = []
  private var typeNumbers: [ObjectIdentifier: Int] = [:]
  /// Kept, so that no other event takes the place in memory of one that has been numbered.
  private var events: [Event?] = []
  private var numbers: [ObjectIdentifier: Int] = [:]
  private var eventTypes: [Int] = []
  private var body: StateArchive?
  public private(set) var failure: String?

  public init(_ types: Types? = nil) {
    self.types = types
    if types != nil { body = StateArchive.saving(self) }
  }

  // MARK: Saving

  /// The event's number; it is written if it has none yet, after those that are within it.
  func number(of event: Event) -> Int {
    if let number = numbers[ObjectIdentifier(event)] { return number }
    for slot in 0..<event.count { note(event[slot]) }
    if let underlying = event.header.underlying { _ = number(of: underlying) }
    var type = number(of: event.type)
    guard let body else { return 0 }
    body.integer(&type)
    var time = event.time
    body.integer(&time)
    var underlying = event.header.underlying.map { number(of: $0) } ?? -1
    body.integer(&underlying)
    var values = event.values
    body.values(&values)
    numbers[ObjectIdentifier(event)] = events.count
    events.append(event)
    return events.count - 1
  }

  /// Events within a value are numbered before the event that holds it.
  private func note(_ value: Value) {
    switch value {
    case .event(let event): _ = number(of: event)
    case .array(let array): for value in array.values { note(value) }
    case .map(let map): for entry in map.entries { note(entry.value) }
    default: break
    }
  }

  public func number(of type: EventType) -> Int {
    if let number = typeNumbers[ObjectIdentifier(type)] { return number }
    guard let types, let key = types.key(type) else {
      failure = failure ?? "the type \(type.name) is not among the statements' types"
      return 0
    }
    typeNumbers[ObjectIdentifier(type)] = entries.count
    entries.append(
      Entry(key: key, name: type.name, type: type, slotNames: types.slots(type).map { type.properties[$0].name }))
    return entries.count - 1
  }

  /// Writes the types and all events that have been numbered.
  public func save(_ archive: StateArchive) {
    archive.array(&entries, blank: Entry(key: "", name: "", type: nil, slotNames: [])) { Self.exchange(&$0, archive) }
    var count = events.count
    archive.integer(&count)
    var bytes = body?.bytes ?? []
    archive.octets(&bytes)
    close()
  }

  /// Nothing more is written: the pool and its writer let go of each other.
  public func close() { body = nil }

  private static func exchange(_ entry: inout Entry, _ archive: StateArchive) {
    archive.text(&entry.key)
    archive.text(&entry.name)
    archive.array(&entry.slotNames, blank: "") { archive.text(&$0) }
  }

  // MARK: Restoring

  /// Reads types and events; those of types that the engine has no longer are missing.
  public func restore(_ archive: StateArchive) {
    archive.array(&entries, blank: Entry(key: "", name: "", type: nil, slotNames: [])) { Self.exchange(&$0, archive) }
    close()
    for index in entries.indices { resolve(&entries[index]) }
    var count = 0
    archive.integer(&count)
    var bytes: [UInt8] = []
    archive.octets(&bytes)
    if archive.failure != nil { return }
    let body = StateArchive.restoring(bytes, 0..<bytes.count, self)
    while eventTypes.count < count, body.failure == nil { readEvent(body) }
    if let failure = body.failure { archive.fail(failure) }
  }

  private func resolve(_ entry: inout Entry) {
    guard let types, let type = types.type(entry.key) else { return }
    entry.type = type
    let slots = types.slots(type).map { type.properties[$0].name }
    entry.width = slots.count
    if slots != entry.slotNames { entry.mapping = entry.slotNames.map { slots.firstIndex(of: $0) ?? -1 } }
  }

  private func readEvent(_ body: StateArchive) {
    var (type, time, underlying): (Int, Int64, Int) = (0, 0, -1)
    body.integer(&type)
    body.integer(&time)
    body.integer(&underlying)
    isLenient = true
    var values: [Value] = []
    body.values(&values)
    isLenient = false
    guard body.failure == nil, entries.indices.contains(type), underlying < events.count else {
      return body.fail(body.failure ?? "an event of an unknown type")
    }
    eventTypes.append(type)
    guard let own = entries[type].type else { return events.append(nil) }
    if let mapping = entries[type].mapping, mapping.count == values.count {
      var moved = [Value](repeating: .null, count: entries[type].width)
      for (slot, value) in zip(mapping, values) where slot >= 0 { moved[slot] = value }
      values = moved
    }
    if entries.contains(where: { $0.type == nil }) { values = values.map { $0.event === gone ? .null : $0 } }
    events.append(Event.make(own, time: time, count: values.count, underlying: underlying < 0 ? nil : events[underlying]) { values[$0] })
  }

  /// While events are read, one within another may be of a type that is gone; the outer one then has null there.
  private var isLenient = false

  func event(_ number: Int) -> Event? { events.indices.contains(number) ? events[number] ?? (isLenient ? gone : nil) : nil }
  private lazy var gone = Event.make(EventType(name: "gone", kind: .derived, properties: []), time: 0, [])

  func missing(_ number: Int) -> String {
    guard eventTypes.indices.contains(number) else { return "an event that is not there" }
    return "its events of type \(entries[eventTypes[number]].name) are of a type that is there no longer"
  }

  public func type(_ number: Int) -> EventType? { entries.indices.contains(number) ? entries[number].type : nil }
}
