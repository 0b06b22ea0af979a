/// State on its way to bytes, back from bytes, or only measured.
///
/// Every operator that keeps something has one method `exchange(_:)`, which names its variables in order; the direction decides what
/// happens to them. So what is saved and what is restored cannot differ. A fault is kept and ends the exchange quietly: what follows reads
/// as nothing, and the caller asks for `failure` once, at the end.
///
/// Events are written once each, into a pool that all parts of a file share: what was one event is one event again.
public final class StateArchive {
  public enum Direction: Sendable { case save, restore, measure }

  public let direction: Direction
  public let pool: EventPool
  /// Why the state cannot be exchanged.
  public private(set) var failure: String?
  public private(set) var bytes: [UInt8]
  private var offset = 0
  private let end: Int
  /// What measuring has found: rows, groups, partial matches; and about how many bytes they take.
  public private(set) var entries = 0
  public private(set) var size = 0

  private init(_ direction: Direction, _ pool: EventPool, _ bytes: [UInt8], _ range: Range<Int>) {
    self.direction = direction
    self.pool = pool
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
  }

  public static func saving(_ pool: EventPool) -> StateArchive { StateArchive(.save, pool, [], 0..<0) }
  /// Says what an operator keeps in a form in which it can be compared with one that has just begun: without numbers that only tell
  /// operators apart. Events and timers have no such form and fail.
  public static func comparing() -> StateArchive {
    let archive = StateArchive(.save, EventPool(), [], 0..<0)
    archive.isComparing = true
    return archive
  }
  public static func measuring() -> StateArchive { StateArchive(.measure, EventPool(), [], 0..<0) }
  public static func restoring(_ bytes: [UInt8], _ range: Range<Int>, _ pool: EventPool) -> StateArchive {
    StateArchive(.restore, pool, bytes, range)
  }

  public private(set) var isComparing = false
  public var isSaving: Bool { direction == .save }
  public var isRestoring: Bool { direction == .restore }
  public var isMeasuring: Bool { direction == .measure }
  /// Whether all has been read.
  public var isAtEnd: Bool { offset == end }
  public var position: Int { offset }

  /// Ends the exchange with a reason.
  public func fail(_ reason: String) { if failure == nil { failure = reason } }

  // MARK: Plain values

  /// Seven bits a byte, the lowest first.
  public func word(_ value: inout UInt64) {
    switch direction {
    case .save:
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    case .restore: value = readWord()
    case .measure: break
    }
  }

  private func readWord() -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while shift < 64 {
      guard let byte = readByte() else { return 0 }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    fail("a number that never ends")
    return 0
  }

  private func readByte() -> UInt8? {
    guard failure == nil else { return nil }
    guard offset < end else {
      fail("the state ends too early")
      return nil
    }
    offset += 1
    return bytes[offset - 1]
  }

  public func integer<T: FixedWidthInteger>(_ value: inout T) {
    // Small numbers of either sign are short.
    var word = isSaving ? UInt64(bitPattern: Int64(truncatingIfNeeded: value) << 1 ^ Int64(truncatingIfNeeded: value) >> 63) : 0
    self.word(&word)
    if isRestoring { value = T(truncatingIfNeeded: Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)) }
  }

  public func integer(_ value: inout Int64?) {
    optional(&value, blank: 0) { integer(&$0) }
  }

  /// A number that only tells operators or their turns apart.
  public func place<T: FixedWidthInteger>(_ value: inout T) { if !isComparing { integer(&value) } }

  public func flag(_ value: inout Bool) {
    var word: UInt64 = value ? 1 : 0
    self.word(&word)
    if isRestoring { value = word != 0 }
  }

  public func number(_ value: inout Double) {
    var word = value.bitPattern
    self.word(&word)
    if isRestoring { value = Double(bitPattern: word) }
  }

  public func text(_ value: inout String) {
    var utf8 = isSaving ? Array(value.utf8) : []
    octets(&utf8)
    if isRestoring { value = String(decoding: utf8, as: UTF8.self) }
  }

  public func octets(_ value: inout [UInt8]) {
    var count = value.count
    self.count(&count)
    switch direction {
    case .save: bytes += value
    case .restore:
      guard failure == nil else { return value = [] }
      value = Array(bytes[offset..<(offset + count)])
      offset += count
    case .measure: size += value.count
    }
  }

  /// A number of things of at least a byte each: never more than there are bytes left.
  public func count(_ count: inout Int) {
    integer(&count)
    if isRestoring, count < 0 || count > end - offset {
      fail("a number that cannot be")
      count = 0
    }
  }

  // MARK: Structures

  public func optional<T>(_ value: inout T?, blank: @autoclosure () -> T, _ each: (inout T) -> Void) {
    var isThere = value != nil
    flag(&isThere)
    guard isThere, failure == nil else { return value = isRestoring ? nil : value }
    var item = isRestoring ? blank() : value ?? blank()
    each(&item)
    if isRestoring { value = item }
  }

  /// Measuring looks at a few of many, and takes the others for like them.
  public func array<T>(_ items: inout [T], blank: @autoclosure () -> T, _ each: (inout T) -> Void) {
    switch direction {
    case .save:
      var count = items.count
      self.count(&count)
      for item in items {
        var item = item
        each(&item)
      }
    case .restore:
      var count = 0
      self.count(&count)
      items.removeAll()
      for _ in 0..<count where failure == nil {
        var item = blank()
        each(&item)
        items.append(item)
      }
    case .measure:
      measureSome(items.count, MemoryLayout<T>.stride) { index in
        var item = items[index]
        each(&item)
      }
    }
  }

  private static let sampleSize = 16

  private func measureSome(_ count: Int, _ stride: Int, _ each: (Int) -> Void) {
    size += count * stride
    let (entriesBefore, sizeBefore) = (entries, size)
    let looked = min(count, Self.sampleSize)
    for index in 0..<looked { each(index * count / looked) }
    guard looked < count else { return }
    entries = entriesBefore + (entries - entriesBefore) * count / looked
    size = sizeBefore + (size - sizeBefore) * count / looked
  }

  public func integers<T: FixedWidthInteger>(_ items: inout [T]) {
    if isMeasuring { return size += items.count * MemoryLayout<T>.stride }
    array(&items, blank: 0) { integer(&$0) }
  }

  public func numbers(_ items: inout [Double]) {
    if isMeasuring { return note(entries: items.count, of: 8) }
    array(&items, blank: 0) { number(&$0) }
  }

  public func values(_ items: inout [Value]) { array(&items, blank: .null) { value(&$0) } }

  /// Values that are entries of state each (`window(*)`, `median`).
  public func entryValues(_ items: inout [Value]) {
    if isMeasuring { entries += items.count }
    values(&items)
  }

  /// A table by keys; its order is not kept.
  public func table<T>(_ table: inout [Value: T], blank: @autoclosure () -> T, _ each: (inout T) -> Void) {
    if isMeasuring { return note(entries: table.count, of: MemoryLayout<T>.stride + 64) }
    var items = isSaving ? table.map { (key: $0.key, item: $0.value) } : []
    array(&items, blank: (key: .null, item: blank())) { entry in
      value(&entry.key)
      each(&entry.item)
    }
    if isRestoring { table = Dictionary(items.map { ($0.key, $0.item) }, uniquingKeysWith: { first, _ in first }) }
  }

  public func table<T>(_ table: inout [[Value]: T], blank: @autoclosure () -> T, _ each: (inout T) -> Void) {
    if isMeasuring { return note(entries: table.count, of: MemoryLayout<T>.stride + 96) }
    var items = isSaving ? table.map { (key: $0.key, item: $0.value) } : []
    array(&items, blank: (key: [], item: blank())) { entry in
      values(&entry.key)
      each(&entry.item)
    }
    if isRestoring { table = Dictionary(items.map { ($0.key, $0.item) }, uniquingKeysWith: { first, _ in first }) }
  }

  /// Says of what is measured that it has so many entries of about so many bytes.
  public func note(entries count: Int, of bytes: Int) {
    guard isMeasuring else { return }
    entries += count
    size += count * bytes
  }

  /// Says of what is measured that it has so many entries in so many bytes altogether.
  public func note(groups count: Int, bytes: Int) {
    entries += count
    size += bytes
  }

  // MARK: Events

  public func events(_ events: inout [Event]) {
    if isMeasuring { return note(events: events.count, like: events.first) }
    if isComparing, !events.isEmpty { return fail("events are held") }
    var numbers = isSaving ? events.map { pool.number(of: $0) } : []
    integers(&numbers)
    if isRestoring { events = numbers.compactMap { event(numbered: $0) } }
  }

  /// Says that so many events are held.
  public func note(events count: Int, like event: Event?) {
    note(entries: count, of: 8 + (event.map { 56 + 16 * $0.count } ?? 0))
  }

  public func event(_ event: inout Event?) {
    if isMeasuring { return note(events: event == nil ? 0 : 1, like: event) }
    // What a pattern begins from has no values.
    if isComparing, let event, (0..<event.count).contains(where: { !event[$0].isNull }) { return fail("an event is held") }
    var number = isComparing ? 0 : isSaving ? event.map { pool.number(of: $0) } ?? -1 : -1
    integer(&number)
    if isRestoring { event = number < 0 ? nil : self.event(numbered: number) }
  }

  private func event(numbered number: Int) -> Event? {
    guard failure == nil else { return nil }
    if let event = pool.event(number) { return event }
    fail(pool.missing(number))
    return nil
  }

  // MARK: Values

  public func value(_ value: inout Value) {
    var kind = value.archiveKind
    if isMeasuring { return size += value.archiveSize }
    integer(&kind)
    switch kind {
    case 0: if isRestoring { value = .null }
    case 1: part(&value, false, \.boolean, Value.bool) { flag(&$0) }
    case 2: part(&value, Int64(0), { $0.integer }, Value.int) { integer(&$0) }
    case 3: part(&value, 0.0, \.number, Value.double) { number(&$0) }
    case 4:
      var text = ""
      if case .string(let own) = value { text = own }
      self.text(&text)
      if isRestoring { value = .string(text) }
    case 5:
      var address: UInt32 = 0
      if case .ip4(let own) = value { address = own }
      integer(&address)
      if isRestoring { value = .ip4(address) }
    case 6:
      var address: UInt64 = 0
      if case .mac(let own) = value { address = own }
      word(&address)
      if isRestoring { value = .mac(address) }
    case 7, 8:
      var bytes: [UInt8] = []
      if case .octets(let own) = value { bytes = own.bytes }
      octets(&bytes)
      if isRestoring { value = .octets(Octets(kind == 7 ? .ip6 : .octets, bytes)) }
    case 9:
      var items = value.array ?? []
      values(&items)
      if isRestoring { value = .array(items) }
    case 10:
      var event = value.event
      self.event(&event)
      if isRestoring { value = Value(event) }
    case 11:
      var entries: [(key: String, value: Value)] = []
      if case .map(let map) = value { entries = map.entries }
      array(&entries, blank: (key: "", value: .null)) { entry in
        text(&entry.key)
        self.value(&entry.value)
      }
      if isRestoring { value = .map(ValueMap(entries)) }
    default: fail("a value of an unknown kind")
    }
  }

  private func part<T>(_ value: inout Value, _ blank: T, _ get: (Value) -> T?, _ make: (T) -> Value, _ exchange: (inout T) -> Void) {
    var item = get(value) ?? blank
    exchange(&item)
    if isRestoring { value = make(item) }
  }
}

extension Value {
  fileprivate var archiveKind: UInt8 {
    switch self {
    case .null: 0
    case .bool: 1
    case .int: 2
    case .double: 3
    case .string: 4
    case .ip4: 5
    case .mac: 6
    case .octets(let octets): octets.kind == .ip6 ? 7 : 8
    case .array: 9
    case .event: 10
    case .map: 11
    }
  }

  /// What it takes besides its own 16 bytes.
  fileprivate var archiveSize: Int {
    switch self {
    case .string(let text): text.utf8.count > 15 ? 32 + text.utf8.count : 0
    case .octets(let octets): 64 + octets.bytes.count
    case .array(let array): 48 + 16 * array.values.count
    case .event(let event): 56 + 16 * event.count
    case .map(let map): 48 + 40 * map.entries.count
    default: 0
    }
  }
}
