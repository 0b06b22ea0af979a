public import EventModel

/// A line that could not be read as an event.
public struct LineError: Sendable, Equatable, CustomStringConvertible {
  /// From 1.
  public let line: Int
  public let reason: String
  public var description: String { "line \(line): \(reason)" }
}

/// Turns JSON lines into batches of events of one type.
///
/// Nested objects flatten to dotted names; names that the type does not have, or that nobody reads, are checked and skipped. Values go
/// straight into columns. A bad line is counted and reported, and harms nothing else.
public struct EventReader {
  private let type: EventType
  private let properties: [Int]
  private let names: NameTree
  private let memo = MemberMemo()
  private let timestamp: Int?
  private let timeColumn: Int?
  private var columns: [ColumnBuilder]
  private var times: [Int64] = []
  public private(set) var line = 0
  public private(set) var badLines: UInt64 = 0
  /// Called with each bad line.
  public var onError: (LineError) -> Void = { _ in }

  /// - Parameters:
  ///   - properties: those that are wanted; the timestamp's property is read in any case.
  ///   - timestamp: the property that holds an event's time, where the type names none.
  public init(type: EventType, properties: [Int], timestamp: Int? = nil) {
    self.type = type
    self.properties = properties
    self.timestamp = type.timestampProperty ?? timestamp
    var wanted = properties
    if let time = self.timestamp, !wanted.contains(time) { wanted.append(time) }
    names = NameTree(wanted.map { type.properties[$0].name })
    timeColumn = self.timestamp.flatMap { wanted.firstIndex(of: $0) }
    columns = wanted.map { ColumnBuilder(type.properties[$0].type) }
  }

  /// The number of events read and not yet taken.
  public var count: Int { times.count }

  /// Reads one line, without its line end. An empty line is a bad one.
  public mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
    line += 1
    let row = times.count
    do throws(JSONError) {
      var reader = JSONReader(bytes)
      memo.beginLine()
      try readObject(&reader, depth: 0, node: 0, row)
      try reader.end()
    } catch { return fail(error.description) }
    var time: Int64 = 0
    if let timeColumn {
      guard let value = columns[timeColumn].integer(at: row) else {
        return fail("the timestamp \(type.properties[timestamp ?? 0].name) is no integer")
      }
      time = value
    }
    for index in columns.indices { columns[index].close(row) }
    times.append(time)
  }

  private mutating func fail(_ reason: String) {
    for index in columns.indices { columns[index].undo(times.count) }
    badLines += 1
    onError(LineError(line: line, reason: reason))
  }

  /// - Parameter node: the name of the object itself, of the tree of names.
  private mutating func readObject(_ reader: inout JSONReader, depth: Int, node: Int, _ row: Int) throws(JSONError) {
    guard depth < 64 else { throw reader.error("nested too deep") }
    try reader.expect(UInt8(ascii: "{"))
    if reader.take(UInt8(ascii: "}")) { return }
    repeat {
      let place = try readName(&reader, under: node)
      if place.column >= 0 {
        try read(&reader, into: place.column, depth: depth + 1, row)
      } else if place.node >= 0, reader.peek() == UInt8(ascii: "{") {
        try readObject(&reader, depth: depth + 1, node: place.node, row)
      } else {
        try reader.skip(depth: depth + 1)
      }
    } while reader.take(UInt8(ascii: ","))
    try reader.expect(UInt8(ascii: "}"))
  }

  /// What the member is whose name comes now, with its colon.
  private func readName(_ reader: inout JSONReader, under node: Int) throws(JSONError) -> NameTree.Place {
    guard reader.peek() == UInt8(ascii: "\"") else { throw reader.error("expected a name") }
    let start = reader.position
    if let (length, place) = memo.expected(reader.bytes, at: start, under: node) {
      reader.position += length
      return place
    }
    let place: NameTree.Place
    if let plain = try reader.plainString() {
      place = names.find(plain, under: node)
    } else {
      place = Array(try reader.string().utf8).withUnsafeBufferPointer { names.find($0, under: node) }
    }
    try reader.expect(UInt8(ascii: ":"))
    reader.skipSpace()
    memo.note(UnsafeBufferPointer(rebasing: reader.bytes[start..<reader.position]), under: node, place)
    return place
  }

  /// Of several values under one name the last counts.
  private mutating func read(_ reader: inout JSONReader, into column: Int, depth: Int, _ row: Int) throws(JSONError) {
    columns[column].undo(row)
    switch reader.peek() ?? 0 {
    case UInt8(ascii: "\""):
      if let plain = try reader.plainString() {
        columns[column].append(plain)
      } else {
        columns[column].append(.string(try reader.string()))
      }
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): columns[column].append(try reader.number())
    default: columns[column].append(try reader.value(depth: depth))
    }
  }

  /// The events read so far, as a batch; nil where there are none.
  public mutating func takeBatch() -> EventBatch? {
    if times.isEmpty { return nil }
    let all = columns.indices.map { columns[$0].take() }
    let batch = EventBatch(
      type: type, count: times.count, properties: properties, columns: Array(all.prefix(properties.count)),
      times: timeColumn == nil ? [] : times)
    times.removeAll(keepingCapacity: true)
    return batch
  }
}
