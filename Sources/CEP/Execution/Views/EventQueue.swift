internal import EventModel

/// Events in order of arrival, cheap at both ends and to take out from between.
typealias EventQueue = NotedQueue<Void>

/// Events in order of arrival, each with a note.
struct NotedQueue<Note> {
  /// Nil where one was taken out; the one at `head` is there, if any is.
  private var events: [Event?] = []
  private var notes: [Note] = []
  private var head = 0
  private(set) var count = 0
  /// How many places in front of `events` there were.
  private var passed = 0
  /// The place of each event, counted from the first ever; made when one is first looked for between others, which most queues never see.
  private var places: [ObjectIdentifier: Int]?
  /// An event that is there twice has no one place.
  private var isPlaced = true

  /// Among so few, looking at each is faster.
  private static var few: Int { 32 }

  var isEmpty: Bool { count == 0 }
  var first: Event? { isEmpty ? nil : events[head] }
  var firstNote: Note? { isEmpty ? nil : notes[head] }
  private var hasHoles: Bool { events.count - head != count }
  var all: [Event] { events[head...].compactMap { $0 } }
  var allNotes: [Note] { hasHoles ? (head..<events.count).filter { events[$0] != nil }.map { notes[$0] } : Array(notes[head...]) }

  /// One of them, counted from the oldest; nil where there are not so many.
  subscript(index: Int) -> Event? {
    guard index >= 0, index < count else { return nil }
    return hasHoles ? all[index] : events[head + index]
  }

  mutating func append(_ event: Event, _ note: Note) {
    if places != nil { place(event, events.count) }
    events.append(event)
    notes.append(note)
    count += 1
  }

  mutating func removeFirst() -> Event? {
    guard !isEmpty, let event = events[head] else { return nil }
    events[head] = nil
    count -= 1
    places?[ObjectIdentifier(event)] = nil
    close()
    return event
  }
  mutating func removeFirst(_ wanted: Int) -> [Event] { (0..<min(wanted, count)).compactMap { _ in removeFirst() } }

  @discardableResult
  mutating func remove(_ event: Event) -> Bool {
    if first === event { return removeFirst() != nil }
    guard let index = index(of: event) else { return false }
    events[index] = nil
    count -= 1
    places?[ObjectIdentifier(event)] = nil
    close()
    return true
  }

  mutating func removeAll() {
    events.removeAll(keepingCapacity: true)
    notes.removeAll(keepingCapacity: true)
    (head, count, passed, places, isPlaced) = (0, 0, 0, nil, true)
  }

  private mutating func index(of event: Event) -> Int? {
    if places == nil, isPlaced, count > Self.few { placeAll() }
    guard let places else { return events[head...].firstIndex { $0 === event } }
    return places[ObjectIdentifier(event)].map { $0 - passed }
  }

  private mutating func placeAll() {
    places = Dictionary(minimumCapacity: count)
    for index in head..<events.count { if let event = events[index] { place(event, index) } }
  }

  private mutating func place(_ event: Event, _ index: Int) {
    if places?.updateValue(passed + index, forKey: ObjectIdentifier(event)) != nil { (places, isPlaced) = (nil, false) }
  }

  /// Gives up what is empty in front, and what is empty between once it is more than the rest.
  private mutating func close() {
    while head < events.count, events[head] == nil { head += 1 }
    if head > 64, head * 2 > events.count {
      events.removeFirst(head)
      notes.removeFirst(head)
      passed += head
      head = 0
    }
    if events.count - head > 2 * count + 64 {
      (notes, events) = (allNotes, all)
      (head, passed, places) = (0, 0, nil)
    }
  }
}

extension NotedQueue<Void> {
  init(_ events: [Event]) { for event in events { append(event) } }
  mutating func append(_ event: Event) { append(event, ()) }
}

/// Events in order of arrival, each with a time.
typealias TimedQueue = NotedQueue<Int64>

extension NotedQueue<Int64> {
  var firstTime: Int64? { firstNote }

  /// Takes out the first ones while their time is one of those asked for.
  mutating func removeFirst(while isMeant: (Int64) -> Bool) -> [Event] {
    var taken: [Event] = []
    while let time = firstTime, isMeant(time), let event = removeFirst() { taken.append(event) }
    return taken
  }

  mutating func exchange(_ archive: StateArchive) {
    var (held, times) = (EventQueue(all), allNotes)
    archive.queue(&held)
    archive.integers(&times)
    guard archive.isRestoring else { return }
    removeAll()
    for (event, time) in zip(held.all, times) { append(event, time) }
  }
}
