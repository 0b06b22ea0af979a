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
/// Nested objects flatten to dotted names; names that the type does not have, or that nobody reads, are skipped. A bad line is counted
/// and reported, and harms nothing else.
public struct EventReader {
  private let type: EventType
  private let properties: [Int]
  private let names: NameTable
  private let timestamp: Int?
  private let timeColumn: Int?
  private var columns: [[Value]]
  private var times: [Int64] = []
  private var row: [Value]
  private var path: [UInt8] = []
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
    names = NameTable(wanted.map { type.properties[$0].name })
    timeColumn = self.timestamp.flatMap { wanted.firstIndex(of: $0) }
    columns = Array(repeating: [], count: wanted.count)
    row = Array(repeating: .null, count: wanted.count)
  }

  /// The number of events read and not yet taken.
  public var count: Int { times.count }

  /// Reads one line, without its line end. An empty line is a bad one.
  public mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) {
    line += 1
    for index in row.indices { row[index] = .null }
    do throws(JSONError) {
      var reader = JSONReader(bytes)
      path.removeAll(keepingCapacity: true)
      try readObject(&reader, depth: 0)
      try reader.end()
    } catch { return fail(error.description) }
    var time: Int64 = 0
    if let timeColumn {
      guard case .int(let value) = row[timeColumn] else {
        return fail("the timestamp \(type.properties[timestamp ?? 0].name) is no integer")
      }
      time = value
    }
    for index in columns.indices { columns[index].append(row[index]) }
    times.append(time)
  }

  private mutating func fail(_ reason: String) {
    badLines += 1
    onError(LineError(line: line, reason: reason))
  }

  private mutating func readObject(_ reader: inout JSONReader, depth: Int) throws(JSONError) {
    guard depth < 64 else { throw reader.error("nested too deep") }
    try reader.expect(UInt8(ascii: "{"))
    if reader.take(UInt8(ascii: "}")) { return }
    repeat {
      guard reader.peek() == UInt8(ascii: "\"") else { throw reader.error("expected a name") }
      let length = path.count
      var column: Int?
      if let plain = try reader.plainString() {
        if length == 0 { column = names.find(plain) }
        if depth > 0 || column == nil { path.append(contentsOf: plain) }
      } else {
        path.append(contentsOf: try reader.string().utf8)
      }
      if column == nil { column = path.withUnsafeBufferPointer { names.find($0) } }
      try reader.expect(UInt8(ascii: ":"))
      if column == nil, reader.peek() == UInt8(ascii: "{") {
        path.append(UInt8(ascii: "."))
        try readObject(&reader, depth: depth + 1)
      } else {
        let value = try reader.value(depth: depth + 1)
        if let column { row[column] = value }
      }
      path.removeLast(path.count - length)
    } while reader.take(UInt8(ascii: ","))
    try reader.expect(UInt8(ascii: "}"))
  }

  /// The events read so far, as a batch; nil where there are none.
  public mutating func takeBatch() -> EventBatch? {
    if times.isEmpty { return nil }
    let batch = EventBatch(
      type: type, count: times.count, properties: properties,
      columns: properties.indices.map { Column.typed(declared(columns[$0], type.properties[properties[$0]].type)) }, times: timeColumn == nil ? [] : times)
    for index in columns.indices { columns[index].removeAll(keepingCapacity: true) }
    times.removeAll(keepingCapacity: true)
    return batch
  }
}

/// The values as their column's type holds them: text of addresses where addresses are declared.
private func declared(_ values: [Value], _ type: ValueType) -> [Value] {
  type == .address ? values.map { Address($0)?.value ?? $0 } : values
}

/// Names by their bytes.
private struct NameTable {
  private let names: [[UInt8]]
  private var buckets: [Int16]

  init(_ names: [String]) {
    self.names = names.map { Array($0.utf8) }
    var size = 16
    while size < names.count * 3 { size *= 2 }
    buckets = Array(repeating: -1, count: size)
    for (number, name) in self.names.enumerated() {
      var index = name.withUnsafeBufferPointer { NameTable.hash($0) } & (size - 1)
      while buckets[index] >= 0 { index = (index + 1) & (size - 1) }
      buckets[index] = Int16(number)
    }
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: hash >> 20)
  }

  func find(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var index = NameTable.hash(bytes) & (buckets.count - 1)
    while buckets[index] >= 0 {
      let number = Int(buckets[index])
      if names[number].count == bytes.count, names[number].elementsEqual(bytes) { return number }
      index = (index + 1) & (buckets.count - 1)
    }
    return nil
  }
}
